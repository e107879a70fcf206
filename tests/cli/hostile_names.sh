# SPDX-License-Identifier: GPL-3.0-or-later
# Whatever a recording is called: no format and no message lets its name command a terminal or break a line.
. tests/cli/common

wav 16000 1 12000 > "$SCRATCH/plain.wav"
names=($'new\nline.wav' $'tab\there.wav' $'escape\033[31m.wav' $'latin\351.wav' $'csi\302\233.wav' 'quote".wav' 'comma,.wav' '-dash.wav')
mkdir "$SCRATCH/in"
for name in "${names[@]}"; do cp "$SCRATCH/plain.wav" "$SCRATCH/in/$name"; done
for what in results events summary; do
    for format in text jsonl csv; do
        option=$([ $what = results ] || echo "--$what --threshold 0.01")
        # shellcheck disable=SC2086 # several options, or none
        run 0 file --model "$TINY" $option --format $format --recursive "$SCRATCH/in"
        quiet
        tr -d '\n\r\t' < "$SCRATCH/out" | LC_ALL=C grep -q '[[:cntrl:]]' && fail "$what $format: a control character"
        iconv -f UTF-8 -t UTF-8 "$SCRATCH/out" > /dev/null 2>&1 || fail "$what $format: no UTF-8"
    done
done
for format in labels raven; do
    run 0 file --model "$TINY" --threshold 0.01 --format $format --recursive --output-dir "$SCRATCH/$format" "$SCRATCH/in"
    quiet
    [ "$(find "$SCRATCH/$format" -type f -printf x | wc -c)" = ${#names[@]} ] || fail "$format: not one for each"
    for file in "$SCRATCH/$format"/*; do
        awk -F '\t' -v n="$([ $format = labels ] && echo 3 || echo 15)" 'NF != n { exit 1 }' "$file" || fail "$format: $(cat "$file")"
    done
done
for name in "${names[@]}"; do : > "$SCRATCH/in/$name"; done
run 1 file --model "$TINY" --recursive "$SCRATCH/in"
[ "$(wc -l < "$SCRATCH/err")" = ${#names[@]} ] || fail "not one line for each: $(cat "$SCRATCH/err")"
tr -d '\n' < "$SCRATCH/err" | LC_ALL=C grep -q '[[:cntrl:]]' && fail "a control character on standard error"
run 1 file --model "$TINY" --recursive --resume --output "$SCRATCH/out.jsonl" "$SCRATCH/in"
[ "$(wc -l < "$SCRATCH/out.jsonl.journal")" = $((1 + ${#names[@]})) ] || fail "$(cat "$SCRATCH/out.jsonl.journal")"
