# SPDX-License-Identifier: GPL-3.0-or-later
# One pass, or the deterministic one, knows nothing of its own doubt: null, never 0.
. tests/cli/common

wav 16000 1 8000 > "$SCRATCH/a.wav"
for passes in 0 1; do
    run 0 file --model "$TINY" --passes $passes --format jsonl --clip "$SCRATCH/a.wav"
    grep -q "\"passes\":$passes," "$SCRATCH/out" || fail "other passes: $(cat "$SCRATCH/out")"
    grep -q '"std":null,"epistemic_nats":null,' "$SCRATCH/out" || fail "not null: $(cat "$SCRATCH/out")"
    grep -q '"epistemic_nats":null,"unknown":[a-z]*}$' "$SCRATCH/out" || fail "not null: $(cat "$SCRATCH/out")"
done
run 0 file --model "$TINY" --passes 2 --format jsonl --clip "$SCRATCH/a.wav"
! grep -q '"std":null' "$SCRATCH/out" || fail "null with two passes"
run 0 file --model "$TINY" --format jsonl --clip "$SCRATCH/a.wav"
grep -q '"reduction":"sum"' "$SCRATCH/out" || fail "multi-label totals name no reduction"
run 0 file --model "$TINY_MULTICLASS" --format jsonl --clip "$SCRATCH/a.wav"
grep -q '"reduction":null' "$SCRATCH/out" || fail "multi-class totals name a reduction"
