# SPDX-License-Identifier: GPL-3.0-or-later
# The three formats say the same things in their own ways.
. tests/cli/common

wav 16000 1 40000 > "$SCRATCH/a.wav"
run 0 file --model "$TINY" --format jsonl --top 3 "$SCRATCH/a.wav"
quiet
n=$(wc -l < "$SCRATCH/out")
label=$(sed -n '1s/.*"top":\[{"label":"\([^"]*\)".*/\1/p' "$SCRATCH/out")
[ -n "$label" ] || fail "no label in $(head -n 1 "$SCRATCH/out")"
[ "$(head -n 1 "$SCRATCH/out" | grep -o '"label"' | wc -l)" = 3 ] || fail "--top 3 does not give three"

run 0 file --model "$TINY" --format csv --top 3 "$SCRATCH/a.wav"
lines $((n + 1))
head -n 1 "$SCRATCH/out" | grep -q '^file,model,t_s,.*,label_3,p_3,std_3,.*'$'\r''$' || fail "no head: $(cat "$SCRATCH/out")"
grep -qF "$label" "$SCRATCH/out" || fail "$label is not in the table"

run 0 file --model "$TINY" "$SCRATCH/a.wav"
quiet
lines $((n + 2)) # what was analysed and how, and the names of the columns
head -n 1 "$SCRATCH/out" | grep -q 'a.wav: 16000 Hz, 1 channel; .* passes, seed 1, window .* s, hop 0.32 s' ||
    fail "no settings in $(head -n 1 "$SCRATCH/out")"
grep -qF "$label" "$SCRATCH/out" || fail "$label is not in the text"
! grep -q $'\033' "$SCRATCH/out" || fail "colour where there is no terminal"
