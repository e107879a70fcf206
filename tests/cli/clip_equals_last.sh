# SPDX-License-Identifier: GPL-3.0-or-later
# With a window longer than the file the last object equals that of --clip, which has no t_s.
. tests/cli/common

wav 22050 1 120000 > "$SCRATCH/a.wav"
for model in "$TINY" "$TINY_MULTICLASS"; do
    for passes in 0 1 8; do
        run 0 file --model "$model" --passes $passes --format jsonl --clip "$SCRATCH/a.wav"
        lines 1
        ! grep -q '"t_s"' "$SCRATCH/out" || fail "--clip gives a time"
        cp "$SCRATCH/out" "$SCRATCH/clip"
        for window in all 119 1000; do
            run 0 file --model "$model" --passes $passes --format jsonl --window $window "$SCRATCH/a.wav"
            tail -n 1 "$SCRATCH/out" | sed 's/"t_s":[^,]*,//; s/"calibrated":[a-z]*/"calibrated":X/' > "$SCRATCH/last"
            sed 's/"calibrated":[a-z]*/"calibrated":X/' "$SCRATCH/clip" | cmp -s - "$SCRATCH/last" ||
                fail "$model, $passes passes, --window $window: $(cat "$SCRATCH/clip" "$SCRATCH/last")"
        done
    done
done
