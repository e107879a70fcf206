#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The plugin in Ardour, without its window: tests/hosts/ardour.sh BUILD MODEL, a model for a preset
# A session with two tracks is made, played, saved, moved and exported twice; tap.c writes down what the plugins get and
# say. Starting Ardour takes seconds, so each step serves several checks.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/share.sh
SPEECH=0 # the place of that class in the model of the bundle

for program in ardour7-lua ardour7-export; do
    has $program || { counts; exit; }
done
has_speech || { counts; exit; }

export HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home SESSION=$scratch/here/session
mkdir -p "$HOME" "$scratch/here" "$scratch/far/away/from/it"
bundled=$(echo "$bundle"/models/*.safetensors)
chosen=$(realpath "$2")

# Ardour's lines are many; they are shown if something went wrong.
ardour() { # start of tap's names, program and arguments...
    export TAP=$scratch/$1
    shift
    timeout -k 5 "$LIMIT" "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null
    local status=$?
    echo "status $status of $*" > "$scratch/why"
    return $status
}

# Ardour 7.3 now and then breaks off when it has exported, with or without plugins: the heap is corrupt where it frees its
# PortExportChannel. That is tried again.
export_session() { # number
    local try
    for try in 1 2 3 4 5; do
        rm -f "$scratch/export$1"*
        ardour "export$1" ardour7-export -o "$scratch/export$1.wav" -b float "$SESSION" session && return 0
        grep -q '^status 134 ' "$scratch/why" || return 1
        echo "Ardour broke off, $try times" >&2
    done
    return 1
}

fill_session() { # the left sound, the right one
    local session=$SESSION/session.ardour frames
    frames=$("$build/tests/sound_file" frames "$1") &&
        cp "$1" "$SESSION/interchange/session/audiofiles/clip%L.wav" &&
        cp "$2" "$SESSION/interchange/session/audiofiles/clip%R.wav" &&
        awk -v ticks=$((frames * 5880)) -f tests/hosts/fill_session.awk "$session" > "$scratch/filled" &&
        cp "$scratch/filled" "$session"
}

# What ardour.lua has printed of a track's control outputs moves as it should.
sensible() { # track, the class that is to be heard; none: any
    awk -v track="$1" -v class="${2:--}" '
        $1 == track {
            for (i = 2; i < NF; i += 2) { now[$i] = $(i + 1) }
            if (now["time"] < time) { bad = "time goes back" }
            if (now["gaps"] != 0) { bad = now["gaps"] " s were lost" }
            if (now["status"] != 2) { bad = "the status is " now["status"] }
            if (now["probability"] < 0 || now["probability"] > 1) { bad = "a probability of " now["probability"] }
            if (now["time"] > time) { answers++ }
            if (now["load"] > 0) { loaded++ }
            if (now["level"] > -60 && now["level"] < 0) { loud++ }
            if (class == "-" || now["class"] == class) { heard++ }
            if (!(now["probability"] in seen)) { seen[now["probability"]]; different++ }
            time = now["time"]
        }
        END {
            printf("%s: %d answers, %d probabilities, %d times loud, %d times the class, %d times some load. %s\n", track,
                answers, different, loud, heard, loaded, bad)
            exit !(bad == "" && answers > 5 && different > 5 && loud > 3 && heard > 2 && loaded > 3)
        }' "$scratch/played" > "$scratch/why"
}

# The last model that a plugin said in these stretches of tap's.
model_of() { # plugin, start of names
    grep -l "^begin $1 " "$2"-*.log 2> /dev/null | sort -V | xargs -r grep -h '^model ' | tail -n 1 | cut -c 7-
}

has_model() { # plugin, start of names, folder that it should be in, the model that it should be
    local found
    found=$(model_of "$1" "$2")
    echo "$1: the model is $found, and should be in $3" > "$scratch/why"
    [ "${found#"$3"/}" != "$found" ] && cmp "$found" "$4" >> "$scratch/why"
}

make_tapped "$scratch/bundles" && make_state "$scratch/bundles/preset.lv2" urn:vipann:mono "$chosen" || exit 1
make_speech "$scratch/left.wav" Front_Left.wav Rear_Left.wav Side_Left.wav || exit 1
make_speech "$scratch/right.wav" Front_Right.wav Rear_Right.wav Side_Right.wav || exit 1

DO="make" ardour made ardour7-lua tests/hosts/ardour.lua && fill_session "$scratch/left.wav" "$scratch/right.wav"
verdict 'a session is made, and a preset gives a model' $?

DO="play" ardour played ardour7-lua tests/hosts/ardour.lua
verdict 'the session is played' $?
cp "$scratch/out" "$scratch/played"
sensible mono
verdict 'control outputs move as they should: mono' $?
sensible stereo $SPEECH
verdict 'control outputs move as they should: stereo, and speech is heard' $?
# shellcheck disable=SC2046 # names without spaces
{
    as_of_file "$chosen" $(stretches "$scratch/played" urn:vipann:mono 0)
    verdict 'what is played gives the numbers of vipann file: mono' $?
    as_of_file "$bundled" $(stretches "$scratch/played" urn:vipann:stereo 0)
    verdict 'what is played gives the numbers of vipann file: stereo' $?
}
has_model urn:vipann:mono "$scratch/played" "$SESSION" "$chosen"
verdict 'the model of the session is found again' $?

# The session is copied with all that belongs to it, and what it was made from is gone.
cp -rL "$SESSION" "$scratch/far/away/from/it" && rm -rf "$scratch/here" "$scratch/bundles/preset.lv2"
SESSION=$scratch/far/away/from/it/session
for n in 1 2; do
    export_session $n
    verdict "export $n of the session that has moved" $?
done
has_model urn:vipann:mono "$scratch/export1" "$SESSION" "$chosen"
verdict 'the model of the session is found again where it has moved to' $?
has_model urn:vipann:stereo "$scratch/export1" "$scratch/bundles/vipann.lv2/models" "$bundled"
verdict 'the model of the bundle needs no path' $?
"$build/tests/sound_file" same "$scratch/export1.wav" "$scratch/export2.wav" > "$scratch/why"
verdict 'two exports are the same sound' $?
for plugin in mono stereo; do
    first=$(stretches "$scratch/export1" urn:vipann:$plugin 1)
    second=$(stretches "$scratch/export2" urn:vipann:$plugin 1)
    grep -v '^end' "$first.log" > "$scratch/first"
    grep -v '^end' "$second.log" | diff "$scratch/first" - > "$scratch/why"
    verdict "two exports give the same numbers and events: $plugin" $?
done
as_of_file "$chosen" "$(stretches "$scratch/export1" urn:vipann:mono 1)"
verdict 'an export gives the numbers and events of vipann file: mono' $?
as_of_file "$bundled" "$(stretches "$scratch/export1" urn:vipann:stereo 1)"
verdict 'an export gives the numbers and events of vipann file: stereo' $?

counts
