# SPDX-License-Identifier: GPL-3.0-or-later
# The demo's drawing of events: a mark for each second that an event covers by its middle, and the classes heard longest.
. tests/cli/common

draw() {
    awk -f demo/timeline.awk "$SCRATCH/scene.csv" "$1" | sed 's/ *$//'
}
printf 'start_s,end_s,what,kind,taught_by\n3,12,a voice,taught,x\n15,24,a rather long passage,near,\n' > "$SCRATCH/scene.csv"
printf '14.6\t17.4\tDomestic animals, pets and others\n2.5\t4.000000\tSpeech\n9\t12\tSpeech\n' > "$SCRATCH/labels"
draw "$SCRATCH/labels" > "$SCRATCH/out"
cat > "$SCRATCH/expected" << 'END'

                              voice       rather long
  what plays               ·  ━━━━━━━━━   ━━━━━━━━━
  Speech                   ·  █     ███        ·
  Domestic animals, pet... ·         ·    ██   ·
END
diff "$SCRATCH/expected" "$SCRATCH/out" >&2 || fail "not what was heard"
for i in 1 2 3 4 5 6 7 8 9 10; do
    printf '0\t%d\tclass %d\n' "$i" "$i"
done > "$SCRATCH/labels"
draw "$SCRATCH/labels" > "$SCRATCH/out"
if [ "$(grep -c '  class' "$SCRATCH/out")" != 8 ] || grep -q 'class [12] ' "$SCRATCH/out"; then
    fail "not the eight longest: $(cat "$SCRATCH/out")"
fi
[ "$(tail -n 1 "$SCRATCH/out")" = '  and 2 classes more' ] || fail "$(cat "$SCRATCH/out")"
draw /dev/null | grep -qx '  none' || fail "no word about no event"
