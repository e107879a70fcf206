# SPDX-License-Identifier: GPL-3.0-or-later
# On a terminal, explanations and lines of results, events and summaries stay within its width; what is written elsewhere is
# not cut. Only the line that names a recording and all settings may be longer.
. tests/cli/common

if ! script -qec true /dev/null > "$SCRATCH/out" 2>&1 < /dev/null; then
    echo 'script, which gives a program a terminal, is not here' >&2
    exit 77
fi
long=$SCRATCH/a-folder-with-a-long-name/and-another-one-below-that-is-long-too
mkdir -p "$long"
wav 16000 1 64000 > "$long/recording.wav"
on_terminal() { # columns, argument...
    local columns=$1
    shift
    script -qec "stty cols $columns; $VIPANN file --model $TINY $* $long/recording.wav 2> /dev/null" /dev/null < /dev/null |
        sed 's/\x1b[^a-zA-Z]*[a-zA-Z]//g; s/\r//g' > "$SCRATCH/out"
}
for columns in 80 120; do
    for what in '' '--events --threshold 0.01' '--summary --threshold 0.01' '--clip'; do
        on_terminal $columns "$what"
        grep -q '[a-z]' "$SCRATCH/out" || fail "$columns columns, $what: nothing"
        grep -v '^/.*recording.wav: 16000 Hz' "$SCRATCH/out" | awk -v columns=$columns '
            { gsub(/[\300-\377][\200-\277]*/, "x") } # a character is a cell
            length($0) > columns { print; wrong = 1 } END { exit wrong }' >&2 || fail "$columns columns, $what: too wide"
    done
done
on_terminal 80 --summary --threshold 0.01
grep -q ' in ….*/recording.wav$' "$SCRATCH/out" || fail "the end of the path is not there: $(cat "$SCRATCH/out")"
run 0 file --model "$TINY" --summary --threshold 0.01 "$long/recording.wav"
grep -q " in $long/recording.wav\$" "$SCRATCH/out" || fail "cut where it is no terminal: $(cat "$SCRATCH/out")"
