# SPDX-License-Identifier: GPL-3.0-or-later
# "-" is standard input, be it a file or a pipe, with or without a length in its header.
. tests/cli/common

wav 16000 1 50000 > "$SCRATCH/a.wav"
wav 16000 1 50000 1073741000 > "$SCRATCH/endless.wav"
run 0 file --model "$TINY" --format jsonl "$SCRATCH/a.wav"
sed 's/"file":"[^"]*"/"file":"-"/' "$SCRATCH/out" > "$SCRATCH/expected"
"$VIPANN" file --model "$TINY" --format jsonl - < "$SCRATCH/a.wav" | cmp - "$SCRATCH/expected" || fail "from a file"
# shellcheck disable=SC2002 # a pipe is the point
cat "$SCRATCH/a.wav" | "$VIPANN" file --model "$TINY" --format jsonl - | cmp - "$SCRATCH/expected" || fail "from a pipe"
# shellcheck disable=SC2002
cat "$SCRATCH/endless.wav" | "$VIPANN" file --model "$TINY" --format jsonl - | cmp - "$SCRATCH/expected" ||
    fail "from a pipe without an end"
: | "$VIPANN" file --model "$TINY" - > "$SCRATCH/out" 2> "$SCRATCH/err" && fail "nothing is taken for sound"
said 'standard input: is empty'
