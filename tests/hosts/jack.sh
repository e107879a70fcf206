#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `vipann jack` and real servers of JACK, without sound hardware: tests/hosts/jack.sh BUILD [PATTERN]
# Each case has a server of its own. PATTERN (an extended regular expression) picks cases by name. TINY and TINY_CAUSAL
# are small models.
set -u
cd "$(dirname "$0")/../.." || exit 1

# Servers of one user share a registry in /dev/shm and clean up behind one another, sometimes too well. So we have a
# /dev/shm of our own where the kernel lets us; elsewhere we hope that nobody else runs servers meanwhile.
# shellcheck disable=SC2016 # expanded by the shell that is called
for how in -m -rm; do
    if [ -z "${OWN_SHM:-}" ] && unshare $how mount -t tmpfs none /dev/shm 2> /dev/null; then
        OWN_SHM=1 exec unshare $how bash -c 'mount -t tmpfs none /dev/shm && exec "$0" "$@"' tests/hosts/jack.sh "$@"
    fi
done
build=$(realpath "$1")
pattern=${2:-.}
scratch=$(mktemp -d)
passed=0 failed=0 skipped=0 server_pid= cases=0
pids=() # of clients that run
export LC_ALL=C.UTF-8 JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1
player=$build/tests/jack_player
LIMIT=${LIMIT:-20} # seconds, of any one thing

# Ends what runs still, by number; clients first, since one that leaves a server that ends waits for it.
stop_all() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2> /dev/null; done
    pids=()
    stop_server
}
# A child that is killed before it has become another program would do this, too.
trap '[ $BASHPID != $$ ] || { stop_all; rm -rf "$scratch"; }' EXIT

for tool in jackd jack_lsp jq; do
    if ! command -v $tool > /dev/null; then
        echo "skip: no $tool here (Debian: jackd2, jq)"
        echo '0 passed, 0 failed, 1 skipped'
        exit 0
    fi
done

