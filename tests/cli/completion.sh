# SPDX-License-Identifier: GPL-3.0-or-later
# What bash completes: commands, options, words, files, folders and models, each where it belongs.
. tests/cli/common

for program in $programs; do
    script=$(realpath "$(dirname "$VIPANN")/manual/$program.bash")
    # shellcheck disable=SC1090 # made by the build
    . "$script" || fail "bash does not read the completion of $program"
    complete -p "$program" > /dev/null || fail "nothing is completed for $program"
done
program=vipann

# completes WORD...: the words after the program, the last one unfinished, into COMPREPLY, which is sorted. As in bash a
# "=" is a word by itself.
completes() {
    local word
    COMP_WORDS=("$program") COMPREPLY=(untouched)
    for word; do
        if [[ $word == --*=* ]]; then
            COMP_WORDS+=("${word%%=*}" "=")
            [ -z "${word#*=}" ] || COMP_WORDS+=("${word#*=}")
        else
            COMP_WORDS+=("$word")
        fi
    done
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=${COMP_WORDS[*]} COMP_POINT=${#COMP_LINE}
    "_${program//-/_}" "$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" ||
        fail "$program $*: the completion ends with status $?"
    [ ${#COMPREPLY[@]} = 0 ] || mapfile -t COMPREPLY < <(printf '%s\n' "${COMPREPLY[@]}" | sort -u)
}

# expect ANSWER...: to the words before, in the order of sort.
expect() {
    [ "${COMPREPLY[*]-}" = "$*" ] || fail "${COMP_WORDS[*]}: expected \"$*\", found \"${COMPREPLY[*]-}\""
}

# Every command, its options, and the words of each, as the help has them.
check_program() {
    local commands command options option choice words
    run 0 --help
    mapfile -t commands < <(sed -n '/^Commands$/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' "$SCRATCH/out" | sort)
    completes ""
    expect "${commands[@]}"
    completes --
    expect --help --version
    checked=0
    for command in "${commands[@]}"; do
        run 0 "$command" --help
        mapfile -t options < <(grep -oE '^  (-o, )?--[a-z-]+' "$SCRATCH/out" | grep -o -- '--.*' | sort -u)
        completes "$command" -
        expect "${options[@]}"
        completes "$command" --help --
        expect "${options[@]}"
        while read -r option choice; do
            mapfile -t words < <(tr '|' '\n' <<< "$choice" | grep -xE '[a-z0-9]+' | sort)
            checked=$((checked + ${#words[@]}))
            case $choice in
            *FILE* | *DIR* | *MODEL* | *MANIFEST* | *CACHE* | *RUN*) continue ;; # below
            esac
            completes "$command" "$option" ""
            expect "${words[@]}"
            completes "$command" "$option="
            expect "${words[@]}"
        done < <(sed -nE 's/^  (--[a-z0-9-]+) ([^ ]+).*/\1 \2/p' "$SCRATCH/out" | grep -E '[A-Z|]')
    done
    [ "$checked" -ge 5 ] || fail "only $checked words of choices of $program were found in the help"
}
for program in $programs; do
    of "$program"
    check_program
done
program=vipann
of vipann
completes file --format j
expect jsonl
completes file --format=j
expect jsonl
COMP_WORDS=(vipann file --format=j) COMP_CWORD=2 # where "=" does not break words
_vipann
expect --format=jsonl
completes nonsense ""
expect

# Files, folders and models.
mkdir "$SCRATCH/sounds" "$SCRATCH/here" "$SCRATCH/models"
cd "$SCRATCH/here" || exit 1
touch 'a b.wav' -- --a.wav c.flac mine.safetensors
mkdir album
completes file ""
expect '--a.wav' 'a b.wav' album c.flac mine.safetensors
completes file c.flac --clip a
expect 'a b.wav' album
completes file --format csv c
expect c.flac
completes file -- --
expect --a.wav
completes file --output c
expect c.flac
completes file --output -- ""
expect '--a.wav' 'a b.wav' album c.flac mine.safetensors
unset VIPANN_MODEL_PATH
installed=$(sed -n "s/^    local installed='\(.*\)'/\1/p" "$script")
for where in "file --model" info; do
    unset VIPANN_MODEL_PATH
    # shellcheck disable=SC2086 # two words
    completes $where m
    expect mine.safetensors
    touch "$SCRATCH/models/my-model.safetensors" "$SCRATCH/models/my notes.txt" "$SCRATCH/models/\$(touch owned).safetensors"
    VIPANN_MODEL_PATH="$SCRATCH/nowhere::$SCRATCH/models"
    # shellcheck disable=SC2086
    completes $where m
    expect mine.safetensors my-model
    # shellcheck disable=SC2086
    completes $where '$'
    expect '$(touch owned)'
    # shellcheck disable=SC2086
    completes $where ""
    [ ! -e owned ] || fail "the completion runs what the name of a model says"
    [ -d "$installed/models" ] || expect '$(touch owned)' album mine.safetensors my-model
done
completes file --model=my
expect my-model

# Presets: names of the user's and of those installed, and files.
export XDG_CONFIG_HOME="$SCRATCH/settings"
mkdir -p "$XDG_CONFIG_HOME/vipann/presets"
touch "$XDG_CONFIG_HOME/vipann/presets/mine-own.conf" "$XDG_CONFIG_HOME/vipann/presets/mine.txt"
completes file --preset mine
expect mine-own mine.safetensors
completes file --preset=mine-
expect mine-own
COMP_WORDS=(vipann file --preset=mine-) COMP_CWORD=2
_vipann
expect --preset=mine-own
(
    unset XDG_CONFIG_HOME
    HOME=$SCRATCH/home
    mkdir -p "$HOME/.config/vipann/presets"
    touch "$HOME/.config/vipann/presets/at-home.conf"
    completes file --preset at
    expect at-home
    unset HOME
    completes file --preset at
    expect
) || exit 1

# The shell's own settings do not matter.
completes file --forma
expect --format
(
    set -u
    IFS=x
    completes file --latency ""
    IFS=$' \t\n'
    expect centred edge
) || exit 1
