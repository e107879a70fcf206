# SPDX-License-Identifier: GPL-3.0-or-later
# --output appears whole or not at all, and a disk that is full is said clearly.
. tests/cli/common

wav 16000 1 20000 > "$SCRATCH/a.wav"
mkdir "$SCRATCH/folder"
run 0 file --model "$TINY" --format jsonl "$SCRATCH/a.wav"
cp "$SCRATCH/out" "$SCRATCH/expected"
run 0 file --model "$TINY" --format jsonl --output "$SCRATCH/folder/heard" "$SCRATCH/a.wav"
lines 0
cmp "$SCRATCH/folder/heard" "$SCRATCH/expected" || fail "--output differs from standard output"

run 1 file --model nowhere --output "$SCRATCH/folder/heard" "$SCRATCH/a.wav"
cmp "$SCRATCH/folder/heard" "$SCRATCH/expected" || fail "a failed run changed the file"
run 1 file --model "$TINY" --format jsonl --output "$SCRATCH/folder/heard" "$SCRATCH/missing.wav" "$SCRATCH/a.wav"
said 'missing.wav: cannot be opened'
cmp "$SCRATCH/folder/heard" "$SCRATCH/expected" || fail "a broken file among others spoilt the rest"
[ "$(ls -A "$SCRATCH/folder")" = heard ] || fail "something was left behind: $(ls -A "$SCRATCH/folder")"

run 1 file --model "$TINY" --output "$SCRATCH/nowhere/heard" "$SCRATCH/a.wav"
said 'nowhere/heard: cannot be written: No such file or directory; make its folder first'
if [ -w /dev/full ]; then
    "$VIPANN" file --model "$TINY" "$SCRATCH/a.wav" > /dev/full 2> "$SCRATCH/err" && fail "a full disk went unseen"
    said 'cannot be written: No space left on device'
fi
