# SPDX-License-Identifier: GPL-3.0-or-later
# A reader that has seen enough stops the program at once and without a word.
. tests/cli/common

wav 16000 1 160000 > "$SCRATCH/a.wav"
"$VIPANN" file --model "$TINY" "$SCRATCH/a.wav" "$SCRATCH/a.wav" 2> "$SCRATCH/err" | head -n 1 > "$SCRATCH/out"
quiet
lines 1
# and so it does where the signal is ignored
for options in '' '--threads 2' '--summary --threshold 0' '--events --threshold 0'; do
    # shellcheck disable=SC2086 # several options
    (trap '' PIPE; "$VIPANN" file --model "$TINY" $options "$SCRATCH/a.wav" "$SCRATCH/a.wav" 2> "$SCRATCH/err"
        echo $? > "$SCRATCH/status") | true
    quiet
    [ "$(cat "$SCRATCH/status")" = 1 ] || fail "$options: status $(cat "$SCRATCH/status")"
done
