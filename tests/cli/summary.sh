# SPDX-License-Identifier: GPL-3.0-or-later
# --summary adds up what --events lists, whatever the threads.
. tests/cli/common

wav 16000 1 64000 > "$SCRATCH/a.wav"
wav 22050 1 150000 > "$SCRATCH/b.wav"
: > "$SCRATCH/c.wav"
files=("$SCRATCH/b.wav" "$SCRATCH/c.wav" "$SCRATCH/a.wav")
run 1 file --model "$TINY" --threshold 0.01 --events --format csv "${files[@]}"
tr -d '\r' < "$SCRATCH/out" | awk -F , 'NR > 1 {
        n[$3]++; s[$3] += $5 - $4; if (!($3 in p) || $6 > p[$3]) { p[$3] = $6; f[$3] = $1; at[$3] = $4 } }
    END { for (c in n) { printf "%s,%d,%.4f,%s,%s,%s\n", c, n[c], s[c], f[c], at[c], p[c] } }' | sort > "$SCRATCH/expected"
for threads in 1 3; do
    run 1 file --model "$TINY" --threshold 0.01 --summary --format csv --threads $threads "${files[@]}"
    said 'c.wav: is empty'
    tr -d '\r' < "$SCRATCH/out" | awk -F , 'NR > 1 { printf "%s,%d,%.4f,%s,%s,%s\n", $2, $3, $4, $5, $6, $7 }' | sort |
        diff "$SCRATCH/expected" - >&2 || fail "--threads $threads: not what the events add up to"
    tr -d '\r' < "$SCRATCH/out" | tail -n +2 | cut -d , -f 4 | sort -gr -c || fail "not the longest first"
    cp "$SCRATCH/out" "$SCRATCH/csv.$threads"
done
cmp "$SCRATCH/csv.1" "$SCRATCH/csv.3" || fail "threads change the sums"
n=$(($(wc -l < "$SCRATCH/csv.1") - 1))
run 1 file --model "$TINY" --threshold 0.01 --summary --format jsonl "${files[@]}"
lines $n
run 1 file --model "$TINY" --threshold 0.01 --summary "${files[@]}"
lines $((n + 1))
run 0 file --model "$TINY" --rules <(echo 'report = no') --summary "$SCRATCH/a.wav"
grep -qx 'no events' "$SCRATCH/out" || fail "$(cat "$SCRATCH/out")"
