# SPDX-License-Identifier: GPL-3.0-or-later
# A model is found by path, with or without its ending, and by name in the folders of VIPANN_MODEL_PATH.
. tests/cli/common

mkdir "$SCRATCH/models"
cp "$TINY" "$SCRATCH/models/found.safetensors"
for name in "$SCRATCH/models/found.safetensors" "$SCRATCH/models/found"; do
    run 0 info --quick "$name"
    grep -q '^model  *found$' "$SCRATCH/out" || fail "$name: $(cat "$SCRATCH/out")"
done
run 1 info --quick found
for name in found found.safetensors; do
    export VIPANN_MODEL_PATH="$SCRATCH/nowhere::$SCRATCH/models"
    run 0 info --quick "$name"
    grep -q '^model  *found$' "$SCRATCH/out" || fail "$name: $(cat "$SCRATCH/out")"
done
