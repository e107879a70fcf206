# SPDX-License-Identifier: GPL-3.0-or-later
# What is asked wrongly ends with status 2, one line on stderr and nothing on stdout, before any work is done.
. tests/cli/common

wrong() { # expected line, argument...
    local pattern=$1
    shift
    run 2 "$@"
    said "$pattern"
    lines 0
}

wrong 'no command'
wrong 'unknown command "flie"; did you mean "file"?' flie
wrong 'unknown option "--verison"; did you mean "--version"?' --verison
wrong 'nothing to work on' file
wrong 'did you mean --passes' file --pases 3 x.wav
wrong 'expected a whole number of 0 to 64' file --passes 65 x.wav
wrong 'expected a whole number of 0 to 64' file --passes eight x.wav
wrong 'expected a number' file --hop 0 x.wav
wrong 'expected a number' file --window nan x.wav
wrong 'expected a number' file --start -1 x.wav
wrong 'expected a number' file --duration 0 x.wav
wrong 'expected a number of 0 to 3600' file --horizon 1e9 x.wav
wrong 'expected centred or edge' file --latency late x.wav
wrong 'expected text, jsonl, csv, labels or raven' file --format xml x.wav
wrong 'expected a whole number of 1 to 4096 or all' file --top 0 x.wav
wrong 'expected a whole number of 1 to 64' file --channel 0 x.wav
wrong 'expected a whole number of 1 to 64' file --threads 0 x.wav
wrong 'needs a value' file x.wav --output
wrong 'takes no value' file --clip=1 x.wav
wrong 'one argument too many' info a b
for option in --threshold=0.3 --only=Dog --ignore=Dog; do # or they would be of no effect, and nobody would know
    wrong 'are about events; give --events or --summary too' file $option x.wav
    wrong 'are about events; give --events or --summary too' file $option --clip x.wav
done

# A recording is never lost to a slip of the pen.
wav 16000 1 8000 > "$SCRATCH/a.wav"
cp "$SCRATCH/a.wav" "$SCRATCH/copy"
run 2 file --model "$TINY" --output "$SCRATCH/./a.wav" "$SCRATCH/a.wav"
said 'would replace a recording'
cmp "$SCRATCH/a.wav" "$SCRATCH/copy" || fail "the recording was replaced"
