# SPDX-License-Identifier: GPL-3.0-or-later
# A broken file is one line on stderr; the others are all there, in order, and the status is 1 at the end. Threads change
# nothing in that.
. tests/cli/common

wav 16000 1 20000 > "$SCRATCH/one.wav"
wav 44100 2 50000 > "$SCRATCH/two.wav"
wav 8000 1 3000 > "$SCRATCH/three.wav"
: > "$SCRATCH/broken.wav"
for threads in 1 2 5; do
    run 1 file --model "$TINY" --format jsonl --threads $threads \
        "$SCRATCH/two.wav" "$SCRATCH/broken.wav" "$SCRATCH/one.wav" "$SCRATCH/three.wav"
    said 'broken.wav: is empty'
    order=$(sed 's/.*"file":"[^"]*\/\([a-z]*\).wav".*/\1/' "$SCRATCH/out" | uniq | tr '\n' ' ')
    [ "$order" = "two one three " ] || fail "--threads $threads: order is $order"
    [ $threads = 1 ] && cp "$SCRATCH/out" "$SCRATCH/first"
    cmp -s "$SCRATCH/out" "$SCRATCH/first" || fail "--threads $threads gives other results"
done
