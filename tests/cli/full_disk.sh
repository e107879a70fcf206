# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is full: one clear line, status 1, nothing half-written, and a batch can be gone on with when there is room.
. tests/cli/common

wav 16000 1 60000 > "$SCRATCH/a.wav"
for i in 1 2 3 4 5; do cp "$SCRATCH/a.wav" "$SCRATCH/$i.wav"; done
if [ -w /dev/full ]; then
    for options in '' '--threads 2' '--format csv' '--events --threshold 0' '--summary' '--clip'; do
        # shellcheck disable=SC2086 # several options
        "$VIPANN" file --model "$TINY" $options "$SCRATCH/a.wav" "$SCRATCH/1.wav" > /dev/full 2> "$SCRATCH/err"
        [ $? = 1 ] || fail "$options: a full disk went unseen"
        said 'cannot be written: No space left on device'
    done
    run 1 file --model "$TINY" --output /dev/full "$SCRATCH/a.wav"
    said '/dev/full: cannot be written: No space left on device'
fi

mkdir "$SCRATCH/small"
mount -t tmpfs -o size=16k none "$SCRATCH/small" 2> /dev/null || exit 0 # root alone can do that
trap 'umount "$SCRATCH/small"' EXIT
few() { run "$@" --model "$TINY" --format jsonl --top all "$SCRATCH"/{1,2,3,4,5}.wav; }
few 1 file --output "$SCRATCH/small/out"
said 'small/out: cannot be written: No space left on device'
[ -z "$(ls -A "$SCRATCH/small")" ] || fail "something was left behind: $(ls -A "$SCRATCH/small")"
few 1 file --resume --output "$SCRATCH/small/out"
said 'small/out: cannot be written: No space left on device'
end=$(tail -n 1 "$SCRATCH/small/out.journal" | cut -f 1)
[ "$(wc -l < "$SCRATCH/small/out.journal")" -gt 1 ] || fail "nothing had room: $(cat "$SCRATCH/small/out.journal")"
[ "$(stat -c %s "$SCRATCH/small/out")" = "$end" ] || fail "half a recording was left"
mount -o remount,size=4m "$SCRATCH/small"
few 0 file --resume --output "$SCRATCH/small/out"
few 0 file
cmp "$SCRATCH/out" "$SCRATCH/small/out" || fail "the batch that was gone on with differs"
