# SPDX-License-Identifier: GPL-3.0-or-later
# Sound that is missing, empty, only a header, not sound at all, cut off or not numbers.
. tests/cli/common

refused() { # expected line, file
    run 1 file --model "$TINY" --format jsonl "$2"
    said "$1"
    lines 0
}

refused 'missing.wav: cannot be opened: No such file or directory' "$SCRATCH/missing.wav"
refused '/missing.wav: cannot be opened: No such file or directory' "$SCRATCH/$(printf 'folder/%.0s' {1..60})missing.wav"
refused 'is a folder' "$SCRATCH"
: > "$SCRATCH/empty.wav"
refused 'empty.wav: is empty' "$SCRATCH/empty.wav"
wav 16000 1 0 > "$SCRATCH/header.wav"
refused 'header.wav: has a header but no sound' "$SCRATCH/header.wav"
cp tests/cli/common "$SCRATCH/text.wav"
refused 'text.wav: is no sound file' "$SCRATCH/text.wav"
wav 4000 1 4000 > "$SCRATCH/slow.wav"
refused 'slow.wav: ' "$SCRATCH/slow.wav"
wav 16000 65 100 > "$SCRATCH/many.wav"
refused 'many.wav: has 65 channels; at most 64' "$SCRATCH/many.wav"
wav 16000 2 8000 > "$SCRATCH/a.wav"
run 1 file --model "$TINY" --channel 3 "$SCRATCH/a.wav"
said 'a.wav: --channel 3: there are only 2'
run 1 file --model "$TINY" --start 9 "$SCRATCH/a.wav"
said 'a.wav: nothing is left after --start 9: the sound ends at 0.5 s'

# Lengths that headers claim are not believed; what is there is heard.
wav 16000 1 20000 > "$SCRATCH/a.wav"
wav 16000 1 20000 1000000000 > "$SCRATCH/claims.wav"
run 0 file --model "$TINY" --format csv "$SCRATCH/a.wav"
cut -d , -f 2- "$SCRATCH/out" > "$SCRATCH/expected"
run 0 file --model "$TINY" --format csv "$SCRATCH/claims.wav"
cut -d , -f 2- "$SCRATCH/out" | cmp - "$SCRATCH/expected" || fail "an absurd length was believed"

# A float wav whose samples are all NaN is heard as silence, and that is said.
{
    wav 16000 1 0 20000 | head -c 20; little 2 3; little 2 1; little 4 16000; little 4 64000; little 2 4; little 2 32
    printf data; little 4 40000
    for ((i = 0; i < 10000; i++)); do printf '\0\0\300\177'; done
} > "$SCRATCH/nan.wav"
run 0 file --model "$TINY" --format jsonl "$SCRATCH/nan.wav"
said 'nan.wav: 10000 samples are not numbers'
! grep -qi 'nan[,}]\|inf[,}]' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
