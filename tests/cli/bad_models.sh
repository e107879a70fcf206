# SPDX-License-Identifier: GPL-3.0-or-later
# A model that cannot be used ends with status 1 and one line that names it.
. tests/cli/common

wav 16000 1 8000 > "$SCRATCH/a.wav"
bad() { # expected line, model
    run 1 file --model "$2" "$SCRATCH/a.wav"
    said "$1"
    lines 0
    run 1 info --quick "$2"
    said "$1"
    lines 0
}

bad 'model no-such-model: not found' no-such-model
bad 'missing.safetensors' "$SCRATCH/missing.safetensors"
: > "$SCRATCH/empty.safetensors"
bad 'empty.safetensors' "$SCRATCH/empty.safetensors"
bad 'a.wav' "$SCRATCH/a.wav"
head -c 5000 "$TINY" > "$SCRATCH/cut.safetensors"
bad 'cut.safetensors' "$SCRATCH/cut.safetensors"
bad '' "$SCRATCH"
