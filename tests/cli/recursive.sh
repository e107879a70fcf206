# SPDX-License-Identifier: GPL-3.0-or-later
# Folders: sorted, without hidden files, other files and circles; what cannot be read is one line, the rest goes on. Shards
# share the work among them.
. tests/cli/common

in=$SCRATCH/in
mkdir -p "$in/b/deep" "$in/folder.wav" "$in/.hidden" "$in/empty"
wav 16000 1 8000 > "$in/b/deep/x.WAV"
for name in a.wav c.wav b/y.wav folder.wav/z.wav .hidden/no.wav .no.wav; do cp "$in/b/deep/x.WAV" "$in/$name"; done
echo text > "$in/notes.txt"
ln -s ../b "$in/empty/circle"
ln -s .. "$in/b/up"
ln -s deep/x.WAV "$in/b/link.wav"
mkfifo "$in/pipe.wav"

heard() { # the recordings in the output, in order
    sed 's/.*"file":"\([^"]*\)".*/\1/' "$SCRATCH/out" | uniq | sed "s|^$in/*||" | tr '\n' ' '
}
all="a.wav b/deep/x.WAV b/link.wav b/y.wav c.wav folder.wav/z.wav "
run 0 file --model "$TINY" --clip --format jsonl --recursive "$in"
quiet
[ "$(heard)" = "$all" ] || fail "heard: $(heard)"
cp "$SCRATCH/out" "$SCRATCH/whole"
run 0 file --model "$TINY" --clip --format jsonl --recursive --threads 3 "$in"
cmp "$SCRATCH/out" "$SCRATCH/whole" || fail "threads change the order"
run 0 file --model "$TINY" --clip --format jsonl --recursive "$in/" "$in/a.wav"
[ "$(heard)" = "${all}a.wav " ] || fail "a folder and a file: $(heard)"

for n in 1 2 3 8; do
    : > "$SCRATCH/union"
    for ((i = 1; i <= n; i++)); do
        run 0 file --model "$TINY" --clip --format jsonl --recursive --shard $i/$n "$in"
        cat "$SCRATCH/out" >> "$SCRATCH/union"
    done
    sort "$SCRATCH/union" | cmp - <(sort "$SCRATCH/whole") || fail "$n shards are not the whole"
done
for wrong in 0/2 3/2 1/0 2 /2 1/ a/b -1/2 1/2/3; do
    run 2 file --shard "$wrong" "$in/a.wav"
    said '--shard: found .*; expected I/N'
done

run 1 file --model "$TINY" --clip --format jsonl "$in" "$in/a.wav"
said ': is a folder; name the files in it, or give --recursive'
lines 1
run 1 file --model "$TINY" --recursive "$in/empty"
said 'there is no sound file in it'
ln -s nowhere "$in/gone.wav"
run 1 file --model "$TINY" --clip --format jsonl --recursive "$in"
said 'gone.wav: cannot be opened'
[ "$(heard)" = "$all" ] || fail "a link to nothing spoilt the rest: $(heard)"
rm "$in/gone.wav"

# A folder that cannot be read; root reads everything, and there it is a folder that is too deep for its path.
if [ "$(id -u)" != 0 ]; then
    mkdir "$in/secret"
    chmod 0 "$in/secret"
else
    (
        cd "$in" || exit 1
        name=$(printf 'd%.0s' {1..250})
        for _ in {1..20}; do mkdir "$name" && cd "$name" || exit 1; done
    )
fi
run 1 file --model "$TINY" --clip --format jsonl --recursive "$in"
said 'this folder cannot be read'
[ "$(heard)" = "$all" ] || fail "an unreadable folder spoilt the rest: $(heard)"
