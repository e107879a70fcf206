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

# Sections that a page has for the lists of its program.
has_lists() { # PAGE
    local section
    for section in ENVIRONMENT FILES; do
        ! grep -qi "^$section$" "$SCRATCH/out" || grep -qx "\.Sh $section" "$1" || fail "$1 has no $section"
    done
}

check_program() { # NAME
    local commands command page section
    run 0 --help
    commands=$(sed -n '/^Commands$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' "$SCRATCH/out")
    [ -n "$commands" ] || fail "no commands in $1 --help"
    [ "$commands" = "$(sed -n '/^\.Sh COMMANDS/,/^\.Sh/s/^\.It Cm //p' "$pages/$1.1")" ] ||
        fail "$1.1 has other commands than $1 --help: $commands"
    for command in "" $commands; do
        page=$pages/$1${command:+-$command}.1
        [ -e "$page" ] || fail "there is no page of $1 $command"
        # shellcheck disable=SC2086 # no argument for the program itself
        in_help $command > "$SCRATCH/help"
        in_page "$page" > "$SCRATCH/page"
        same "$1 $command" "$SCRATCH/help" "$SCRATCH/page"
        run 0 --help
        has_lists "$page"
        sed -n '/^Environment$/,/^$/s/^  \([A-Z][A-Z_]*\) .*/\1/p' "$SCRATCH/out" > "$SCRATCH/help"
        sed -n 's/^\.It Ev //p' "$page" > "$SCRATCH/page"
        same "environment of $1 $command" "$SCRATCH/help" "$SCRATCH/page"
        for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
            grep -qx "\.Sh $section" "$page" || fail "$page has no $section"
        done
    done
}
for program in $programs; do
    of "$program"
    check_program "$program"
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
