#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `vipann live` and `vipann devices` on a JACK server without hardware, which comes, goes and dies: tests/hosts/portaudio.sh BUILD
# The environment has the program as VIPANN and a small model as TINY.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
VIPANN=$(realpath "$VIPANN") TINY=$(realpath "$TINY")
scratch=$(mktemp -d)
passed=0 failed=0 skipped=0
server=
# A server of our own, which nobody starts but us.
export LC_ALL=C.UTF-8 JACK_DEFAULT_SERVER=vipann-live-$$ JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1
ulimit -c 0
LIMIT=${LIMIT:-60} # seconds that one program may run

running=() # what we started and have not waited for
clean() {
    local pid
    for pid in "${running[@]}"; do
        kill -KILL "$pid"
        wait "$pid"
    done 2> /dev/null
    [ -z "$server" ] || stop_server TERM # one that is killed leaves its place taken, of which there are eight
    rm -rf "$scratch"
}
trap clean EXIT

verdict() { # name, status (0: well)
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        tail -n 5 "$scratch/why" "$scratch"/*.err "$scratch/jackd" 2> /dev/null | sed 's/^/    /'
    fi
    : > "$scratch/why"
}

well() { # command...: one step of a test; the first that fails is told
    "$@" && return
    echo "not so: $*" >> "$scratch/why"
    return 1
}

soon() { # command...: holds within ten seconds
    local until=$((SECONDS + 10))
    until "$@"; do
        if [ $SECONDS -ge $until ]; then
            echo "not in time: $*" >> "$scratch/why"
            return 1
        fi
        sleep 0.05
    done
} 2> /dev/null

is_up() {
    timeout -k 1 2 jack_lsp > /dev/null 2>&1
}

start_server() { # rate
    jackd -n "$JACK_DEFAULT_SERVER" -r -d dummy -r "$1" -p 1024 -C 2 -P 2 > "$scratch/jackd" 2>&1 < /dev/null &
    server=$!
    soon is_up
}

# One that is not waited for keeps its name from the next.
stop_server() { # signal
    kill -"$1" "$server"
    wait "$server"
    server=
} 2> /dev/null

# begin NAME ARGUMENT...: `vipann live` in the background; what it says goes to NAME.out and NAME.err.
begin() {
    local name=$1
    shift
    timeout -k 1 "$LIMIT" "$VIPANN" live --latency centred "$@" > "$scratch/$name.out" 2> "$scratch/$name.err" < /dev/null &
    watch[$name]=$!
    running+=($!)
    soon find_program "$name"
}
declare -A watch program # the process of timeout, and the program's

find_program() { # name
    program[$1]=$(pgrep -P "${watch[$1]}") && [ -n "${program[$1]}" ]
}

child_of() { # name: the process that hears for it
    pgrep -P "${program[$1]}"
}

has_new_child() { # name, the old one
    local child
    child=$(child_of "$1") && [ "$child" != "$2" ]
}

gone() { # pid...
    local pid
    for pid; do
        ! kill -0 "$pid" || return 1
    done
} 2> /dev/null

ended() { # name, status: it ends so, and soon
    local pid status left=()
    soon gone "${program[$1]}" || return 1
    wait "${watch[$1]}" 2> /dev/null
    status=$?
    for pid in "${running[@]}"; do
        [ "$pid" = "${watch[$1]}" ] || left+=("$pid")
    done
    running=("${left[@]}")
    [ "$status" = "$2" ] || { echo "$1 ends with status $status, not $2" >> "$scratch/why"; return 1; }
}

count() { # name: results
    wc -l < "$scratch/$1.out"
}

more_than() { # n name
    [ "$(count "$2")" -gt "$1" ]
}

goes_on() { # name: there are three more results soon
    soon more_than $(($(count "$1") + 2)) "$1"
}

said() { # name, lines: exactly these on stderr
    printf '%s\n' "${@:2}" | diff - "$scratch/$1.err" >> "$scratch/why"
}

quiet() { # name
    [ ! -s "$scratch/$1.err" ]
}

says() { # name, pattern
    grep -q -- "$2" "$scratch/$1.err"
}

# run NAME STATUS ARGUMENT...: to its end.
run() {
    local name=$1 expected=$2 status
    shift 2
    timeout -k 1 20 "$VIPANN" "$@" > "$scratch/$name.out" 2> "$scratch/$name.err" < /dev/null
    status=$?
    [ $status = "$expected" ] || { echo "vipann $*: status $status, not $expected" >> "$scratch/why"; return 1; }
}

# Results are whole lines, and their times go on without a step back or a gap that the clock did not have.
whole() { # name, most seconds between two results
    jq -es --argjson most "$2" 'map(.t_s) | . as $t | length > 3 and
        all(range(1; length); . as $i | $t[$i] >= $t[$i - 1] and $t[$i] - $t[$i - 1] <= $most)' \
        "$scratch/$1.out" > /dev/null 2>> "$scratch/why" && [ "$(tail -c 1 "$scratch/$1.out" | od -An -c | tr -d ' ')" = '\n' ]
}

milliseconds() {
    echo $(($(date +%s%N) / 1000000))
}

# The newest result is as much later than the one at the start of the watch as the clock says. Not to the second: on a
# busy machine the server itself leaves out sound.
start_watch() { # name
    watched=$(tail -n 1 "$scratch/$1.out" | jq .t_s) since=$(milliseconds)
}
keeps_time() { # name
    tail -n 1 "$scratch/$1.out" | jq -e --argjson watched "$watched" --argjson clock $(($(milliseconds) - since)) \
        '.t_s - $watched - $clock / 1000 | fabs < 1.2' > /dev/null
}

for tool in jackd jack_lsp jack_connect jq pgrep; do
    if ! command -v $tool > /dev/null; then
        echo "skip: no $tool here"
        echo '0 passed, 0 failed, 1 skipped'
        exit 0
    fi
done

# ------------------------------------------------------------------------------------------------------ without a server

nothing='no input device; connect one, start a JACK server, or use vipann file'
if "$VIPANN" devices > /dev/null 2>&1; then
    echo 'skip: this machine has a sound card, so nothing is missing here'
    skipped=$((skipped + 3))
else
    run devices 1 devices && well said devices "vipann devices: $nothing" && [ "$(count devices)" = 0 ]
    verdict 'without an input, devices says so in one line' $?

    run devices 1 devices --json && well said devices "vipann devices: $nothing" &&
        jq -e '. == []' "$scratch/devices.out" > /dev/null
    verdict 'without an input, devices --json is an empty list' $?

    run none 1 live --model "$TINY" --latency centred && well said none "vipann live: $nothing" && [ "$(count none)" = 0 ]
    verdict 'without an input, live says so in one line' $?
fi

# PortAudio 19.6 ends the process where ALSA knows nothing at all.
ALSA_CONFIG_PATH=/dev/null run broken 1 live --model "$TINY" --latency centred && well [ "$(wc -l < "$scratch/broken.err")" = 1 ]
verdict 'a sound system that breaks down is one line' $?

# Who starts it may ignore that children end, and a program inherits that.
ALSA_CONFIG_PATH=/dev/null timeout -k 1 20 env --ignore-signal=CHLD "$VIPANN" devices > "$scratch/heeds.out" 2> "$scratch/heeds.err"
[ $? = 1 ] && well cmp "$scratch/heeds.err" <(sed 's/^vipann live/vipann devices/' "$scratch/broken.err")
verdict 'where whoever starts it ignores children, too' $?

run word 2 live --hear-for-parent && well says word 'unknown option --hear-for-parent'
verdict 'nobody is a child by saying so' $?

# ------------------------------------------------------------------------------------------------------------- a server

if ! start_server 48000; then
    echo 'skip: jackd does not start here; if eight servers were killed, their names still have all places'
    echo "$passed passed, $failed failed, $((skipped + 1)) skipped"
    exit $((failed > 0))
fi

run devices 0 devices && well quiet devices && grep -qE '^[* ] +[0-9]+ +2 +48000  system +JACK' "$scratch/devices.out"
verdict 'devices lists the server' $?

run devices 0 devices --json && well quiet devices &&
    jq -e '.[] | select(.name == "system") | .channels == 2 and .rate == 48000' "$scratch/devices.out" > /dev/null &&
    well [ "$(jq '[.[] | select(.default)] | length' "$scratch/devices.out")" -le 1 ]
verdict 'devices --json lists it as well' $?
number=$(jq '.[] | select(.name == "system") | .index' "$scratch/devices.out")

run wrong 1 live --model "$TINY" --latency centred --device flute &&
    well says wrong "^vipann live: --device flute: there is no such input device, but .*$number system" &&
    well [ "$(wc -l < "$scratch/wrong.err")" = 1 ]
verdict 'a device that is not there is refused with a list of those that are' $?

run wrong 1 live --model "$TINY" --latency centred --device system --channel 3 &&
    well said wrong 'vipann live: system has 2 channels, and no channel 3; give another --channel'
verdict 'so is a channel that it does not have' $?

run short 0 live --model "$TINY" --latency centred --format jsonl --duration 1.6 --device "$number" &&
    well quiet short && well whole short 1
verdict '--duration ends it' $?

if ! command -v sndfile-jackplay > /dev/null || [ ! -x "$build/tests/sound_file" ]; then
    echo 'skip: no sndfile-jackplay here, or no lilv, for which sound_file is built'
    skipped=$((skipped + 2))
else
    has_port() { # name
        timeout -k 1 2 jack_lsp | grep -qx "$1"
    }
    is_heard() { # the newest result says what the file says, as loud
        jq -se --slurpfile file "$scratch/file.out" '.[-1].top[0].label == $file[-1].top[0].label and
            (.[-1].level_dbfs - $file[-1].level_dbfs | fabs) < 0.5' "$scratch/noise.out" > /dev/null
    }
    "$build/tests/sound_file" make 1 "$scratch/noise.wav"
    run file 0 file --format jsonl --window 1 "$scratch/noise.wav"
    begin noise --device system --channel 2 --format jsonl --window 1 && soon has_port vipann:in_1
    timeout -k 1 "$LIMIT" sndfile-jackplay -w -l 0 "$scratch/noise.wav" > /dev/null 2>&1 < /dev/null &
    player=$!
    running+=("$player")
    soon has_port jackplay:out_1 && well jack_connect jackplay:out_1 vipann:in_1 && soon is_heard
    verdict 'what is played is heard, as in the file, on its channel' $?

    run wrong 1 live --model "$TINY" --latency centred --device Y &&
        well says wrong "^vipann live: --device Y: several input devices are called so; give a number: .*$number system, "
    verdict 'a name that fits two devices is refused with both' $?

    kill "$player"
    wait "$player" 2> /dev/null
    kill -INT "${program[noise]}" && ended noise 0 && well quiet noise && well whole noise 1
    verdict 'SIGINT ends it well' $?
fi

# --------------------------------------------------------------------------------------------------- what goes and comes

plainly=(--model "$TINY" --device system --format jsonl)
begin hears "${plainly[@]}" && begin strict "${plainly[@]}" --no-wait && goes_on hears && goes_on strict
verdict 'two hear at once' $?

stop_server TERM
ended strict 1 && well said strict 'vipann live: system has gone' && well whole strict 1
verdict '--no-wait ends with the server' $?

soon says hears 'system has gone; waiting until it comes back' && start_server 44100 && goes_on hears &&
    well said hears 'vipann live: system has gone; waiting until it comes back' 'vipann live: system is heard again, at 44100 Hz'
verdict 'a server that has ended is waited for, and heard at its new rate' $?

stop_server KILL
start_server 48000 && goes_on hears && well [ "$(wc -l < "$scratch/hears.err")" = 2 ]
verdict 'so is one that was killed, and what has been said is not repeated' $?

soon has_new_child hears none && first=$(child_of hears)
kill -KILL "$first" && soon gone "$first" && soon has_new_child hears "$first" && goes_on hears
verdict 'a process that hears and is killed is replaced' $?

soon has_new_child hears none && first=$(child_of hears)
start_watch hears
kill -STOP "$first" && soon gone "$first" && soon has_new_child hears "$first" && goes_on hears && soon keeps_time hears
verdict 'so is one that hangs, and times go on by the clock' $?

start_watch hears
kill -STOP "${program[hears]}" && sleep 3.5 && kill -CONT "${program[hears]}" &&
    soon says hears '^vipann live: system: [0-9.]* s of sound were lost while this program was held up$' &&
    goes_on hears && soon keeps_time hears
verdict 'what was lost while the program was held up is told, and times go on by the clock' $?

child=$(child_of hears)
kill -TERM "${program[hears]}" && ended hears 0 && well gone "$child" && well whole hears 8
verdict 'SIGTERM ends it well, with the process that hears' $?

begin waits "${plainly[@]}" && goes_on waits
stop_server TERM
soon says waits 'has gone' && kill -TERM "${program[waits]}" && ended waits 0 && well whole waits 1
verdict 'so it does while it waits' $?

start_server 48000 && begin killed "${plainly[@]}" && goes_on killed
child=$(child_of killed)
kill -KILL "${program[killed]}" && well soon gone "$child" && ended killed 137
verdict 'a program that is killed leaves no process behind' $?

stop_server TERM
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