# until_true COMMAND...: waits until it succeeds, up to LIMIT.
until_true() {
    local end=$((SECONDS + LIMIT))
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# start_server RATE PERIOD: there are at most eight at once, so one that does not come up is tried again. All are of the
# same name within a case. One that does not end when it is asked to is killed by its parent.
start_server() {
    local try
    for try in 1 2 3 4 5 6 7 8; do
        sleep "0.$try"
        timeout -k 5 $((5 * LIMIT)) jackd -n "$JACK_DEFAULT_SERVER" -r -d dummy -r "$1" -p "$2" -C 2 -P 2 \
            > "$scratch/jackd" 2>&1 < /dev/null &
        server_pid=$!
        while kill -0 $server_pid 2> /dev/null; do
            if timeout -k 1 5 jack_lsp > /dev/null 2>&1; then
                return 0
            fi
            sleep 0.05
        done
        stop_server
    done
    fail "no server: $(tail -n 1 "$scratch/jackd")"
}

# child PID: what runs below a `timeout`.
child() {
    ps -o pid= --ppid "$1" | tr -d ' '
}

stop_server() { # [SIGNAL], to the server itself
    local pid=$server_pid
    server_pid=
    [ -n "$pid" ] || return 0
    if [ $# = 0 ]; then kill "$pid" 2> /dev/null; else kill "-$1" "$(child "$pid")"; fi
    wait "$pid" 2> /dev/null
    return 0
}

fail() {
    echo "$*" >> "$scratch/why"
    return 1
}

# hear ARGUMENT...: begins `vipann jack` with the small model; what it says goes to $scratch/out and err.
hear() {
    timeout -k 1 $((3 * LIMIT)) "$VIPANN" jack --model "$TINY" --latency centred --format jsonl "$@" \
        > "$scratch/out" 2> "$scratch/err" < /dev/null &
    vipann=$!
    pids+=($vipann)
}

# hears STATUS: it has ended so.
ended() {
    local status
    wait $vipann
    status=$?
    pids=("${pids[@]/$vipann/}")
    [ $status = "$1" ] || fail "status $status, expected $1: $(cat "$scratch/err")"
}

signal() { # NAME: to the program, whose time is limited by its parent
    kill "-$1" "$(child $vipann)"
}

# said PATTERN: the one line on stderr matches; that JACK was late is the machine's matter.
said() {
    grep -v 'xruns' "$scratch/err" > "$scratch/lines"
    [ "$(wc -l < "$scratch/lines")" = 1 ] && grep -q -- "$1" "$scratch/lines" ||
        fail "expected \"$1\" on stderr, found: $(cat "$scratch/err")"
}

quiet() {
    ! grep -v 'xruns' "$scratch/err" >> "$scratch/why" || fail 'expected nothing on stderr'
}

play() { # NAME FILE
    timeout -k 1 $((3 * LIMIT)) "$player" play "$1" "$2" > /dev/null 2>> "$scratch/why" < /dev/null &
    pids+=($!)
}

has_port() {
    timeout -k 1 5 jack_lsp 2> /dev/null | grep -qx "$1"
}

has_wire() { # FROM TO
    timeout -k 1 5 jack_lsp -c "$1" 2> /dev/null | sed 1d | grep -qx " *$2"
}

has_no_port() {
    ! has_port "$1"
}

wants_port() {
    until_true has_port "$1" || fail "there is no port $1: $(cat "$scratch/err")"
}

wants_wire() {
    until_true has_wire "$1" "$2" || fail "$1 is not connected to $2"
}

has_lines() { # N [FILE]
    [ "$(wc -l < "${2:-$scratch/out}")" -ge "$1" ]
}

wants_lines() {
    until_true has_lines "$@" || fail "fewer than $1 lines: $(cat "$scratch/err")"
}

# What is wholly JSON, with the sound's name and time of day taken away; $2: of this input only.
plain() { # FILE [INPUT]
    jq -c --arg input "${2:-}" 'select($input == "" or .input == $input) | del(.file, .input, .utc, .gap_s)' "$1"
}

# Whether $scratch/out has for an input what `vipann file` says of a recording.
same_as_file() { # WAV INPUT ARGUMENT...
    local wav=$1 input=$2
    shift 2
    timeout -k 1 $LIMIT "$VIPANN" file --model "$TINY" --format jsonl "$@" "$wav" > "$scratch/file.out" || fail 'vipann file'
    plain "$scratch/file.out" > "$scratch/expected"
    plain "$scratch/out" "$input" > "$scratch/found"
    [ -s "$scratch/expected" ] || fail 'nothing to compare with'
    diff "$scratch/expected" "$scratch/found" > "$scratch/diff" || fail "differs from the file: $(head -c 1500 "$scratch/diff")"
}

no_gap() {
    jq -e -s 'length > 0 and all(.[]; .gap_s == 0)' "$scratch/out" > /dev/null || fail 'sound was lost'
}

is_case() { # NAME FUNCTION: runs it with a server name of its own
    [[ $1 =~ $pattern ]] || return 0
    cases=$((cases + 1))
    export JACK_DEFAULT_SERVER=vipann-jack-$$-$cases
    : > "$scratch/why"
    : > "$scratch/err"
    local begun=$SECONDS
    if "$2" && [ ! -s "$scratch/why" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        sed 's/^/    /' "$scratch/why" "$scratch/err" | cut -c 1-2000 | head -n 40
    fi
    stop_all
    [ -z "${TIMES:-}" ] || echo "$((SECONDS - begun)) s: $1"
}

# Noise, tones and silence: 9.5 s in one channel, and with them a second later in two.
"$player" sounds "$scratch/one.wav" "$scratch/two.wav" 48000 || exit 1
"$player" sounds "$scratch/slow.wav" "$scratch/slow2.wav" 44100 || exit 1

# ----------------------------------------------------------------------------------------------------- the same as a file

free_wheel() { # INPUTS WAV ARGUMENT...
    local inputs=$1 wav=$2
    shift 2
    hear --transport --inputs "$inputs" --connect '^player:' --duration 9.5 "$@"
    wants_port "vipann:in_$inputs" || return
    timeout -k 1 $((2 * LIMIT)) "$player" roll player "$wav" fast 2>> "$scratch/why" || fail 'the player'
    ended 0 && quiet
}

one_input() {
    start_server 48000 1024 && free_wheel 1 "$scratch/one.wav" && same_as_file "$scratch/one.wav" in_1 && no_gap
}

one_input_events() {
    start_server 48000 256 && free_wheel 1 "$scratch/one.wav" --events --threshold 0.55 &&
        same_as_file "$scratch/one.wav" in_1 --events --threshold 0.55
}

two_inputs() {
    start_server 44100 512 && free_wheel 2 "$scratch/slow2.wav" && same_as_file "$scratch/slow2.wav" in_1 --channel 1 &&
        same_as_file "$scratch/slow2.wav" in_2 --channel 2
}

# ------------------------------------------------------------------------------------------------------------- real time

real_time() { # PERIOD
    start_server 48000 "$1" || return
    play player "$scratch/one.wav"
    wants_port player:out_1 || return
    hear --connect '^player:' --duration 3
    wants_wire player:out_1 vipann:in_1
    ended 0 && quiet && no_gap
    has_lines 9 || fail "$(wc -l < "$scratch/out") results in three seconds"
}

real_time_1024() { real_time 1024; }
real_time_64() { real_time 64; }

other_size() {
    start_server 48000 1024 || return
    play player "$scratch/one.wav"
    hear --connect '^player:'
    wants_lines 2 || return
    timeout -k 1 5 jack_bufsize 128 > /dev/null 2>&1 || fail 'jack_bufsize'
    wants_lines 8 && signal TERM && ended 0 && quiet && no_gap
}

# ------------------------------------------------------------------------------------------------ names and connections

late_ports() {
    start_server 48000 512 || return
    hear --inputs 2 --connect '^(early|late).*:out_'
    wants_port vipann:in_2 || return
    play early "$scratch/two.wav"
    wants_wire early:out_1 vipann:in_1 && wants_wire early:out_2 vipann:in_2
    play late "$scratch/one.wav"
    wants_wire late:out_1 vipann:in_1 || return
    ! has_wire system:capture_1 vipann:in_1 || fail 'connected to what did not match'
    wants_lines 2 && signal TERM && ended 0 && quiet
}

nothing_connected() { # which is said once
    start_server 48000 512 || return
    hear --connect '^payler:'
    is_told() { [ "$(grep -c 'nothing is connected to in_1, so silence is heard' "$scratch/err")" = 1 ]; }
    until_true is_told || fail 'nothing said'
    signal TERM && ended 0 && said 'nothing is connected'
}

no_server() {
    hear --no-start-server
    ended 1 && said "vipann jack: no JACK server \"$JACK_DEFAULT_SERVER\" is running; start one"
    hear --no-start-server --server vipann-nobody
    ended 1 && said 'no JACK server "vipann-nobody" is running'
    [ ! -s "$scratch/out" ] || fail 'something on stdout'
}

asked_wrongly() { # before anything is opened
    hear --connect 'system:('
    ended 2 && said 'vipann jack: --connect: "system:(" is no regular expression: '
    hear --name a:b
    ended 2 && said '--name: found "a:b"; expected at most 6[0-9] bytes without a colon'
    hear --name "$(printf '%0100d' 0)"
    ended 2 && said 'expected at most 6[0-9] bytes'
    hear --inputs 2 --events --format labels
    ended 2 && said 'tells of one input'
    hear --inputs 65
    ended 2 && said 'expected a whole number of 1 to 64'
    hear here
    ended 2 && said 'one argument too many; expected vipann jack \[OPTION...\]$'
}

same_name() {
    start_server 48000 512 || return
    hear
    wants_port vipann:in_1 || return
    local first=$vipann
    hear
    wants_port vipann-01:in_1 || return
    signal TERM && ended 0
    hear --exact-name
    ended 1 && said 'not let us in under the name "vipann".*give another --name'
    vipann=$first
    signal TERM && ended 0
}

# --------------------------------------------------------------------------------------------------------------- signals

end_by_signal() {
    start_server 48000 512 || return
    play player "$scratch/one.wav"
    hear --connect '^player:' --events --begins --threshold 0.3
    wants_lines 1 || return
    signal "$1" && ended 0 && quiet || return
    jq -e -s '[.[] | select(.end_s == null) | [.label, .start_s]] as $b | [.[] | select(.end_s != null) | [.label, .start_s]] as $e |
        ($b | length) > 0 and ($b | sort) == ($e | sort)' "$scratch/out" > /dev/null ||
        fail 'an event that began has not ended, or a line is not whole'
}

term() { end_by_signal TERM; }
interrupt() { end_by_signal INT; }

# A server that does not answer is not waited for.
frozen_server() {
    start_server 48000 1024 || return 1
    local jackd
    jackd=$(child $server_pid)
    kill -STOP "$jackd"
    hear
    until_true waits_for_the_server && signal TERM && ended 0 && quiet
    local status=$?
    kill -CONT "$jackd"
    return $status
}

waits_for_the_server() { # has a socket, and sleeps
    local program
    program=$(child $vipann)
    [ -n "$(find "/proc/$program/fd" -lname 'socket:*' 2> /dev/null)" ] && grep -q ') S ' "/proc/$program/stat"
}

another_model() {
    start_server 48000 512 || return
    cp "$TINY" "$scratch/model.safetensors"
    play player "$scratch/one.wav"
    hear --connect '^player:' --model "$scratch/model.safetensors" --window 1
    wants_lines 2 || return
    cp "$TINY_CAUSAL" "$scratch/new" && mv "$scratch/new" "$scratch/model.safetensors"
    local before
    before=$(tail -n 1 "$scratch/out" | jq -r .model)
    signal HUP
    has_another() {
        [ "$(tail -n 1 "$scratch/out" | jq -r .model 2> /dev/null)" != "$before" ]
    }
    until_true has_another || fail "still $before"
    signal TERM && ended 0 && said 'loaded'
}

# ------------------------------------------------------------------------------------------------------- a server that goes

server_goes() { # SIGNAL
    start_server 48000 512 || return
    play player "$scratch/one.wav"
    hear --connect '^player:'
    wants_lines 3 || return
    stop_server "$1"
    ended 1 && said 'the JACK server has ended; with --reconnect we would wait for it'
    jq -s . "$scratch/out" > /dev/null || fail 'a line is not whole'
    has_lines 3
}

goes_term() { server_goes TERM; }
goes_kill() { server_goes KILL; }

server_returns() { # SIGNAL
    start_server 48000 512 || return
    play player "$scratch/one.wav"
    hear --reconnect --connect '^player:'
    wants_lines 3 || return
    timeout -k 1 5 jack_connect system:capture_2 vipann:in_1 > /dev/null 2>&1 || fail jack_connect
    wants_wire system:capture_2 vipann:in_1
    sleep 0.3 # for the program to see it, which nobody can
    stop_server "$1"
    until_true grep -q 'waiting for it to come back' "$scratch/err" || fail 'nothing said'
    start_server 44100 256 || return
    wants_wire system:capture_2 vipann:in_1
    local before
    before=$(wc -l < "$scratch/out")
    play player "$scratch/slow.wav"
    wants_wire player:out_1 vipann:in_1 && wants_lines $((before + 3)) && signal TERM && ended 0 || return
    jq -e -s '[.[].t_s] | . == (sort | unique)' "$scratch/out" > /dev/null || fail 'times go back'
    grep -v xruns "$scratch/err" > "$scratch/lines"
    [ "$(wc -l < "$scratch/lines")" = 2 ] || fail 'two lines were expected on stderr'
    grep -q 'a JACK server is there, at 44100 Hz' "$scratch/lines" || fail 'that it is back was not said'
}

returns_term() { server_returns TERM; }
returns_kill() { server_returns KILL; }

comes_late() {
    hear --reconnect --connect '^player:' --duration 1
    until_true grep -q 'there is no JACK server yet; waiting for one' "$scratch/err" || fail 'nothing said'
    start_server 48000 512 || return
    play player "$scratch/one.wav"
    ended 0 && has_lines 3
}

# ------------------------------------------------------------------------------------------------------------------ MIDI

midi_notes() {
    start_server 48000 512 || return
    timeout -k 1 $((3 * LIMIT)) "$player" notes synth > "$scratch/notes" 2>> "$scratch/why" < /dev/null &
    local synth=$!
    pids+=($synth)
    play player "$scratch/one.wav"
    hear --connect '^player:' --midi --threshold 0.3 --inputs 2 --events --begins
    wants_port vipann:events && wants_port synth:in || return
    timeout -k 1 5 jack_connect vipann:events synth:in > /dev/null 2>&1 || fail jack_connect
    wants_lines 1 "$scratch/notes" && signal TERM && ended 0 || return
    sleep 0.1
    kill $synth
    wait $synth
    # What sounds ends; a class has a note of its own in channel 1, since there are few.
    awk '$2 == "on"  { bad += on[$4]; on[$4] = 1; n++; bad += $5 < 1 }
         $2 == "off" { bad += !on[$4]; on[$4] = 0 }
         $3 != 1 || $4 > 3 { bad++ }
         END { for (i in on) { bad += on[i] }; exit bad > 0 || n == 0 }' "$scratch/notes" ||
        fail "notes: $(cat "$scratch/notes")"
}

# --------------------------------------------------------------------------------------------------------- who is told

osc_has() { # N ends of events
    [ "$(grep -c '/vipann/event .* "end" "in_1" ' "$scratch/osc")" = "$1" ]
}

# Commands and OSC tell of the events that are written, and OSC of the results.
others_are_told() {
    local port=$((20000 + RANDOM % 10000)) events
    start_server 48000 512 || return
    timeout -k 1 $((3 * LIMIT)) oscdump -L "$port" > "$scratch/osc" 2>> "$scratch/why" < /dev/null &
    pids+=($!)
    free_wheel 1 "$scratch/one.wav" --events --threshold 0.55 --osc "localhost:$port" --on-event-most 6000 --on-event \
        '[ $VIPANN_EVENT = begin ] || echo "$VIPANN_INPUT $VIPANN_LABEL" >> '"$scratch/told" || return
    events=$(wc -l < "$scratch/out")
    [ "$events" -gt 0 ] || fail 'no events'
    until_true osc_has "$events" ||
        fail "$events events, but by OSC: $(grep /vipann/event "$scratch/osc")"
    grep -q ' /vipann/class sdsff "in_1" ' "$scratch/osc" && grep -q ' /vipann/uncertainty sdfff[TFN]f "in_1" ' "$scratch/osc" ||
        fail "no results by OSC: $(head -n 3 "$scratch/osc")"
    [ "$(grep -c '^in_1 ' "$scratch/told")" -gt 0 ] || fail 'no command was run'
}

# The option, where it is there.
store() { # FILE
    ! "$VIPANN" jack --help | grep -q -- --store || echo "--store $1"
}

# The display, in a terminal of its own: it shows what is heard, does what keys ask for, and gives the terminal back.
screen() {
    tmux -S "$scratch/tmux" capture-pane -p > "$scratch/screen" 2> /dev/null
}
shows() { # PATTERN
    screen && grep -q -- "$1" "$scratch/screen"
}
wants_screen() {
    until_true shows "$1" || fail "the screen does not show \"$1\": $(cat "$scratch/screen")"
}
keys() {
    tmux -S "$scratch/tmux" send-keys "$@"
}

on_a_terminal() {
    start_server 48000 512 || return
    play player "$scratch/one.wav"
    wants_port player:out_1 || return
    tmux -S "$scratch/tmux" -f /dev/null new-session -d -x 80 -y 24 "stty -a > $scratch/before; '$VIPANN' jack --model '$TINY' \
        --latency centred --passes 2 --threshold 0.55 --connect '^player:' --append-jsonl $scratch/kept.jsonl 2> $scratch/err; \
        echo \$? > $scratch/status; stty -a > $scratch/after; sleep 60" || fail tmux
    wants_screen 'vipann jack: in_1' && wants_screen 'class 0' && wants_screen 'passes 2 .*hop 0.32 s .*threshold 0.55' || return
    keys '>' && wants_screen 'hop 0.64 s' && keys '<' && wants_screen 'hop 0.32 s' || return
    keys '+' && wants_screen 'passes 3' && keys '-' && wants_screen 'passes 2' || return
    keys '[' && wants_screen 'threshold 0.50' && keys r && wants_screen 'rules are loaded' || return
    keys Space && wants_screen FROZEN && keys Space && keys h && wants_screen 'freeze' && keys h || return
    tmux -S "$scratch/tmux" resize-window -x 60 -y 15 && sleep 0.5 && wants_screen 'class 0' || return
    until_true has_lines 1 "$scratch/kept.jsonl" || fail 'events are not kept beside the display'
    keys q
    until_true [ -s "$scratch/after" ] || fail 'it does not end'
    [ "$(cat "$scratch/status")" = 0 ] || fail "status $(cat "$scratch/status")"
    sed 's/rows [0-9]*; columns [0-9]*;//' "$scratch/before" > "$scratch/a"
    sed 's/rows [0-9]*; columns [0-9]*;//' "$scratch/after" | cmp -s - "$scratch/a" || fail "the terminal is not as it was: $(diff "$scratch/before" "$scratch/after")"
    grep -q 'vipann jack: the threshold is 0.50' "$scratch/err" || fail 'what was said meanwhile is gone'
    tmux -S "$scratch/tmux" kill-server
}

# What a store lists is what was written. Without SQLite there is none.
stored() { # EVENTS
    local db=$scratch/new/heard.db format
    local -A header=([text]=1 [csv]=1 [labels]=0)
    "$VIPANN" events --help > /dev/null 2>&1 || return 0
    "$VIPANN" events "$db" --format jsonl > "$scratch/listed" || fail 'vipann events'
    jq -s -c 'map([.label, .p_max, .unknown, .begin]) | sort' "$scratch/listed" > "$scratch/a"
    jq -s -c 'map([.label, .p_max, .unknown, .utc]) | sort' "$scratch/out" > "$scratch/b"
    cmp -s "$scratch/a" "$scratch/b" || fail "the store has: $(cat "$scratch/a")"
    jq -r .clip "$scratch/listed" | sort > "$scratch/a"
    find "$scratch/clips" -name '*.flac' | sort > "$scratch/b"
    cmp -s "$scratch/a" "$scratch/b" || fail 'clips of the store are others'
    for format in text csv labels; do
        "$VIPANN" events "$db" --format $format > "$scratch/listed" || fail 'vipann events'
        [ "$(wc -l < "$scratch/listed")" = $(($1 + header[$format])) ] || fail "--format $format: $(cat "$scratch/listed")"
    done
    [ "$("$VIPANN" events "$db" --hourly --format jsonl | jq -s 'map(.events) | add')" = "$1" ] || fail 'counts by hour'
    [ "$("$VIPANN" events "$db" --newest 1 --format labels | wc -l)" = 1 ] || fail 'the newest one'
    [ -z "$("$VIPANN" events "$db" --until 1d 2> "$scratch/said")" ] && grep -q 'nothing of that kind' "$scratch/said" ||
        fail 'there should be nothing a day ago'
}

# Files of events, and clips, hold the events that are written; a clip begins a second before its event, if it can.
events_are_kept() {
    local events n=0 start end frames wanted file
    start_server 48000 512 || return
    free_wheel 1 "$scratch/one.wav" --events --format jsonl --threshold 0.55 --append-jsonl "$scratch/kept.jsonl" \
        --append-labels "$scratch/kept.txt" --save-events "$scratch/clips" $(store "$scratch/new/heard.db") || return
    events=$(wc -l < "$scratch/out")
    [ "$events" -gt 0 ] || fail 'no events'
    [ "$(jq -c 'select(.end_s != null)' "$scratch/kept.jsonl")" = "$(jq -c . "$scratch/out")" ] || fail 'other events in JSON'
    [ "$(jq -c 'select(.end_s == null)' "$scratch/kept.jsonl" | wc -l)" = "$events" ] || fail 'begins are missing'
    [ "$(wc -l < "$scratch/kept.txt")" = "$events" ] || fail 'labels are missing'
    [ "$(find "$scratch/clips" -name '*.flac' | wc -l)" = "$events" ] && [ "$(wc -l < "$scratch/clips/clips.csv")" = $((events + 1)) ] ||
        fail "$events events, but: $(ls "$scratch/clips")"
    stored "$events" || return
    command -v ffprobe > /dev/null || return
    while read -r start end; do
        n=$((n + 1))
        file=$(find "$scratch/clips" -name "*_in_1_${n}_*.flac")
        frames=$(ffprobe -v error -show_entries stream=duration_ts -of csv=p=0 "$file")
        wanted=$(awk "BEGIN { a = $start > 1 ? $start - 1 : 0; print int(($end - a) * 48000 + 0.5) }")
        [ "$frames" = "$wanted" ] || fail "$file has $frames frames; expected $wanted"
    done < <(jq -r -s 'sort_by(.start_s) | .[] | "\(.start_s) \(.end_s)"' "$scratch/out")
}

# ------------------------------------------------------------------------------------------------ nothing is lost or harmed

# A model and rules with which some ten events begin in each second.
busy() { # [--hostile]
    "$build/tests/make_tiny_model" "$@" "$scratch/busy.safetensors" resnet22 1 64 causal || fail 'no model'
    printf '%s\n' 'threshold = 0.35' 'hysteresis = 0' 'min_length = 0' 'merge_gap = 0' 'hops = 1 of 1' > "$scratch/busy.rules"
}

kept() { # ARGUMENT...: hears with all that keeps something, in the folder $scratch/kept
    mkdir -p "$scratch/kept"
    hear --model "$scratch/busy.safetensors" --window 0.32 --passes 2 --rules "$scratch/busy.rules" --events --begins --append-jsonl "$scratch/kept/events.jsonl" \
        --append-labels "$scratch/kept/events.txt" --save-events "$scratch/kept/clips" $(store "$scratch/kept/heard.db") "$@"
}

# Every line of a file is whole; of JSON, and one that can be read.
whole_lines() {
    local file
    for file in "$scratch"/kept/events.*; do
        [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file" | tr -d '\n')" ] || fail "$file ends within a line: $(tail -n 1 "$file")"
    done
    jq -e . "$scratch/kept/events.jsonl" > /dev/null || fail 'a line is no JSON'
    awk -F '\t' 'NF != 3' "$scratch/kept/events.txt" | { ! grep -q .; } || fail 'a line is no label'
}

# Killed at a random moment, again and again: what had been shown is kept. KILLS says how often.
killed_at_any_moment() {
    local i shown=0
    busy && start_server 48000 256 || return
    play player "$scratch/one.wav"
    wants_port player:out_1 || return
    for ((i = 0; i < ${KILLS:-6}; i++)); do
        kept --connect '^player:'
        wants_wire player:out_1 vipann:in_1 || return
        sleep "$((RANDOM % 3)).$((RANDOM % 1000 + 1000))"
        signal KILL
        wait $vipann 2> /dev/null
        whole_lines || return
        sed '$!b; /}$/!d' "$scratch/out" >> "$scratch/shown" # the last line that was shown may be half a line
        until_true has_no_port vipann:in_1 || fail 'it is still there'
    done
    shown=$(jq -c '[.input, .utc, .label, .end_s]' "$scratch/shown" | sort -u | tee "$scratch/a" | wc -l)
    [ "$shown" -gt 0 ] || fail 'nothing was shown'
    jq -c '[.input, .utc, .label, .end_s]' "$scratch/kept/events.jsonl" | sort -u > "$scratch/b"
    comm -23 "$scratch/a" "$scratch/b" | { ! grep .; } >> "$scratch/why" || fail 'this was shown and is not kept'
    if [ -e "$scratch/kept/heard.db" ]; then
        "$VIPANN" events "$scratch/kept/heard.db" --format jsonl > "$scratch/listed" || fail 'the store does not open'
        # When an event ends, more is known of when the sound came; so its beginning may be moved a little.
        jq -c -n --slurpfile kept "$scratch/listed" --slurpfile shown "$scratch/shown" 'def s: sub("\\..*"; "Z") | fromdateiso8601;
            ($kept | map({name: .label, at: (.begin | s)}) | group_by(.name) | map({key: .[0].name, value: map(.at)}) | from_entries) as $at |
            $shown[] | (.utc | s) as $t | select(all(($at[.label] // [])[]; . - $t > 1 or $t - . > 1))' >> "$scratch/why" || fail jq
        [ ! -s "$scratch/why" ] || fail 'this was shown and is not in the store'
    fi
    echo "# ${KILLS:-6} kills: $shown lines had been shown, all of them are kept"
    find "$scratch/kept/clips" ! -name '*.flac' ! -name clips.csv -type f | { ! grep .; } >> "$scratch/why" ||
        fail 'half a clip is left'
}

# A disk that is full: one line, the analysis goes on, nothing is half written; and when there is room again, that is used.
disk_full() {
    local small=$scratch/kept lines
    mkdir -p "$small" && mount -t tmpfs -o size=160k none "$small" 2> /dev/null || { echo "# skip: no tmpfs can be mounted here"; return; }
    busy && start_server 48000 512 || return
    play player "$scratch/one.wav"
    wants_port player:out_1 || return
    head -c 60000 /dev/zero > "$small/others"
    kept --connect '^player:'
    until_true grep -q 'save-events: a clip was not saved' "$scratch/err" || fail "nothing was said: $(ls -l "$small")"
    cat /dev/zero > "$small/rest" 2> /dev/null
    until_true grep -q 'append-jsonl: events are lost' "$scratch/err" || fail 'nothing was said of lines that are lost'
    [ ! -e "$small/heard.db" ] || until_true grep -q 'store: events are lost' "$scratch/err" || fail 'nothing was said of the store'
    lines=$(wc -l < "$scratch/out")
    wants_lines $((lines + 5)) || return
    [ "$(grep -c save-events "$scratch/err")" = 1 ] && [ "$(grep -c append-jsonl "$scratch/err")" = 1 ] || fail 'said again and again'
    rm "$small/others" "$small/rest"
    lines=$(wc -l < "$small/events.jsonl")
    wants_lines $((lines + 3)) "$small/events.jsonl" && signal TERM && ended 0 && whole_lines || return
    [ "$(find "$small/clips" -name '*.flac' | wc -l)" = $(($(wc -l < "$small/clips/clips.csv") - 1)) ] ||
        fail 'clips and their table differ'
    [ ! -e "$small/heard.db" ] || [ "$("$VIPANN" events "$small/heard.db" --format jsonl | wc -l)" -gt 3 ] || fail 'the store is harmed'
    umount "$small"
}

# Labels that hold what shells run, terminals obey and tables trip over are text, wherever they go.
hostile_labels() {
    local port=$((20000 + RANDOM % 10000))
    busy --hostile && start_server 48000 512 || return
    timeout -k 1 $((3 * LIMIT)) oscdump -L "$port" > "$scratch/osc" 2>> "$scratch/why" < /dev/null &
    pids+=($!)
    play player "$scratch/one.wav"
    wants_port player:out_1 || return
    kept --connect '^player:' --osc "localhost:$port" --duration 6 --on-event-most 6000 --on-event \
        'printf "%s\0" "$VIPANN_LABEL" >> '"$scratch/labels"
    ended 0 && whole_lines || return
    [ -z "$(find . "$scratch" -name 'owned*')" ] || fail 'a label was run'
    tr '\0' '\n' < "$scratch/labels" | grep -qF 'touch owned; $(touch owned)' || fail 'no such label came to a command'
    tr -d '\r' < "$scratch/kept/clips/clips.csv" | cat - "$scratch/out" "$scratch"/kept/events.* |
        LC_ALL=C grep -P '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' >> "$scratch/why" && fail 'a control character was printed'
    grep -q '/vipann/event' "$scratch/osc" || fail 'nothing came by OSC'
    find "$scratch/kept/clips" -name '*.flac' -printf '%f\n' | grep -qv '^[A-Za-z0-9._-]*$' && fail 'a clip has such a name'
    [ "$(find "$scratch/kept/clips" -name '*.flac' | wc -l)" -gt 0 ] || fail 'no clips'
    "$VIPANN" file --model "$scratch/busy.safetensors" "$scratch/one.wav" --rules "$scratch/busy.rules" --events > "$scratch/text" || fail 'vipann file'
    LC_ALL=C grep -qP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$scratch/text" && fail 'text holds a control character'
    [ ! -s "$scratch/why" ]
}

is_case 'one input: the same as the file' one_input
is_case 'one input: the same events as the file' one_input_events
is_case 'two inputs: the same as the channels of the file' two_inputs
is_case 'real time, period 1024' real_time_1024
is_case 'real time, period 64' real_time_64
is_case 'another period meanwhile' other_size
is_case 'ports that appear later are connected' late_ports
is_case 'that nothing is connected is said' nothing_connected
is_case 'no server' no_server
is_case 'asked wrongly' asked_wrongly
is_case 'the name is taken' same_name
is_case 'SIGTERM' term
is_case 'SIGINT' interrupt
is_case 'a server that does not answer' frozen_server
is_case 'SIGHUP' another_model
is_case 'the server ends' goes_term
is_case 'the server is killed' goes_kill
is_case 'the server ends and comes back' returns_term
is_case 'the server is killed and comes back' returns_kill
is_case 'the server comes later' comes_late
is_case 'a note while an event lasts' midi_notes
command -v oscdump > /dev/null && "$VIPANN" jack --help | grep -q -- --osc && is_case 'commands and OSC' others_are_told
is_case 'files and clips' events_are_kept
command -v tmux > /dev/null && "$VIPANN" jack --help | grep -q -- --display && is_case 'the display' on_a_terminal
is_case 'killed at any moment' killed_at_any_moment
is_case 'the disk is full' disk_full
command -v oscdump > /dev/null && "$VIPANN" jack --help | grep -q -- --osc && is_case 'labels that do harm' hostile_labels

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
