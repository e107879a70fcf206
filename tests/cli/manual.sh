# SPDX-License-Identifier: GPL-3.0-or-later
# The man pages say what --help says, of the same commands and options, and no reader of man pages objects to them.
. tests/cli/common

pages=$(dirname "$VIPANN")/manual

# The options of a help, and those that a page explains.
in_help() {
    run 0 "$@" --help
    grep -oE '^  (-o, )?--[a-z-]+' "$SCRATCH/out" | grep -o -- '--.*' | sort
}
in_page() {
    sed -n 's/^\.It \(Fl o , \)\{0,1\}Fl -\([a-z-]*\).*/--\2/p' "$1" | sort
}
same() { # WHAT FILE FILE
    diff "$2" "$3" > "$SCRATCH/err" || fail "$1: < help, > page: $(cat "$SCRATCH/err")"
}

run 0 --help
commands=$(sed -n '/^Commands$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' "$SCRATCH/out")
[ -n "$commands" ] || fail "no commands in vipann --help"
[ "$commands" = "$(sed -n '/^\.Sh COMMANDS/,/^\.Sh/s/^\.It Cm //p' "$pages/vipann.1")" ] ||
    fail "vipann.1 has other commands than vipann --help: $commands"
for command in "" $commands; do
    page=$pages/vipann${command:+-$command}.1
    [ -e "$page" ] || fail "there is no page of vipann $command"
    # shellcheck disable=SC2086 # no argument for the program itself
    in_help $command > "$SCRATCH/help"
    in_page "$page" > "$SCRATCH/page"
    same "vipann $command" "$SCRATCH/help" "$SCRATCH/page"
    run 0 --help
    sed -n '/^Environment$/,/^$/s/^  \([A-Z_]*\) .*/\1/p' "$SCRATCH/out" > "$SCRATCH/help"
    sed -n 's/^\.It Ev //p' "$page" > "$SCRATCH/page"
    same "environment of vipann $command" "$SCRATCH/help" "$SCRATCH/page"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
        grep -qx "\.Sh $section" "$page" || fail "$page has no $section"
    done
done

# Pages that are named are there.
sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1.\2/p' "$pages"/*.[0-9] | sort -u | while read -r name; do
    [ -e "$pages/$name" ] || fail "there is no page $name"
done || exit 1

for page in "$pages"/*.[0-9]; do
    ! grep -n '@[A-Z]*@' "$page" > "$SCRATCH/err" || fail "$page: $(cat "$SCRATCH/err")"
    if command -v mandoc > /dev/null; then
        mandoc -T lint -W warning "$page" > "$SCRATCH/err" 2>&1 || fail "$(cat "$SCRATCH/err")"
    fi
    if command -v man > /dev/null && command -v groff > /dev/null; then
        man --warnings -l "$page" 2>&1 > /dev/null | cat > "$SCRATCH/err"
        [ ! -s "$SCRATCH/err" ] || fail "$page: $(cat "$SCRATCH/err")"
    fi
done
