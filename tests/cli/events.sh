# SPDX-License-Identifier: GPL-3.0-or-later
# Events in all formats say the same; label track and selection table are what Audacity and Raven read.
. tests/cli/common

tab=$'\t'
wav 16000 1 64000 > "$SCRATCH/a.wav"
events() { # format, options...
    local format=$1
    shift
    run 0 file --model "$TINY" --events --threshold 0.01 --format "$format" "$@" "$SCRATCH/a.wav"
    quiet
}

events jsonl
n=$(wc -l < "$SCRATCH/out")
[ "$n" -ge 1 ] || fail "no events"
cp "$SCRATCH/out" "$SCRATCH/jsonl"
value() { sed "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/" "$SCRATCH/jsonl"; }

events labels
paste <(value start_s) <(value end_s) <(value label) |
    awk -F '\t' '{ printf "%.6f\t%.6f\t%s\n", $1, $2, $3 }' | diff - "$SCRATCH/out" >&2 || fail "labels differ"
events raven
head=$(printf '%s\t' Selection View Channel 'Begin Time (s)' 'End Time (s)' 'Low Freq (Hz)' 'High Freq (Hz)' 'Begin File' \
    'Begin Path' 'File Offset (s)' Annotation Score 'Mean Score' 'Epistemic (nats)' Unknown)
[ "$(head -n 1 "$SCRATCH/out")" = "${head%"$tab"}" ] || fail "the head of the table: $(head -n 1 "$SCRATCH/out")"
paste <(value start_s) <(value end_s) <(value label) <(value p_max) |
    awk -F '\t' -v path="$SCRATCH/a.wav" '{ printf "%d\tSpectrogram 1\t1\t%.6f\t%.6f\ta.wav\t%s\t%.6f\t%s\t%.4f\n", NR, $1, $2,
        path, $1, $3, $4 }' > "$SCRATCH/expected"
tail -n +2 "$SCRATCH/out" | cut -f 1-5,8-12 | diff "$SCRATCH/expected" - >&2 || fail "the table differs"
tail -n +2 "$SCRATCH/out" | awk -F '\t' 'NF != 15 || $6 < 0 || $7 <= $6 || $7 > 8000 { exit 1 }' || fail "columns: $(cat "$SCRATCH/out")"
# Raven finds a recording by its whole path, wherever the table lies.
vipann=$(realpath "$VIPANN")
mkdir -p "$SCRATCH/sub"
cp "$SCRATCH/a.wav" "$SCRATCH/sub/b.wav"
for name in sub/b.wav ./sub/b.wav sub/../sub/b.wav "$SCRATCH/sub/b.wav" -; do
    model=$(realpath "$TINY")
    (cd "$SCRATCH" && "$vipann" file --model "$model" --threshold 0.01 --format raven "$name" < a.wav | sed -n 2p | cut -f 9) \
        > "$SCRATCH/path"
    case $name in
    -) [ "$(cat "$SCRATCH/path")" = - ] ;;
    *) cmp -s "$(cat "$SCRATCH/path")" "$SCRATCH/a.wav" && grep -q '^/[^.]' "$SCRATCH/path" ;;
    esac || fail "$name: the path is $(cat "$SCRATCH/path")"
done
events csv
lines $((n + 1))
head -n 1 "$SCRATCH/out" | tr -d '\r' |
    grep -qx 'file,model,label,start_s,end_s,p_max,p_mean,epistemic_nats,unknown,passes,calibrated' || fail "head of csv"
tail -n +2 "$SCRATCH/out" | cut -d , -f 3-6 |
    diff <(paste -d , <(value label) <(value start_s) <(value end_s) <(value p_max)) - >&2 || fail "csv differs"
events text
lines $((n + 2))
column=$(head -n 1 "$SCRATCH/out" | sed -n 's/.*, window \([0-9.]*\) s (? by [0-9.]* s), hop \([0-9.]*\) s.*/\1 \2/p')
[ "$column" = '0.96 0.32' ] || fail "not the window that events are timed by: $(head -n 1 "$SCRATCH/out")"

# The order of times; --start moves them; the label track implies --events.
awk -F '[:,]' '{ if ($8 > $10 || $10 > 4.1) { exit 1 } }' "$SCRATCH/jsonl" || fail "times: $(cat "$SCRATCH/jsonl")"
events jsonl --start 2
value() { sed "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/" "$SCRATCH/out"; }
value start_s | awk '$1 < 2 { exit 1 }' || fail "--start is not in the times: $(cat "$SCRATCH/out")"
events labels
cp "$SCRATCH/out" "$SCRATCH/labels"
run 0 file --model "$TINY" --threshold 0.01 --format labels "$SCRATCH/a.wav"
cmp "$SCRATCH/out" "$SCRATCH/labels" || fail "labels do not imply events"
# One pass: no epistemic value, in no format.
events jsonl --passes 1
grep -q '"epistemic_nats":null,' "$SCRATCH/out" || fail "not null: $(cat "$SCRATCH/out")"
events raven --passes 1
awk -F '\t' 'NR > 1 && $14 != "" { exit 1 }' "$SCRATCH/out" || fail "not empty: $(cat "$SCRATCH/out")"

for wrong in '--clip --events' '--clip --format labels' '--clip --summary' '--summary --format raven' \
    '--format labels --recursive' '--summary --resume --output x' '--output x --output-dir y'; do
    # shellcheck disable=SC2086 # several options
    run 2 file $wrong "$SCRATCH/a.wav"
    [ "$(wc -l < "$SCRATCH/err")" = 1 ] || fail "$wrong: $(cat "$SCRATCH/err")"
done
run 2 file --format labels "$SCRATCH/a.wav" "$SCRATCH/a.wav"
said 'give --output-dir DIR for one file each'

# Events that are told while the sound still comes are those of the file, whatever the hop of the results is.
for hop in 0.32 0.96; do
    { head -c 50001 "$SCRATCH/a.wav"; sleep 0.2; tail -c +50002 "$SCRATCH/a.wav"; } |
        "$VIPANN" file --model "$TINY" --threshold 0.01 --events --format jsonl --hop "$hop" - > "$SCRATCH/live" ||
        fail "from a pipe"
    sed 's|"file":"[^"]*"|"file":"-"|' "$SCRATCH/jsonl" | diff - "$SCRATCH/live" >&2 || fail "live at a hop of $hop s"
done
