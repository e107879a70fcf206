#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The display in a terminal, and what a user sees of it: tests/ui/term.sh BUILD [PATTERN]
# Each case has a terminal of its own, in which a shell runs term_player. PATTERN (an extended regular expression) picks
# cases by name. With SHOTS, a folder, what screens look like is kept there.
# shellcheck disable=SC2317 # functions that others are given
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
pattern=${2:-.}
scratch=$(mktemp -d)
passed=0 failed=0 skipped=0 cases=0
export LC_ALL=C.UTF-8
unset NO_COLOR TMUX COLUMNS LINES
player=$build/tests/term_player
LIMIT=${LIMIT:-20} # seconds, of any one thing

if ! command -v tmux > /dev/null; then
    echo 'skip: no tmux here (Debian: tmux)'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi

screen() { # ARGUMENT...: tmux, with a server of our own
    tmux -S "$scratch/tmux.$cases" -f /dev/null "$@" 2>> "$scratch/why.tmux"
}

close_terminal() {
    screen kill-server
    return 0
}
trap 'close_terminal; rm -rf "$scratch"' EXIT

# until_true COMMAND...: waits until it succeeds, up to LIMIT.
until_true() {
    local end=$((SECONDS + LIMIT))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

fail() {
    echo "$*" >> "$scratch/why"
    return 1
}

shown() { # [ARGUMENT...]: what is on the screen
    screen capture-pane -p "$@"
}

has() { # TEXT, an extended regular expression of one line
    shown | grep -qE -- "$1"
}

wants() {
    until_true has "$1" || fail "the screen does not show \"$1\":
$(shown)"
}

# open_terminal COLUMNS ROWS: in which a shell waits.
open_terminal() {
    screen new-session -d -x "$1" -y "$2" "PS1='ready> ' exec bash --norc --noprofile"
    wants '^ready>'
}

type_line() {
    screen send-keys -l "$1"
    screen send-keys Enter
}

key() { # NAME as tmux knows it
    screen send-keys "$1"
}

# play SCENE [SECONDS [INPUTS [SETTING...]]]: in the terminal that is open.
play() {
    local scene=$1 seconds=${2:-60} inputs=${3:-}
    shift $(($# < 3 ? $# : 3))
    rm -f "$scratch/orders"
    type_line "env $* $player $scratch $scene $seconds $inputs; echo status \$?"
}

# begin COLUMNS ROWS SCENE...: opens a terminal, plays, and waits for the display.
begin() {
    open_terminal "$1" "$2" && shift 2 && play "$@" && wants 'vipann live'
}

quits() {
    key q
    wants '^status 0'
}

has_order() {
    grep -qx -- "$1" "$scratch/orders"
}

orders() { # KEY ORDER
    key "$1"
    until_true has_order "$2" || fail "$1 does not order $2: $(cat "$scratch/orders")"
}

is_case() { # NAME FUNCTION
    [[ $1 =~ $pattern ]] || return 0
    cases=$((cases + 1)) # each has a server of its own, since one that ends may keep its name for a while
    : > "$scratch/why"
    : > "$scratch/why.tmux"
    if "$2" && [ ! -s "$scratch/why" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        cat "$scratch/why" <(head -n 5 "$scratch/why.tmux") | sed 's/^/    /' | cut -c 1-300 | head -n 80
    fi
    close_terminal
}

# ------------------------------------------------------------------------------------------------------------ what is seen

all_parts() {
    begin 80 24 calm || return
    wants '^ vipann live: microphone .* made-up  [0-9]{2}:[0-9]{2}:[0-9]{2}$'
    wants '^level +-[0-9]+\.[0-9] ▆+·+ dBFS$'
    wants '^0\.[0-9]{2}±0\.03     ▆+.*  Speech$'
    wants '^0\.[0-9]{2}±0\.18     ▆+▃+▁+·+  Music$'
    wants '^open     [0-9]\.[0-9]{2} .*[▁▂▃▄▅▆▇█]{20}'
    wants '^unsure   [0-9]\.[0-9]{2} .*[▁▂▃▄▅▆▇█]{20}'
    wants '^ UNKNOWN      like nothing that the model was taught'
    wants '^\? new  ! lost .*!.*\?\?\?\?\?'
    wants '^ +-21 s +now$'
    wants '^[0-9:]{8}\.[0-9] +… +0\.[0-9]{2}   [A-Z]'
    wants '^[0-9:]{8}\.[0-9] +[0-9.]+ s +0\.[0-9]{2} \? [A-Z]'
    wants '^[0-9:]{8} made-up: a microphone is there again$'
    wants '^passes 8   hop 0\.32 s   load 12 %   gaps [0-9.]+ s   threshold rules   late hops 2$'
    wants '^h help  q quit  space freeze'
    wants '^silence$'
    quits
}

# The place of each part, and that no line of another has run into it.
is_laid_out() { # COLUMNS ROWS LAST_LINE
    local lines
    mapfile -t lines < <(shown)
    [ ${#lines[@]} -le "$2" ] && [[ ${lines[0]} == ' vipann live'* ]] && [[ ${lines[1]} == level* ]] &&
        [[ ${lines[$(($2 - 1))]:-} =~ ^$3 ]] && [ "$(shown | grep -c 'vipann live')" = 1 ] &&
        [ "$(shown | grep -c '^level')" = 1 ] && [ "$(shown | grep -cE '^(unsure|open)')" = 2 ]
}

other_sizes() {
    local size
    begin 80 24 hostile || return
    for size in '120 40 h.help' '60 15 passes' '20 5 unsure' '40 10 passes' '400 100 h.help' '80 24 h.help'; do
        # shellcheck disable=SC2086 # three words
        set -- $size
        screen resize-window -x "$1" -y "$2"
        until_true is_laid_out "$1" "$2" "$3" || fail "$1 x $2 is not laid out:
$(shown)"
        [ -z "${SHOTS:-}" ] || shown -eN > "$SHOTS/$1x$2"
    done
    screen resize-window -x 19 -y 4
    wants '^too small$'
    screen resize-window -x 3 -y 1
    sleep 0.3
    screen resize-window -x 80 -y 24
    until_true is_laid_out 80 24 h.help || fail "80 x 24 has not come back:
$(shown)"
    quits
}

two_inputs() {
    begin 80 24 calm 60 two || return
    wants 'microphone \(1 of 2\)' && wants 'Tab input' && key Tab && wants 'line in \(2 of 2\)' && key Tab &&
        wants 'microphone \(1 of 2\)' && quits
}

# --------------------------------------------------------------------------------------------------------------- keys

each_key() {
    begin 80 24 calm || return
    orders + 'passes 1'
    orders - 'passes -1'
    orders ']' 'threshold 1'
    orders '[' 'threshold -1'
    orders '>' 'hop 1'
    orders '<' 'hop -1'
    orders r 'reload 0'
    [ "$(wc -l < "$scratch/orders")" = 7 ] || fail "more than seven orders: $(cat "$scratch/orders")"
    quits && has_order 'quit 0'
}

# What arrows and the like send holds brackets, which are keys of ours.
sequences() {
    begin 80 24 calm || return
    local name
    for name in Up Down Left Right PageUp F5 F12 Home Delete C-s C-q C-Up M-x; do
        key $name
    done
    sleep 0.3
    orders r 'reload 0'
    key Escape
    sleep 0.3
    orders '[' 'threshold -1'
    [ "$(wc -l < "$scratch/orders")" = 2 ] || fail "more than two orders: $(cat "$scratch/orders")"
    quits
}

not_adjustable() {
    begin 80 24 fixed || return
    key +
    key ']'
    key '<'
    key r
    ! has '\+ - passes' && ! has 'r reload' || fail 'keys are shown that have no effect'
    quits || return
    ! grep -vE '^(quit|cpu)' "$scratch/orders" >> "$scratch/why" || fail 'keys order what cannot be done'
}

# `vipann file --display`: all of a recording, in its own time, until a key ends it.
a_recording() {
    "$build/tests/make_tiny_model" "$scratch/tiny.safetensors" || fail 'no model'
    open_terminal 80 24
    type_line "'$build/vipann' file --model '$scratch/tiny.safetensors' --threshold 0.55 --display /usr/share/sounds/alsa/Front_Center.wav; echo \"status \$?\""
    wants 'all of it has been heard; q ends' && wants 'class [0-3]' && wants '^ vipann file: .*Front_Center.wav' && wants '^00:00:0' || return
    quits
}

freeze() {
    begin 80 24 calm || return
    key Space
    wants FROZEN || return
    shown > "$scratch/one"
    sleep 1.5
    shown > "$scratch/two"
    diff "$scratch/one" "$scratch/two" >> "$scratch/why" || fail 'what is frozen moves'
    key Space
    moves() { ! shown | diff -q - "$scratch/one" > /dev/null && ! has FROZEN; }
    until_true moves || fail 'it does not go on'
    quits
}

help_page() {
    begin 80 24 calm || return
    key h
    wants '│ q +ends the program +│' && wants 'unsure +what the model has not learnt' || return
    key x
    is_closed() { ! has 'ends the program'; }
    until_true is_closed || fail 'the page stays'
    key '?'
    wants '│ q +ends the program +│' && quits
}

# ------------------------------------------------------------------------------------------------------ kinds of terminals

without_colour() { # SETTING
    begin 80 24 calm 60 '' "$1" || return
    wants ' UNKNOWN ' || return
    ! shown -e | grep -qE $'\e\[([0-9;]*;)?[349][0-7](;[0-9]*)*m' || fail "colours: $(shown -e | cat -v | head -n 5)"
    shown -e | grep -qE $'\e\[([0-9;]*;)?7m' || fail 'nothing is turned'
    quits
}

vt100() { without_colour TERM=vt100; }
no_color() { without_colour NO_COLOR=1; }

with_colour() {
    begin 80 24 calm || return
    local colour
    for colour in 36 33 31; do
        has_colour() { shown -e | grep -qE $'\e\['"([0-9;]*;)?$colour(;[0-9]*)*m"; }
        until_true has_colour || fail "no colour $colour"
    done
    quits
}

plain_ascii() {
    begin 80 24 hostile 60 two LC_ALL=C || return
    wants '^0\.[0-9]{2}\+-0\.03    #+\+*-*\.+  Speech$' && wants ' UNKNOWN ' && wants '^[0-9:.]+ +\.\.\. +0' || return
    key h
    wants '\| q +ends the program' || return
    ! shown | LC_ALL=C grep -n '[^ -~]' >> "$scratch/why" || fail 'not ASCII'
    quits
}

# A locale that the system does not have is UTF-8 all the same, if it says so.
missing_locale() {
    begin 80 24 calm 60 '' LC_ALL=xx_YY.UTF-8 && wants '▆▆▆' && quits
}

dumb() {
    open_terminal 80 24 && play calm 60 '' TERM=dumb && wants '^status 3' || return
    has_order cannot || fail 'no word of it'
}

# Of one that it does not know, curses does not free what it had begun.
not_known() {
    open_terminal 80 24 && play calm 60 '' TERM=nonsense ASAN_OPTIONS=detect_leaks=0 && wants '^status 4' || return
    grep -q '^refused TERM: found "nonsense"; expected' "$scratch/orders" || fail "$(cat "$scratch/orders")"
}

no_terminal() {
    "$player" "$scratch" calm 5 < /dev/null > "$scratch/out"
    [ $? = 3 ] && has_order cannot && [ ! -s "$scratch/out" ] || fail 'a display on what is no terminal'
}

# ---------------------------------------------------------------------------------------------- the terminal, given back

is_given_back() {
    wants '^before$' && wants '^status 0' && wants '^ready>' || return # the screen is as it was
    type_line "stty -a > $scratch/after; echo do''ne"
    wants '^done$' || return
    diff "$scratch/stty" "$scratch/after" >> "$scratch/why" || fail 'the terminal has another mode'
    [ "$(screen display-message -p '#{cursor_flag}')" = 1 ] || fail 'no cursor'
}

begin_and_keep() {
    open_terminal 80 24 || return
    type_line "stty -a > $scratch/stty; echo be''fore"
    wants '^before$' && play calm && wants 'vipann live'
}

after_quit() {
    begin_and_keep && key q && is_given_back
}

after_a_signal() {
    begin_and_keep && kill -TERM "$(pgrep -f "^$player $scratch")" && is_given_back
}

# Ctrl-Z gives the terminal to the shell, fg takes it again.
stop_and_go_on() {
    begin_and_keep && key C-z && wants 'Stopped' && wants '^ready>' || return
    type_line fg
    wants 'vipann live' && wants '^level +-[0-9]+\.[0-9] ▆+' && key q || return
    is_over() { ! has 'vipann live' && shown | grep -v '^$' | tail -n 1 | grep -q '^ready>'; }
    until_true is_over || fail "no shell: $(shown)"
}

# The window has been closed: the program is told to end.
gone() {
    begin 80 24 calm || return
    screen kill-server
    until_true has_order 'quit 0' || fail 'it runs on'
}

# ------------------------------------------------------------------------------------------------------- hostile labels

no_commands() {
    open_terminal 120 40 || return
    screen pipe-pane "cat > $scratch/raw"
    local title
    title=$(screen display-message -p '#{pane_title}')
    play hostile 60 two
    wants '\?]0;evil\? title' && wants 'two\?lines\?\?and \?\[2J\?\[31mred' && wants '\$\(reboot\) `reboot`; reboot' &&
        wants '\?turned \?round\? \?\?' && wants '鼓を打つ drums' && wants ' flood' && wants 'C1 \?31m \?q\?end' &&
        wants 'mi\?\[31mke \? \(1 of 2\)' && wants 'notice \?]0;evil\?\?\?that lies' || return
    quits
    screen pipe-pane
    [ "$(screen display-message -p '#{pane_title}')" = "$title" ] || fail 'the title of the window has changed'
    [ -s "$scratch/raw" ] || fail 'nothing was written'
    LC_ALL=C grep -aqP '\x1b\]|\x1bP|\x07|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xd8\x9c|\xef\xb8\x8f|\xff' \
        "$scratch/raw" && fail 'a label reaches the terminal as it is'
    LC_ALL=C grep -aqP '(\xcc[\x80-\xbf]){3}' "$scratch/raw" && fail 'a flood of marks'
    return 0
}

# ------------------------------------------------------------------------------------------------------------- its cost

cheap() {
    begin 80 24 calm 10 || return
    wants '^status 0' || return
    echo "# 80 x 24, ten results a second: $(tail -n 1 "$scratch/orders")"
    if nm -D --undefined-only "$player" | grep -q '__[at]san_init'; then
        return 0 # a sanitizer's own cost
    fi
    awk '/^cpu/ { found = 1; exit !($2 <= 2) } END { if (!found) { exit 1 } }' "$scratch/orders" ||
        fail "more than 2 % of a core: $(tail -n 1 "$scratch/orders")"
}

is_case 'all that is heard' all_parts
is_case 'other sizes' other_sizes
is_case 'two inputs' two_inputs
is_case 'each key gives its order' each_key
is_case 'keys that send sequences order nothing' sequences
is_case 'an engine that cannot be changed' not_adjustable
[ ! -e /usr/share/sounds/alsa/Front_Center.wav ] || is_case 'a recording' a_recording
is_case 'freeze stands still' freeze
is_case 'help' help_page
is_case 'colours' with_colour
is_case 'no colours: TERM=vt100' vt100
is_case 'no colours: NO_COLOR' no_color
is_case 'ASCII only' plain_ascii
is_case 'a locale that is missing' missing_locale
is_case 'TERM=dumb' dumb
is_case 'a terminal that nobody knows' not_known
is_case 'no terminal' no_terminal
is_case 'the terminal is given back' after_quit
is_case 'the terminal is given back after SIGTERM' after_a_signal
is_case 'stopped and gone on' stop_and_go_on
is_case 'the terminal has gone' gone
is_case 'no label commands the terminal' no_commands
is_case 'it costs little' cheap

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
