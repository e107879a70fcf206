# SPDX-License-Identifier: GPL-3.0-or-later
# A model describes itself, for eyes and as JSON, with what it costs in each mode.
. tests/cli/common

run 0 info "$TINY"
quiet
for key in model sha256 network task front-end column posterior calibration provenance licence 'live mode'; do
    grep -q "^$key" "$SCRATCH/out" || fail "nothing on $key: $(cat "$SCRATCH/out")"
done
grep -qE '^(centred|causal) +[0-9]+ .* million .* MB +[0-9.]+ %' "$SCRATCH/out" || fail "not measured: $(cat "$SCRATCH/out")"
sha=$(sha256sum "$TINY" | cut -d ' ' -f 1)
grep -q "$sha" "$SCRATCH/out" || fail "another hash"
run 0 info --json --quick --passes 3 "$TINY_MULTICLASS"
quiet
lines 1
for key in name sha256 arch width padding weights task frontend look_ahead_s posterior calibration modes labels; do
    grep -q "\"$key\":" "$SCRATCH/out" || fail "nothing on $key: $(cat "$SCRATCH/out")"
done
grep -q '"passes":3,"kind":"dropout","macs_per_s":[1-9][0-9.e+]*,"memory_bytes":[1-9][0-9]*,"core":null' "$SCRATCH/out" ||
    fail "no cost: $(cat "$SCRATCH/out")"
grep -q '"score":null},"score_parts":\[\],"prototypes":null' "$SCRATCH/out" || fail "no word on the sum: $(cat "$SCRATCH/out")"
# A sum of parts that tells what is unknown.
run 0 info --quick "$TINY_SUM"
quiet
grep -q '^ *or sum above 1\.5$' "$SCRATCH/out" || fail "no limit of the sum: $(cat "$SCRATCH/out")"
grep -qx '  sum of        total, epistemic, confidence, energy, distance (7 prototypes)' "$SCRATCH/out" ||
    fail "not what it adds up: $(cat "$SCRATCH/out")"
run 0 info --json --quick "$TINY_SUM"
parts='"score_parts":["total","epistemic","confidence","energy","distance"],"prototypes":7'
grep -qF "\"score\":1.5},$parts" "$SCRATCH/out" || fail "no word on the sum: $(cat "$SCRATCH/out")"
# Prose wraps, with a hanging indent: the shipped model's is long.
run 0 info --quick vipann-esc50-r22w16-drop
grep -v ^sha256 "$SCRATCH/out" | awk 'length > 80 { print; wrong = 1 } END { exit wrong }' >&2 || fail "longer than 80"
grep -q '^                [^ ]' "$SCRATCH/out" || fail "no prose over several lines: $(cat "$SCRATCH/out")"
! grep -q ' $' "$SCRATCH/out" || fail "spaces at the end of a line"
# Without a model: the one that the program uses by itself.
run 0 info --quick
grep -q '^model  *vipann-audioset-r22w16-drop$' "$SCRATCH/out" || fail "not the default model: $(cat "$SCRATCH/out")"
