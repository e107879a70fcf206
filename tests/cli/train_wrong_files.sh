# SPDX-License-Identifier: GPL-3.0-or-later
# A file that is missing or is something else ends the trainer with status 1 and one line that says which file, what is
# wrong with it and what to do; nothing is written.
. tests/cli/common
. tests/cli/trainer

bad() { # expected line, argument...
    local pattern=$1
    shift
    run 1 "$@"
    said "^vipann-train $1: $pattern"
    lines 0
    [ ! -e "$SCRATCH/made" ] || fail "vipann-train $*: something was written"
}

wav 16000 1 8000 > "$SCRATCH/a.wav"
: > "$SCRATCH/empty"
head -c 3000 "$SCRATCH/a.wav" > "$SCRATCH/noise"
mkdir "$SCRATCH/folder"

# Manifests.
manifest() { # lines...
    printf '%s\n' "$@" > "$SCRATCH/m.csv"
}
bad '.*/nowhere: No such file or directory' features "$SCRATCH/nowhere" -o "$SCRATCH/made"
bad '.*/folder: is not a file' features "$SCRATCH/folder" -o "$SCRATCH/made"
bad '.*/noise: .*expected a table in CSV' features "$SCRATCH/noise" -o "$SCRATCH/made"
manifest path,labels,fold,group a.wav,dog,1,a b.wav,dog,1,b
bad '.*/m.csv:3: .*/b.wav: No such file or directory' features "$SCRATCH/m.csv" -o "$SCRATCH/made"
manifest path,labels,fold,group a.wav,dog,1,a a.wav,dog,1,a
bad '.*/m.csv:3: ' features "$SCRATCH/m.csv" -o "$SCRATCH/made"
manifest path,labels,fold,group a.wav,dog,1,a
bad '.*/nowhere/made: ' features "$SCRATCH/m.csv" -o "$SCRATCH/nowhere/made"

# Caches.
run 0 features "$SCRATCH/m.csv" -o "$SCRATCH/cache"
head -c 2000 "$SCRATCH/cache" > "$SCRATCH/cut"
for command in pretrain eval; do
    has_command $command || continue
    case $command in
    pretrain) before='' behind="-o $SCRATCH/made" ;;
    eval) before=$TINY behind='' ;;
    esac
    # shellcheck disable=SC2086 # words
    {
        bad '.*/nowhere: No such file or directory' $command $before "$SCRATCH/nowhere" $behind
        bad '.*/folder: is not a file' $command $before "$SCRATCH/folder" $behind
        bad '.*/noise: is no cache of frames, .*`vipann-train features` makes it anew' $command $before "$SCRATCH/noise" $behind
        bad '.*/empty: is too short for a cache of frames; `vipann-train features` makes it anew' $command $before "$SCRATCH/empty" $behind
        bad '.*/cut: ' $command $before "$SCRATCH/cut" $behind
    }
done

# Models.
bad '.*/nowhere: cannot be opened: No such file or directory' pretrain "$SCRATCH/cache" --dev none --init "$SCRATCH/nowhere" -o "$SCRATCH/made"
if has_command eval; then
    bad '.*/nowhere: cannot be opened: No such file or directory' eval "$SCRATCH/nowhere" "$SCRATCH/cache"
    bad 'noise: .*this is not a model file' eval "$SCRATCH/noise" "$SCRATCH/cache"
    bad 'empty: .*this is not a model file' eval "$SCRATCH/empty" "$SCRATCH/cache"
fi
bad '.*/nowhere: cannot be opened' import "$SCRATCH/nowhere" -o "$SCRATCH/made"
bad 'noise: begins neither as a zip file nor as PyTorch' import "$SCRATCH/noise" -o "$SCRATCH/made"

# Runs.
bad '.*/nowhere: No such file or directory; expected the folder of a run' report "$SCRATCH/nowhere" -o "$SCRATCH/made"
bad '.*/folder: holds neither config.json, log.jsonl nor eval\*.json; expected the folder of a run' report "$SCRATCH/folder" -o "$SCRATCH/made"
bad '.*/noise:1: not valid JSON: ' report "$SCRATCH/noise" -o "$SCRATCH/made"
printf '{"step":1}\n{"step":\n{"step":3}\n' > "$SCRATCH/folder/log.jsonl"
bad '.*/folder/log.jsonl:2: not valid JSON: ' report "$SCRATCH/folder" -o "$SCRATCH/made"
echo '{"step":1,"loss":2}' > "$SCRATCH/folder/log.jsonl"
bad '.*/nowhere/made: cannot be written' report "$SCRATCH/folder" -o "$SCRATCH/nowhere/made"
run 0 report "$SCRATCH/folder" -o "$SCRATCH/made"
quiet
