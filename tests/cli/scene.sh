# SPDX-License-Identifier: GPL-3.0-or-later
# The scene of `make demo` against what the models can know of it: the default model hears the voice as speech, and both
# doubt themselves more, on the average, over what is foreign than over what they were taught.
set -eu
scene=$(dirname "$VIPANN")/demo/scene
sounds=/usr/share/sounds
if [ ! -e $sounds/freedesktop/stereo/bell.oga ] || [ ! -e $sounds/alsa/Front_Center.wav ]; then
    echo 'the sounds of sound-theme-freedesktop and alsa-utils are not here' >&2
    exit 77
fi
if [ ! -e models/vipann-audioset-r22w16-drop.safetensors ] || [ ! -e models/vipann-esc50-r22w16-drop.safetensors ]; then
    echo 'the shipped models are not here' >&2
    exit 77
fi
"$scene" $sounds "$SCRATCH/scene.wav" "$SCRATCH/scene.csv"
for model in vipann-audioset-r22w16-drop vipann-esc50-r22w16-drop; do
    "$VIPANN" file --top 20 --format jsonl --model "models/$model.safetensors" "$SCRATCH/scene.wav" > "$SCRATCH/heard"
    awk -f demo/show.awk -v csv=1 -v model=$model "$SCRATCH/scene.csv" "$SCRATCH/heard" > "$SCRATCH/rows"
    awk -F, -v model=$model '
        { n[$2]++; doubt[$2] += $6 }
        /^a voice/ && model ~ /audioset/ && ($3 != "\"Speech\"" || $4 < 0.4) { print "heard as something else: " $0; wrong = 1 }
        END {
            if (NR != 8 || n["foreign"] != 2 || !n["taught"]) { print "rows are missing"; wrong = 1 }
            else if (doubt["foreign"] / n["foreign"] < 1.2 * doubt["taught"] / n["taught"]) {
                print model ": not surer of what it was taught"; wrong = 1 }
            exit wrong
        }' "$SCRATCH/rows" || { cat "$SCRATCH/rows"; exit 1; }
done
