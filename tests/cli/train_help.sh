# SPDX-License-Identifier: GPL-3.0-or-later
# The trainer and each of its commands explain themselves, with an example, on stdout.
. tests/cli/common
. tests/cli/trainer

all=$(commands)
[ "$(wc -w <<< "$all")" -ge 5 ] || fail "commands are missing: $all"
for level in "" $all; do
    # shellcheck disable=SC2086 # the empty level is no argument
    run 0 $level --help
    quiet
    grep -q "^Usage: vipann-train${level:+ $level} " "$SCRATCH/out" || fail "vipann-train $level --help: no usage line"
    grep -q '^Examples' "$SCRATCH/out" || fail "vipann-train $level --help: no example"
    awk 'length($0) > 80 && !/^  vipann-train / { exit 1 }' "$SCRATCH/out" || fail "vipann-train $level --help: wider than 80 columns"
    grep -q '^  --help' "$SCRATCH/out" || fail "vipann-train $level --help: nothing on --help"
done
run 0 --version
quiet
grep -qE '^vipann-train [0-9]+\.[0-9]+\.[0-9]+ \(kernels: ' "$SCRATCH/out" || fail "no version: $(cat "$SCRATCH/out")"

# What examples of one command say is understood by it: words that begin with -- are its options.
for level in $all; do
    run 0 "$level" --help
    sed -n "s/^  vipann-train $level //p" "$SCRATCH/out" | grep -oE -- '--[a-z-]+' | sort -u > "$SCRATCH/used"
    while read -r option; do
        grep -qE -- "^  (-o, )?$option( |$)" "$SCRATCH/out" || fail "vipann-train $level has an example with $option, which it does not explain"
    done < "$SCRATCH/used"
done
