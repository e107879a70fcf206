# SPDX-License-Identifier: GPL-3.0-or-later
# A batch that is killed at any moment, as often as one likes, and gone on with each time gives byte for byte what one run
# gives. KILLS says how many: 8 unless told. A broken recording is in it, so the status is 1 to the end.
. tests/cli/common

kills=${KILLS:-8} seed=${SEED:-$RANDOM}
RANDOM=$seed
mkdir "$SCRATCH/in" "$SCRATCH/in/below"
wav 16000 1 40000 > "$SCRATCH/in/00.wav"
for i in {01..14}; do cp "$SCRATCH/in/00.wav" "$SCRATCH/in/$i.wav"; done
wav 22050 2 9000 > "$SCRATCH/in/below/stereo.wav"
echo 'this is no sound' > "$SCRATCH/in/07a.wav"

batch() { # output, options...: the batch as it is begun and gone on with, in place of the shell
    local output=$1
    shift
    exec "$VIPANN" file --model "$TINY" --recursive --resume --output "$output" "$@" "$SCRATCH/in" 2> /dev/null
}

check() { # kills, options...
    local kills=$1 killed=0 begun took pid
    shift
    "$VIPANN" file --model "$TINY" --recursive --output "$SCRATCH/plain" "$@" "$SCRATCH/in" 2> /dev/null
    begun=$(date +%s%N)
    (batch "$SCRATCH/whole" "$@")
    [ $? = 1 ] || fail "$*: the broken recording does not count"
    took=$(($(date +%s%N) - begun))
    cmp "$SCRATCH/plain" "$SCRATCH/whole" || fail "$*: --resume gives something else"
    while [ $killed -lt "$kills" ]; do
        batch "$SCRATCH/out" "$@" &
        pid=$!
        sleep "$(awk -v t=$took -v x=$RANDOM 'BEGIN { printf "%.4f", t / 1e9 * x / 32768 / 2 }')"
        kill -9 $pid 2> /dev/null
        wait $pid 2> /dev/null
        if [ $? = 137 ]; then
            killed=$((killed + 1))
        else # it was faster: compare, and begin anew
            cmp "$SCRATCH/out" "$SCRATCH/whole" || fail "$* seed $seed: differs after $killed kills"
            rm "$SCRATCH/out" "$SCRATCH/out.journal"
        fi
    done
    (batch "$SCRATCH/out" "$@")
    [ $? = 1 ] || fail "$* seed $seed: status after the last run"
    cmp "$SCRATCH/out" "$SCRATCH/whole" || fail "$* seed $seed: differs in the end"
    rm "$SCRATCH"/{plain,whole,out}*
}

check "$kills" --format csv
check $((kills / 4)) --format jsonl --events --threshold 0.01 --threads 2
check $((kills / 4)) --format text
# A line of the journal that is cut off does not count, nor what the output has beyond it.
(batch "$SCRATCH/whole" --format csv)
head -n -3 "$SCRATCH/whole.journal" > "$SCRATCH/out.journal"
printf '99' >> "$SCRATCH/out.journal"
cp "$SCRATCH/whole" "$SCRATCH/out"
printf 'half a li' >> "$SCRATCH/out"
(batch "$SCRATCH/out" --format csv)
cmp "$SCRATCH/out" "$SCRATCH/whole" || fail "a cut-off line was believed"
