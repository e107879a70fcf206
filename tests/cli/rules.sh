# SPDX-License-Identifier: GPL-3.0-or-later
# Rules come from a file and from options; --explain says which value holds and where it comes from.
. tests/cli/common

run 0 info --quick --json "$TINY"
label=$(sed 's/.*"labels":\["\([^"]*\)".*/\1/' "$SCRATCH/out")
other=$(sed 's/.*"labels":\["[^"]*","\([^"]*\)".*/\1/' "$SCRATCH/out")
printf 'threshold = 0.02\nmin_length = 0.5\nlevel = -90\n[class "%s"]\nthreshold = 0.03 # rare\n' "$label" > "$SCRATCH/night.conf"

explain() { run 0 file --model "$TINY" --explain "$@"; quiet; }
explain "$label"
grep -qE '^  hysteresis +0.8 +default$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
grep -qE 'begins when an answer reaches 0?[.0-9]+, ends with one below' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
explain "$label" --rules <(echo 'hops = 2 of 3')
grep -q 'begins when 2 of the last 3 answers reach ' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
explain "$label" --rules "$SCRATCH/night.conf" --threshold 0.04
grep -qE '^  threshold +0.03 +.*night.conf:5$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
grep -qE '^  min_length +0.5 s +.*night.conf:2$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
grep -qE '^  level +-90 dBFS +.*night.conf:3$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
explain "$other" --rules "$SCRATCH/night.conf" --threshold 0.04
grep -qE '^  threshold +0.04 +--threshold$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
explain "$other" --only "$label"
grep -qE '^  report +no +--only$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
run 2 file --model "$TINY" --explain "${label}x"
said "no class \"${label}x\"; did you mean"

wav 16000 1 64000 > "$SCRATCH/a.wav"
labels() { sed 's/.*"label":"\([^"]*\)".*/\1/' "$SCRATCH/out" | sort -u; }
run 0 file --model "$TINY" --events --format jsonl --threshold 0 --only "$label" "$SCRATCH/a.wav"
[ "$(labels)" = "$label" ] || fail "--only: $(labels)"
run 0 file --model "$TINY" --events --format jsonl --threshold 0 --ignore "$label" "$SCRATCH/a.wav"
[ -n "$(labels)" ] && ! labels | grep -qx "$label" || fail "--ignore: $(labels)"
run 2 file --model "$TINY" --events --only "$label;nosuch" "$SCRATCH/a.wav"
said 'nosuch'
echo 'threshold = 1.5' > "$SCRATCH/wrong.conf"
run 1 file --model "$TINY" --rules "$SCRATCH/wrong.conf" "$SCRATCH/a.wav"
said 'wrong.conf:1: '
lines 0
run 1 file --model "$TINY" --rules "$SCRATCH/missing.conf" "$SCRATCH/a.wav"
said 'missing.conf'

# Silence: it is said, it is never unknown, and no event comes of it.
{ wav 16000 1 0 48000; head -c 96000 /dev/zero; } > "$SCRATCH/silence.wav"
run 0 file --model "$TINY" --format jsonl "$SCRATCH/silence.wav"
! grep -v '"level_dbfs":-200,"silent":true' "$SCRATCH/out" || fail "not silent: $(cat "$SCRATCH/out")"
run 0 file --model "$TINY" "$SCRATCH/silence.wav"
tail -n +3 "$SCRATCH/out" | grep -q 'silence, -200 dBFS' || fail "$(cat "$SCRATCH/out")"
! tail -n +3 "$SCRATCH/out" | grep -qv silence || fail "$(cat "$SCRATCH/out")"
run 0 file --model "$TINY" --events --threshold 0 "$SCRATCH/silence.wav"
lines 2
run 0 file --model "$TINY" --format csv "$SCRATCH/a.wav"
head -n 1 "$SCRATCH/out" | grep -q ',level_dbfs,silent,' || fail "$(head -n 1 "$SCRATCH/out")"
