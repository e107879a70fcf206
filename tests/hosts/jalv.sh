#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The plugin in jalv, on a JACK server without a sound card: tests/hosts/jalv.sh BUILD MODEL, a model for a preset
# Sound is played to it in real time, its control outputs are read, and its model is exchanged; tap.c writes down what it
# gets and says. Once on a server that waits for its clients, once on one that does not.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/share.sh
SPEECH=0 # the place of that class in the model of the bundle

for program in jackd jack_wait jack_lsp jack_connect sndfile-jackplay jalv; do
    has $program || { counts; exit; }
done
has_speech || { counts; exit; }

export JACK_DEFAULT_SERVER=vipann-$$ JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1
bundled=$(echo "$bundle"/models/*.safetensors)
chosen=$(realpath "$2")
server='' host='' player=''

stop() { # process, if there is one
    [ -z "$1" ] || { kill "$1" && wait "$1"; } 2> /dev/null
}

tidy() {
    stop "$player"
    stop "$host"
    stop "$server"
}

# Programs that outlive this script would keep its output open; they have limits of their own all the same.
start_server() { # options of jackd...
    timeout -k 1 "$LIMIT" jackd -n "$JACK_DEFAULT_SERVER" -r "$@" -d dummy -r 48000 -p 1024 -C 2 -P 2 \
        > "$scratch/jackd" 2>&1 < /dev/null &
    server=$!
    timeout -k 1 10 jack_wait -w -t 8 > /dev/null 2>&1
}

has_port() { # name
    timeout -k 1 5 jack_lsp 2> /dev/null | grep -qxF "$1"
}

# jalv, and its console as file 7.
start_jalv() { # start of tap's names, options and plugin...
    rm -f "$scratch/console"
    mkfifo "$scratch/console" || return
    TAP=$scratch/$1 timeout -k 1 "$LIMIT" stdbuf -oL jalv -x -n host "${@:2}" > "$scratch/out" 2> "$scratch/err" < "$scratch/console" &
    host=$!
    exec 7> "$scratch/console"
    until_true 15 has_port host:notify
}

stop_jalv() {
    echo quit >&7
    exec 7>&-
    wait "$host"
    local status=$?
    host=''
    echo "status $status of jalv" > "$scratch/why"
    return $status
}

play_to() { # file, ports...
    local port
    timeout -k 1 "$LIMIT" sndfile-jackplay -w "$1" > /dev/null 2>&1 < /dev/null &
    player=$!
    until_true 10 has_port jackplay:out_1 || return
    for port in "${@:2}"; do
        timeout -k 1 5 jack_connect jackplay:out_1 "$port" > /dev/null 2>&1 || return
    done
}

# Whether jalv has been told of that time; asks it to tell again.
has_heard() { # seconds
    echo monitors >&7
    sleep 0.1
    awk -v wanted="$1" '/time = / && $NF >= wanted { found = 1 } END { exit !found }' "$scratch/out"
}

# What jalv has told of the control outputs so far moves as it should. After each question jalv tells all of them.
sensible() {
    awk -v class=$SPEECH '
        { sub(/^(> )*/, "") }
        $2 != "=" { next }
        $1 == "time" && $3 < time { bad = "time goes back" }
        $1 == "time" && $3 > time { answers++; time = $3 }
        $1 == "gaps" && $3 != 0 { bad = $3 " s were lost" }
        $1 == "probability" && ($3 < 0 || $3 > 1) { bad = "a probability of " $3 }
        $1 == "probability" && !($3 in seen) { seen[$3]; different++ }
        $1 == "level" && $3 > -60 && $3 < 0 { loud++ }
        $1 == "class" && $3 == class { heard++ }
        $1 == "events" && $3 > 0 { events++ }
        $1 == "load" && $3 > 0 { loaded++ }
        $1 == "status" { status = $3 }
        END {
            if (status != 2) { bad = "the status is " status }
            printf("%d answers, %d probabilities, %d times loud, %d times the class, %d times an event, %d times some load. %s\n",
                answers, different, loud, heard, events, loaded, bad)
            exit !(bad == "" && answers > 5 && different > 5 && loud > 5 && heard > 2 && events > 2 && loaded > 5)
        }' "$scratch/out" > "$scratch/why"
}

# The plugin has said that this is its model, and that it is the file wanted.
says_model() { # start of tap's names, model
    local found
    found=$(cat "$scratch/$1"-*.log 2> /dev/null | grep '^model ' | tail -n 1 | cut -c 7-)
    echo "the model is $found, and should be as $2" > "$scratch/why"
    [ -n "$found" ] && cmp -s "$found" "$2"
}

# Leaves out what came after another model was asked for: those answers are of two.
until_exchanged() { # stretch
    awk '/^model / && /model\.safetensors$/ { exit } { print }' "$1.log" > "$scratch/before" &&
        cp "$scratch/before" "$1.log"
}

# jalv tells classes of the small model, which has four. The one before goes on for a window of sound; what it heard of
# the same speech was class 0 and others beyond 3.
answers_anew() {
    echo monitors >&7
    sleep 0.1
    tail -n 15 "$scratch/out" | grep -q 'class = [123]\.0'
}

make_tapped "$scratch/bundles" && make_state "$scratch/bundles/preset.lv2" urn:vipann:stereo "$chosen" &&
    make_state "$scratch/session" urn:vipann:mono "$chosen" || exit 1
make_speech "$scratch/speech.wav" Front_Left.wav Rear_Left.wav Side_Left.wav Front_Right.wav || exit 1

plays() { # server's manner
    start_jalv "play-$1" urn:vipann:stereo && play_to "$scratch/speech.wav" host:in_left host:in_right &&
        until_true 30 has_heard 5
    verdict "jalv plays on a server that $1" $?
    sensible
    verdict "control outputs move as they should on a server that $1" $?
}

exchanges() { # server's manner
    echo presets >&7 # only after this does jalv know them
    echo "preset file://$scratch/bundles/preset.lv2/state.ttl" >&7
    until_true 15 says_model "play-$1" "$chosen" && until_true 15 answers_anew
    verdict 'a preset gives another model while sound goes on' $?
}

ends() { # server's manner
    stop "$player" # first: jalv would wait for it
    player=''
    stop_jalv
    verdict "jalv ends on a server that $1" $?
    local stretch
    stretch=$(stretches "$scratch/play-$1" urn:vipann:stereo 0)
    until_exchanged "$stretch"
    as_of_file "$bundled" "$stretch"
    verdict "what is played gives the numbers of vipann file on a server that $1" $?
}

begins_with_state() {
    start_jalv state -l "$scratch/session" urn:vipann:mono && until_true 15 says_model state "$chosen" &&
        play_to "$scratch/speech.wav" host:in_mono && until_true 15 has_heard 3
    verdict 'a state gives a model' $?
    stop "$player"
    player=''
    stop_jalv
    as_of_file "$chosen" "$(stretches "$scratch/state" urn:vipann:mono 0)"
    verdict 'that model gives the numbers of vipann file' $?
}

if start_server --sync; then
    plays waits
    exchanges waits
    ends waits
    begins_with_state
    tidy
    host='' server=''
    start_server
    plays hurries
    ends hurries
else
    skip 'no JACK server can be started here'
fi

counts
