# SPDX-License-Identifier: GPL-3.0-or-later
# --output-dir: one file for each recording, called like it, whole or not at all; it can be gone on with.
. tests/cli/common

in=$SCRATCH/in
mkdir -p "$in/sub"
wav 16000 1 40000 > "$in/one.wav"
cp "$in/one.wav" "$in/sub/one.wav"
: > "$in/broken.wav"
for format in labels:labels.txt raven:selections.txt csv:csv jsonl:jsonl text:txt; do
    run 1 file --model "$TINY" --threshold 0.01 --events --format "${format%:*}" --recursive --output-dir "$SCRATCH/out-dir" "$in"
    said 'broken.wav: is empty'
    found=$(cd "$SCRATCH/out-dir" && find . -type f | sort | tr '\n' ' ')
    [ "$found" = "./one.wav.${format#*:} ./sub/one.wav.${format#*:} " ] || fail "$format: $found"
    run 0 file --model "$TINY" --threshold 0.01 --events --format "${format%:*}" "$in/one.wav"
    cmp "$SCRATCH/out" "$SCRATCH/out-dir/one.wav.${format#*:}" || fail "$format: differs from one alone"
    cp -r "$SCRATCH/out-dir" "$SCRATCH/first"
    run 1 file --model "$TINY" --threshold 0.01 --events --format "${format%:*}" --recursive --threads 2 \
        --output-dir "$SCRATCH/out-dir" "$in" # over it once more
    diff -r "$SCRATCH/first" "$SCRATCH/out-dir" || fail "$format: threads change something"
    rm -r "$SCRATCH/first" "$SCRATCH/out-dir"
done
run 1 file --model "$TINY" --clip --format csv --recursive --resume --output-dir "$SCRATCH/new/dir" "$in"
[ -e "$SCRATCH/new/dir/vipann.journal" ] || fail "no journal"
echo changed > "$SCRATCH/new/dir/one.wav.csv"
run 1 file --model "$TINY" --clip --format csv --recursive --resume --output-dir "$SCRATCH/new/dir" "$in"
said 'could not be heard in an earlier run'
[ "$(cat "$SCRATCH/new/dir/one.wav.csv")" = changed ] || fail "what was finished was heard again"

run 2 file --model "$TINY" --output-dir "$SCRATCH/d" "$in/one.wav" "$in/sub/one.wav"
said 'would both become one.wav.txt'
: > "$SCRATCH/file"
run 1 file --model "$TINY" --output-dir "$SCRATCH/file" "$in/one.wav"
said 'cannot be written: Not a directory'
