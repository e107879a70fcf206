# SPDX-License-Identifier: GPL-3.0-or-later
# Every file with sound in it gets at least one object, however short it is.
. tests/cli/common

for frames in 1 2 100 5119 5120 5121; do
    wav 16000 1 $frames > "$SCRATCH/short.wav"
    for clip in "" --clip; do
        for latency in centred edge; do
            # shellcheck disable=SC2086 # none is no argument
            run 0 file --model "$TINY" --format jsonl --latency $latency $clip "$SCRATCH/short.wav"
            quiet
            grep -q '"top":\[{"label":' "$SCRATCH/out" || fail "$frames frames $clip $latency: nothing heard"
        done
    done
    lines 1
done
