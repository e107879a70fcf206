# SPDX-License-Identifier: GPL-3.0-or-later
# The header serves every C++ from 2011 on without a warning, and a C++ program links and runs.
. tests/cli/common
. tests/cli/staged

cxx=${CXX:-c++}
if ! command -v "$cxx" > /dev/null; then
    echo "no C++ compiler" >&2
    exit 77
fi
stage
for standard in c++11 c++14 c++17 c++20; do
    # shellcheck disable=SC2046 # a list of flags
    echo '#include <vipann/vipann.h>' |
        "$cxx" -std=$standard -Wall -Wextra -Wpedantic -Werror $(ask --cflags) -fsyntax-only -x c++ - 2> "$SCRATCH/err" ||
        fail "the header as $standard: $(cat "$SCRATCH/err")"
done
# shellcheck disable=SC2046,SC2086 # lists of flags
"$cxx" ${CFLAGS:-} -std=c++11 -Wall -Wextra -Wpedantic -Werror tests/library/embed.cpp -o "$SCRATCH/embed" \
    $(ask --cflags --libs) 2> "$SCRATCH/err" || fail "embed.cpp does not compile: $(cat "$SCRATCH/err")"
LD_LIBRARY_PATH=$prefix/lib "$SCRATCH/embed" "$TINY" > "$SCRATCH/out" 2> "$SCRATCH/err" || fail "$(cat "$SCRATCH/err")"
quiet
grep -qE '^[0-9]+ classes, [0-9]+\.[0-9]+\.[0-9]+$' "$SCRATCH/out" || fail "it says: $(cat "$SCRATCH/out")"
