# SPDX-License-Identifier: GPL-3.0-or-later
# No result comes twice: where the end of a file adds nothing to the last one, as in a causal network, it is not repeated;
# where it does, it is told.
. tests/cli/common

# Two whole columns; the same with so much behind that the second is heard before the file ends; less than one column.
for frames in 10240 10400 15000 100; do
    wav 16000 1 $frames > "$SCRATCH/a.wav"
    columns=$((frames < 5120 ? 1 : frames / 5120))
    for hop in 0.32 0.64; do
        for format in jsonl csv; do
            run 0 file --model "$TINY_CAUSAL" --hop $hop --format $format "$SCRATCH/a.wav"
            quiet
            results=$(tail -n +$([ $format = csv ] && echo 2 || echo 1) "$SCRATCH/out")
            [ -z "$(sort <<< "$results" | uniq -d)" ] || fail "$frames frames, hop $hop, $format: $results"
            expected=$([ $hop = 0.64 ] && echo $(((columns + 1) / 2)) || echo $columns)
            [ "$(wc -l <<< "$results")" = "$expected" ] || fail "$frames frames, hop $hop, $format: $results"
        done
    done
    run 0 file --model "$TINY_CAUSAL" --clip --format jsonl "$SCRATCH/a.wav"
    lines 1
done
run 0 file --model "$TINY_CAUSAL" --format jsonl - < "$SCRATCH/a.wav" # a pipe too
lines 1

# At the edge the last frames are heard at the end only, and change the column's answer.
wav 16000 1 10400 > "$SCRATCH/a.wav"
run 0 file --model "$TINY" --latency edge --format jsonl "$SCRATCH/a.wav"
lines 3
[ -z "$(sort "$SCRATCH/out" | uniq -d)" ] || fail "a result comes twice: $(cat "$SCRATCH/out")"
