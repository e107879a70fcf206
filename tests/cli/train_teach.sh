# SPDX-License-Identifier: GPL-3.0-or-later
# `vipann-train teach`: tones in noise, labelled in a track, are learnt in one command and told where they are; what the model
# heard before is as it was; and what is asked wrongly is one line.
. tests/cli/common
. tests/cli/trainer

# A random network that is wide enough to hear a tone.
small=$SCRATCH/small.safetensors
"$(dirname "$vipann")/tests/make_tiny_model" "$small" resnet22 4 4 causal deterministic 1 || fail 'no model'

# Noise with a tone of three seconds in every fifteen, from 6 s on; or without.
tones() { # SECONDS LOUD
    local bytes=$((2 * 16000 * $1))
    printf RIFF; little 4 $((36 + bytes)); printf 'WAVEfmt '; little 4 16; little 2 1; little 2 1; little 4 16000
    little 4 32000; little 2 2; little 2 16; printf data; little 4 $bytes
    LC_ALL=C awk -v n=$((16000 * $1)) -v loud="$2" 'BEGIN {
        for (x = 1; i < n; i++) {
            x = (x * 16807) % 2147483647
            t = i / 16000; in_turn = t - 15 * int(t / 15)
            v = int(x % 600) - 300 + (in_turn >= 6 && in_turn < 9 ? loud * sin(6.283185 * 1000 * t) : 0)
            v = int(v); if (v < 0) v += 65536
            printf "%c%c", v % 256 == 0 ? 1 : v % 256, int(v / 256) == 0 ? 0 : int(v / 256)
        }
    }'
}
tones 150 6000 > "$SCRATCH/lesson.wav"
tones 60 0 > "$SCRATCH/quiet.wav"
tones 60 6000 > "$SCRATCH/exam.wav"
for ((i = 0; i < 10; i++)); do printf '%s\t%s\tmy tone\n' "$((15 * i + 6))" "$((15 * i + 9))"; done > "$SCRATCH/lesson.txt"

of vipann-train
run 0 teach --model "$small" -o "$SCRATCH/taught.safetensors" "$SCRATCH/lesson.wav" "$SCRATCH/quiet.wav"
grep -q '^my tone: \(9\|10\) of 10 found' "$SCRATCH/out" || fail "not learnt: $(cat "$SCRATCH/out")"
grep -q 'are as they were' "$SCRATCH/out" || fail "nothing is said of the others: $(cat "$SCRATCH/out")"
of vipann
run 0 file --model "$SCRATCH/taught.safetensors" --events --only 'my tone' --format csv "$SCRATCH/exam.wav"
events=$(($(wc -l < "$SCRATCH/out") - 1))
[ "$events" -ge 3 ] && [ "$events" -le 5 ] || fail "four tones, but: $(cat "$SCRATCH/out")"
tail -n +2 "$SCRATCH/out" | awk -F , '{ at = ($4 + $5) / 2; at -= 15 * int(at / 15); if (at < 5 || at > 10) { exit 1 } }' ||
    fail "told elsewhere: $(cat "$SCRATCH/out")"
run 0 file --model "$SCRATCH/taught.safetensors" --events --only 'my tone' --format csv "$SCRATCH/quiet.wav"
lines 1

# What was heard before.
run 0 file --model "$small" --top all --format jsonl "$SCRATCH/exam.wav"
sed 's/"model":"[^"]*"//; s/,"reduction".*//' "$SCRATCH/out" | grep -o '"label":"class [0-9]*","p":[^,]*' > "$SCRATCH/before"
run 0 file --model "$SCRATCH/taught.safetensors" --top all --format jsonl "$SCRATCH/exam.wav"
grep -o '"label":"class [0-9]*","p":[^,]*' "$SCRATCH/out" > "$SCRATCH/after"
[ -s "$SCRATCH/before" ] && cmp -s "$SCRATCH/before" "$SCRATCH/after" || fail "old classes: $(diff "$SCRATCH/before" "$SCRATCH/after" | head -n 4)"

of vipann-train
run 2 teach "$SCRATCH/lesson.wav"
said 'give both'
run 1 teach --model "$small" -o "$SCRATCH/x" "$SCRATCH/missing.wav"
said 'missing.wav'
run 2 teach --model "$small" -o "$SCRATCH/x" "$SCRATCH/quiet.wav"
said 'nothing is labelled'
printf '1\t2\tclass 1\n' > "$SCRATCH/exam.txt"
run 2 teach --model "$small" -o "$SCRATCH/x" "$SCRATCH/exam.wav"
said 'the model has a class "class 1" already'
printf '1\ttwo\tmy tone\n' > "$SCRATCH/exam.txt"
run 1 teach --model "$small" -o "$SCRATCH/x" "$SCRATCH/exam.wav"
said 'exam.txt:1: expected start, end and label'
printf '0\t60\tmy tone\n' > "$SCRATCH/exam.txt"
run 2 teach --model "$small" -o "$SCRATCH/x" "$SCRATCH/exam.wav"
said 'all sound is labelled so'
[ ! -e "$SCRATCH/x" ] || fail 'a model was written after all'
