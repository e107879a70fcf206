# SPDX-License-Identifier: GPL-3.0-or-later
# --resume: what is finished is not heard again, what is new is; other settings, a changed output and a second process are
# refused; failures stay failures.
. tests/cli/common

mkdir "$SCRATCH/in"
wav 16000 1 20000 > "$SCRATCH/in/b.wav"
cp "$SCRATCH/in/b.wav" "$SCRATCH/in/d.wav"
: > "$SCRATCH/in/c.wav"
out=$SCRATCH/heard.jsonl
batch() { # status, options...
    local status=$1
    shift
    run "$status" file --model "$TINY" --format jsonl --recursive --resume --output "$out" "$@" "$SCRATCH/in"
}

batch 1
said 'c.wav: is empty'
cp "$out" "$SCRATCH/first"
[ "$(cut -f 2 "$out.journal" | tail -n +2 | tr '\n' ' ')" = "ok failed ok " ] || fail "$(cat "$out.journal")"
batch 1 # once more: nothing to do, and nothing changes
said '1 recording could not be heard in an earlier run'
cmp "$out" "$SCRATCH/first" || fail "a second run changed the output"

# New recordings come behind, in their order; what was changed or removed does not matter.
wav 16000 1 30000 > "$SCRATCH/in/a.wav"
wav 8000 1 30000 > "$SCRATCH/in/$(printf 'e\n"\\\351')".wav
rm "$SCRATCH/in/d.wav"
batch 1
cmp -n "$(stat -c %s "$SCRATCH/first")" "$out" "$SCRATCH/first" || fail "what was finished changed"
order=$(sed 's/.*"file":"[^"]*\/\(.\).*/\1/' "$out" | uniq | tr -d '\n')
[ "$order" = bdae ] || fail "order $order"
cp "$out" "$SCRATCH/second"
batch 1
cmp "$out" "$SCRATCH/second" || fail "a name with a line break was heard twice"

refused() { # status, pattern, options...
    local status=$1 pattern=$2
    shift 2
    batch "$status" "$@"
    said "$pattern"
    cmp "$out" "$SCRATCH/second" || fail "$*: a refused run changed the output"
}
refused 2 'begun with other settings: passes was "[0-9]*" and is now "3"' --passes 3
refused 2 'begun with other settings: model was' --model "$TINY_MULTICLASS"
refused 2 'other settings: what was "results" and is now "events"' --events
refused 2 'other settings: format was "jsonl" and is now "csv"' --format csv
echo 'threshold = 0.25' > "$SCRATCH/other.conf"
refused 2 'other settings: rules was' --rules "$SCRATCH/other.conf"

# Without --resume the output of a batch is not replaced.
run 1 file --model "$TINY" --output "$out" "$SCRATCH/in/a.wav"
said 'belongs to a batch'
cmp "$out" "$SCRATCH/second" || fail "the output of a batch was replaced"

# An output that was changed meanwhile, or was never a batch's.
head -c 100 "$SCRATCH/second" > "$out"
batch 1
said 'is shorter than'
cp "$SCRATCH/second" "$out"
mv "$out.journal" "$SCRATCH/journal"
batch 1
said 'was not begun with --resume'
[ ! -e "$out.journal" ] || fail "a journal was left behind"
cp "$SCRATCH/in/a.wav" "$out.journal"
batch 1
said 'is no journal of vipann'
mv "$SCRATCH/journal" "$out.journal"
batch 1

# A failed recording is tried again when its line is gone.
cp "$SCRATCH/in/a.wav" "$SCRATCH/in/c.wav"
sed -i '/\tfailed\t/d' "$out.journal"
batch 0
order=$(sed 's/.*"file":"[^"]*\/\(.\).*/\1/' "$out" | uniq | tr -d '\n')
[ "$order" = bdaec ] || fail "order $order"

# Only one process at a time has an output: the first one waits for its input here.
mkfifo "$SCRATCH/pipe"
"$VIPANN" file --model "$TINY" --resume --output "$SCRATCH/locked" - < "$SCRATCH/pipe" > /dev/null 2>&1 &
exec 9> "$SCRATCH/pipe"
for _ in {1..100}; do [ -s "$SCRATCH/locked.journal" ] && break; sleep 0.02; done
run 1 file --model "$TINY" --resume --output "$SCRATCH/locked" "$SCRATCH/in/a.wav"
said 'another vipann is at work on this output'
exec 9>&-
wait

run 2 file --resume "$SCRATCH/in/a.wav"
said '--resume needs --output'
run 1 file --model "$TINY" --resume --output "$SCRATCH/nowhere/out" "$SCRATCH/in/a.wav"
said 'nowhere/out.journal: cannot be opened: No such file'
run 1 file --model "$TINY" --resume --output /dev/null "$SCRATCH/in/a.wav"
[ "$(wc -l < "$SCRATCH/err")" = 1 ] || fail "$(cat "$SCRATCH/err")"
[ ! -e /dev/null.journal ] || fail "a journal beside /dev/null"
