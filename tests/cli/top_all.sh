# SPDX-License-Identifier: GPL-3.0-or-later
# --top all gives every class once, the most probable first; a number above that of the classes does too.
. tests/cli/common

wav 16000 1 8000 > "$SCRATCH/a.wav"
run 0 info --quick --json "$TINY"
classes=$(sed 's/.*"labels":\[\(.*\)\]}$/\1/' "$SCRATCH/out" | grep -o '"[^"]*"' | wc -l)
run 0 file --model "$TINY" --format jsonl --clip --top all "$SCRATCH/a.wav"
[ "$(grep -o '"label":"[^"]*"' "$SCRATCH/out" | sort -u | wc -l)" = "$classes" ] || fail "not all $classes classes"
grep -o '"p":[^,]*' "$SCRATCH/out" | cut -d : -f 2 | sort -gr -c || fail "not the most probable first"
cp "$SCRATCH/out" "$SCRATCH/all"
run 0 file --model "$TINY" --format jsonl --clip --top 4096 "$SCRATCH/a.wav"
cmp "$SCRATCH/out" "$SCRATCH/all" || fail "--top 4096 differs"
