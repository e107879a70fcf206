# SPDX-License-Identifier: GPL-3.0-or-later
# What the trainer is asked wrongly ends with status 2, one line on stderr and nothing on stdout, before any work is done.
. tests/cli/common
. tests/cli/trainer

wrong() { # expected line, argument...
    local pattern=$1
    shift
    run 2 "$@"
    said "^vipann-train.*: .*$pattern"
    lines 0
}

wrong 'no command; expected one, such as "vipann-train features'
wrong 'unknown command "pretrian"; did you mean "pretrain"?' pretrian
wrong 'unknown command "zzzzzz"; "vipann-train --help" lists all' zzzzzz
wrong 'unknown option "--verison"; did you mean "--version"?' --verison
wrong 'unknown option "--zzzzzz"; "vipann-train --help" lists all' --zzzzzz
for command in $(commands); do
    [ "$command" = bench ] || wrong 'nothing to \(work on\|import\); expected ' "$command" # bench needs nothing to work on
    wrong 'unknown option --zzzz; "vipann-train '"$command"' --help" lists all' "$command" --zzzz x
    wrong 'unknown option -z; ' "$command" -z x
done

wrong -- '--output says where the cache goes' features x.csv
wrong 'expected panns16k or panns32k' features x.csv --frontend panns8k -o "$SCRATCH/x"
wrong -- '--output needs a value; expected --output FILE' features x.csv -o
if has_command pretrain; then
    wrong 'did you mean --epochs' pretrain x.cache --epocs 3 -o "$SCRATCH/run"
    wrong 'expected a whole number of 1 to 4096' pretrain x.cache --batch 0 -o "$SCRATCH/run"
    wrong 'expected a number of 0 to 1' pretrain x.cache --mixup 1.5 -o "$SCRATCH/run"
    wrong 'expected a number of 0 to 10' pretrain x.cache --rate fast -o "$SCRATCH/run"
    wrong 'expected resnet22, resnet38 or resnet54' pretrain x.cache --arch vgg -o "$SCRATCH/run"
    wrong 'expected same or causal' pretrain x.cache --padding valid -o "$SCRATCH/run"
    wrong '"y.cache" is one argument too many' pretrain x.cache y.cache -o "$SCRATCH/run"
    wrong 'needs a value before --batch; expected --width W' pretrain x.cache --width --batch 3 -o "$SCRATCH/run"
fi
if has_command eval; then
    wrong 'nothing to work on; expected vipann-train eval MODEL CACHE' eval model.safetensors
    wrong 'expected a whole number of 0 to 64' eval model.safetensors x.cache --passes 65
    wrong 'did you mean --compare' eval model.safetensors x.cache --comprae other
fi
wrong 'expected resnet22' import --random vgg -o "$SCRATCH/x"
wrong 'one argument too many' import a.pth b.pth -o "$SCRATCH/x"
wrong -- '--output needs a value; expected --output FILE' report x --output
wrong '"i" is one argument too many' report a b c d e f g h i
for made in x run; do
    [ ! -e "$SCRATCH/$made" ] || fail "something was written"
done
