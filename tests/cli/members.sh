# SPDX-License-Identifier: GPL-3.0-or-later
# Members of each kind of model: explicit ones of a mean field are others than those of Flipout, an ensemble has as many as
# it has, and where there is no choice, --members changes nothing.
. tests/cli/common

wav 16000 1 20000 > "$SCRATCH/a.wav"
heard() { run 0 file --format jsonl "$@" "$SCRATCH/a.wav"; quiet; cat "$SCRATCH/out"; }
flipout=$(heard --model "$TINY_MEANFIELD" --members flipout --passes 4)
[ "$flipout" = "$(heard --model "$TINY_MEANFIELD" --passes 4)" ] || fail "flipout is not the default"
[ "$flipout" != "$(heard --model "$TINY_MEANFIELD" --members explicit --passes 4)" ] || fail "explicit is the same"
[ "$(heard --model "$TINY" --members explicit)" = "$(heard --model "$TINY")" ] || fail "dropout has no choice of members"
heard --model "$TINY_ENSEMBLE" --passes 3 | grep -q '"passes":3,' || fail "$(cat "$SCRATCH/out")"
for files in 1 2; do # one line, before any work
    run 2 file --model "$TINY_ENSEMBLE" --passes 4 "$SCRATCH/a.wav" "$([ $files = 2 ] && echo "$SCRATCH/a.wav" || echo -)"
    said '3'
    lines 0
done

modes() { # model: the kinds of passes that it has, deterministic ones apart
    run 0 info --json --quick "$1"
    grep -o '"passes":[1-9][0-9]*,"kind":"[a-z]*"' "$SCRATCH/out" | sed 's/.*"kind":"\(.*\)"/\1/' | uniq | tr '\n' ' '
}
[ "$(modes "$TINY_MEANFIELD")" = "flipout explicit " ] || fail "mean field: $(modes "$TINY_MEANFIELD")"
[ "$(modes "$TINY_ENSEMBLE")" = "ensemble " ] || fail "ensemble: $(modes "$TINY_ENSEMBLE")"
[ "$(modes "$TINY")" = "dropout " ] || fail "dropout: $(modes "$TINY")"
run 0 info --quick "$TINY_ENSEMBLE"
grep -q '^posterior  *ensemble of 3 members$' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
