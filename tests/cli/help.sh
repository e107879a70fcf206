# SPDX-License-Identifier: GPL-3.0-or-later
# Each level explains itself, with an example, on stdout.
. tests/cli/common

for program in $programs; do
    of "$program"
    run 0 --help
    for level in "" $(sed -n '/^Commands$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' "$SCRATCH/out"); do
        # shellcheck disable=SC2086 # the empty level is no argument
        run 0 $level --help
        quiet
        grep -q "^Usage: $program" "$SCRATCH/out" || fail "$program $level --help: no usage line"
        grep -q "^Examples" "$SCRATCH/out" || fail "$program $level --help: no example"
        awk 'length($0) > 80 { exit 1 }' "$SCRATCH/out" || fail "$program $level --help: wider than 80 columns"
    done
    run 0 --version
    grep -qE "^$program [0-9]+\.[0-9]+\.[0-9]+ " "$SCRATCH/out" || fail "no version of $program"
done
of vipann
for option in start duration channel recursive shard model passes members seed hop window horizon latency rules threshold only \
    ignore explain events summary clip format top output output-dir resume threads; do
    run 0 file --help
    grep -q -- "--$option\( \|$\)" "$SCRATCH/out" || fail "vipann file --help: nothing on --$option"
done
