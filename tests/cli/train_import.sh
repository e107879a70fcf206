# SPDX-License-Identifier: GPL-3.0-or-later
# vipann-train import: a checkpoint becomes a model that vipann hears with, and so do random numbers; what is asked wrongly is
# said.
. tests/cli/common

[ "$programs" != vipann ] || { echo "no vipann-train was built: oneDNN is missing (Debian: libdnnl-dev)" >&2; exit 77; }
imported() { # STATUS ARGUMENT...
    of vipann-train
    run "$1" import "${@:2}"
    of vipann
}
model=$SCRATCH/model.safetensors
heard() { # CLASSES [ARGUMENT...]: the model hears so many classes in a sound
    wav 16000 1 16000 > "$SCRATCH/a.wav"
    run 0 file --model "$model" --clip --top all --format jsonl "${@:2}" "$SCRATCH/a.wav"
    [ "$(grep -o '"label"' "$SCRATCH/out" | wc -l)" = "$1" ] || fail "expected $1 classes, found: $(cat "$SCRATCH/out")"
}

# Random numbers.
imported 0 --random resnet22 --width 1 --classes 7 -o "$model"
grep -q 'resnet22, width 1, same' "$SCRATCH/out" || fail "what was written is not said: $(cat "$SCRATCH/out")"
quiet
heard 7
cp "$model" "$SCRATCH/first.safetensors"
imported 0 --random resnet22 --width 1 --classes 7 --output "$model"
cmp "$model" "$SCRATCH/first.safetensors" || fail "the same seed gives other numbers"
imported 0 --random resnet22 --width 1 --classes 7 --seed 2 --half -o "$model"
[ "$(stat -c %s "$model")" -lt "$(stat -c %s "$SCRATCH/first.safetensors")" ] || fail "--half is no smaller"
for kind in deterministic dropout meanfield ensemble; do
    imported 0 --random resnet38 --width 1 --classes 2 --posterior "$kind" --padding causal -o "$model"
    run 0 info --quick "$model"
    grep -q "^posterior  *$kind" "$SCRATCH/out" || fail "not $kind: $(cat "$SCRATCH/out")"
    grep -q "^network  *resnet38, width 1, padding causal" "$SCRATCH/out" || fail "not causal: $(cat "$SCRATCH/out")"
    heard 2
done
imported 0 --random resnet22 --width 1 --frontend panns32k --dropout late --task multiclass -o "$model"
run 0 info --quick "$model"
grep -q '^task  *multiclass, 527 classes' "$SCRATCH/out" || fail "not 527 classes: $(cat "$SCRATCH/out")"
grep -q '^posterior  *dropout, preset late' "$SCRATCH/out" || fail "not late: $(cat "$SCRATCH/out")"
grep -q '^front-end  *panns32k' "$SCRATCH/out" || fail "not panns32k: $(cat "$SCRATCH/out")"

# What is asked wrongly.
asked_wrongly() { # LINE ARGUMENT...
    rm -f "$model"
    imported 2 "${@:2}"
    said "^vipann-train import: $1"
    [ ! -e "$model" ] || fail "a model was written"
}
asked_wrongly 'nothing to import' -o "$model"
asked_wrongly '-o MODEL.safetensors is missing' a.pth
asked_wrongly 'a checkpoint or --random, not both' a.pth --random resnet22 -o "$model"
asked_wrongly '--width is for --random' a.pth --width 3 -o "$model"
asked_wrongly '--seed is for --random' a.pth --seed 3 -o "$model"
asked_wrongly '--dropout is for --posterior dropout' --random resnet22 --posterior meanfield --dropout all -o "$model"
asked_wrongly '--trunk is for checkpoints' --random resnet22 --trunk "$SCRATCH/first.safetensors" -o "$model"
asked_wrongly '--frontend and --padding are those of the --trunk' a.pth --padding same --trunk "$SCRATCH/first.safetensors" -o "$model"
imported 1 missing.pth -o "$model"
said '^vipann-train import: missing.pth: cannot be opened'
imported 1 "$SCRATCH/first.safetensors" -o "$model"
said 'first.safetensors: begins neither as a zip file nor as PyTorch before 1.6: this is not a checkpoint'
imported 1 "$SCRATCH" -o "$model"
said 'is not a regular file'

# The reference's checkpoints.
checkpoints=$VIPANN_SHARED/reference/checkpoints
if [ ! -d "$checkpoints" ]; then
    echo "# skip checkpoints: no $checkpoints" >&2
    exit 0
fi
seq -f 'class %g' 12 > "$SCRATCH/labels"
asked_wrongly 'the network has 12 classes' "$checkpoints/panns_zip.pth" -o "$model"
head -n 11 "$SCRATCH/labels" > "$SCRATCH/short"
imported 1 "$checkpoints/panns_zip.pth" --labels "$SCRATCH/short" -o "$model"
said 'short: has 11 labels, expected 12, one for each class of the network'
for file in panns_legacy panns_zip vipann_flipout; do
    imported 0 "$checkpoints/$file.pth" --labels "$SCRATCH/labels" -o "$model"
    quiet
    grep -q '^front-end  *panns16k, recognised' "$SCRATCH/out" || fail "$file: $(cat "$SCRATCH/out")"
    heard 12
done
imported 0 "$checkpoints/vipann_head.pth" --trunk "$model" --labels "$SCRATCH/labels" -o "$SCRATCH/head.safetensors"
model=$SCRATCH/head.safetensors
heard 12 --passes 2
asked_wrongly '--dropout is for deterministic networks' "$checkpoints/vipann_flipout.pth" --dropout all --labels "$SCRATCH/labels" -o "$model"
imported 0 "$checkpoints/panns_legacy.pth" --dropout vipann --labels "$SCRATCH/labels" --half -o "$model"
heard 12 --passes 2
for file in hostile_reduce hostile_reduce_zip hostile_bounds truncated truncated_zip; do
    rm -f "$model"
    imported 1 "$checkpoints/$file.pth" --labels "$SCRATCH/labels" -o "$model"
    said "^vipann-train import: $file.pth: "
    [ ! -e "$model" ] || fail "$file: a model was written"
    [ ! -e hostile_was_here ] || fail "$file was run"
done
