# SPDX-License-Identifier: GPL-3.0-or-later
# vipann-train scores: tables of which score tells foreign sounds from known ones, of whole clips and of short stretches; the
# same twice; what is asked wrongly is said; calibrate fits what they compare.
. tests/cli/common

[ "$programs" != vipann ] || { echo "no vipann-train was built: oneDNN is missing (Debian: libdnnl-dev)" >&2; exit 77; }
of vipann-train
model=$SCRATCH/model.safetensors cache=$SCRATCH/all.cache
sounds() { # SET N RATE FIRST: a folder of N sounds, each a recording of its own, in folds 1 to 4
    mkdir "$SCRATCH/$1"
    echo path,labels,fold,group > "$SCRATCH/$1/manifest.csv"
    for i in $(seq "$2"); do
        wav "$3" 1 $(($4 + 200 * i)) > "$SCRATCH/$1/$i.wav"
        echo "$i.wav,noise,$((i % 4 + 1)),$1$i" >> "$SCRATCH/$1/manifest.csv"
    done
}
sounds known 64 16000 8000
sounds odd 12 8000 4000
sounds strange 12 32000 20000
run 0 features "$SCRATCH"/*/manifest.csv -o "$cache"
run 0 import --random resnet22 --width 1 --classes 7 --task multiclass --posterior dropout -o "$model"

scores() { # STATUS ARGUMENT...
    run "$1" scores "$model" "$cache" "${@:2}"
}
known=(--train 'set=known & fold=1,2' --calibration 'set=known & fold=3' --test 'set=known & fold=4' --passes 2 --short 0.4)
scores 0 "${known[@]}" --ood-dev 'set=odd' --ood 'set=strange'
quiet
cp "$SCRATCH/out" "$SCRATCH/first"
for line in '## Whole clips' '## The loudest 0.4 s of each clip' '| score | odd (12) | mean of the sets | ahead of total |' \
    '| score | strange (12) | right known | wrong known |'; do
    grep -qxF "$line" "$SCRATCH/out" || fail "no line $line: $(cat "$SCRATCH/out")"
done
grep -q 'S = 2, 32 training clips, 32 prototypes$' "$SCRATCH/out" || fail "not what was learnt from: $(cat "$SCRATCH/out")"
for score in total epistemic energy distance 'total + energy + distance'; do
    [ "$(grep -cE "^\| ${score//+/\\+} \| [01]\.[0-9]{3} \([01]\.[0-9]{3}–[01]\.[0-9]{3}\) \|" "$SCRATCH/out")" = 4 ] ||
        fail "not four areas of $score: $(cat "$SCRATCH/out")"
done
scores 0 "${known[@]}" --ood-dev 'set=odd' --ood 'set=strange' --threads 1
cmp -s "$SCRATCH/out" "$SCRATCH/first" || fail "one thread says something else"
# Without passes there is no epistemic part; without --test half of the calibration's recordings are kept for it.
scores 0 --train 'set=known & fold=1,2,3' --dev 0.5 --passes 0 --short 0 --ood 'set=odd,strange'
! grep -q 'epistemic\|loudest' "$SCRATCH/out" || fail "an epistemic part without passes: $(cat "$SCRATCH/out")"
grep -q '^| score | odd (12) | strange (12) | mean of the sets |' "$SCRATCH/out" || fail "not two sets: $(cat "$SCRATCH/out")"

scores 2 --ood 'set=odd'
said 'scores: --train, one of --calibration and --dev, and --ood or --ood-dev say which clips to compare'
scores 2 "${known[@]}" --dev 0.1 --ood 'set=odd'
said 'one of --calibration and --dev'
scores 2 "${known[@]}" --ood 'set=nowhere'
said 'set=nowhere'
scores 2 "${known[@]}" --ood 'set=odd' --passes 99
said 'passes'

# calibrate fits such a sum, and the model carries it.
printf '%s\n' quiet noise loud > "$SCRATCH/labels"
run 0 import --random resnet22 --width 1 --labels "$SCRATCH/labels" --posterior dropout -o "$model"
calibrate() { # STATUS ARGUMENT...
    run "$1" calibrate "$model" "$cache" --clips 'set=known & fold=3,4' --passes 2 --unknown-share 0.2 \
        -o "$SCRATCH/fitted.safetensors" "${@:2}"
}
calibrate 2 --train 'set=known & fold=1,2' --parts total,loudness
said '"loudness"'
calibrate 0 --train 'set=known & fold=1,2' --prototypes 9
grep -qE '^unknown: sum of energy, distance above -?[0-9.]+ \(9 prototypes of 32 clips; 20\.0 %' "$SCRATCH/out" ||
    fail "no sum: $(cat "$SCRATCH/out")"
# A background moves the limit, so that it sets off no more than it may: here nothing at all.
calibrate 0 --train 'set=known & fold=1,2' --prototypes 9 --background 'set=strange' --alarms-per-hour 0
grep -qE '^unknown: sum of energy, distance above -?[0-9.]+ \(0 of [0-9]+ windows of a background of 0\.[0-9]+ hours, 0 an hour' \
    "$SCRATCH/out" || fail "no background: $(cat "$SCRATCH/out")"
calibrate 2 --background 'set=nowhere'
said 'set=nowhere'
calibrate 0 --train 'set=known & fold=1,2' --prototypes 9
of vipann
run 0 info --quick "$SCRATCH/fitted.safetensors"
grep -qx '  sum of        energy, distance (9 prototypes)' "$SCRATCH/out" || fail "not in the model: $(cat "$SCRATCH/out")"
grep -q '^  unknown       sum above ' "$SCRATCH/out" || fail "another limit: $(cat "$SCRATCH/out")"
run 0 file --model "$SCRATCH/fitted.safetensors" --passes 2 --format jsonl "$SCRATCH/known/1.wav"
grep -q '"unknown":\(true\|false\)' "$SCRATCH/out" || fail "it cannot say: $(cat "$SCRATCH/out")"
