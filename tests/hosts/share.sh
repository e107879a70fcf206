# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What tools.sh, jalv.sh and ardour.sh share; sourced from the root of the repository. They are run as `NAME.sh BUILD ...`
# and end with the line of counts that tests/run reads.
build=$(realpath "$1")
bundle=$build/bundles/vipann.lv2
scratch=$(mktemp -d)
trap 'tidy; rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0
# The specifications are bundles too; without them validators and hosts know nothing.
export LC_ALL=C.UTF-8 LV2_PATH="$build/bundles:/usr/lib/lv2"
unset VIPANN_MODEL
LIMIT=${LIMIT:-60} # seconds

tidy() { :; } # what else is to be done at the end

verdict() { # name, status (0: well); $scratch/out, err and why say more
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        tail -n 40 "$scratch/why" "$scratch/out" "$scratch/err" 2> /dev/null | sed 's/^/    /'
    fi
}

skip() { # reason
    echo "skip: $1"
    skipped=$((skipped + 1))
}

has() { # program
    command -v "$1" > /dev/null || { skip "no $1 here"; return 1; }
}

counts() { # the last line; the status of the whole
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed = 0 ]
}

# Waits until the command succeeds, for at most so many seconds.
until_true() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# A copy of the bundle with tap.c in the plugin's place. What hosts give and get is written where the variable TAP says.
make_tapped() { # folder that becomes $LV2_PATH
    mkdir -p "$1" && cp -r "$bundle" "$1/vipann.lv2" && mv "$1/vipann.lv2/vipann.so" "$1/vipann.lv2/real.so" &&
        cp "$build/tests/tap.so" "$1/vipann.lv2/vipann.so" && export LV2_PATH="$1:/usr/lib/lv2"
}

# A bundle with a state that has a model: for presets and for `jalv -l`.
make_state() { # folder, plugin, model
    mkdir -p "$1" && cp "$3" "$1/model.safetensors" && cat > "$1/manifest.ttl" << END && cat > "$1/state.ttl" << END2
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<state.ttl> a pset:Preset ; lv2:appliesTo <$2> ; rdfs:label "with a model" ; rdfs:seeAlso <state.ttl> .
END
@prefix atom: <http://lv2plug.in/ns/ext/atom#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
<> a pset:Preset ; lv2:appliesTo <$2> ; rdfs:label "with a model" ;
    state:state [ <urn:vipann:model> "model.safetensors"^^atom:Path ] .
END2
}

# The stretches that TAP has written with that start of names, of that plugin, in which there was sound: without endings, in
# order. Hosts let plugins run in silence before and behind.
stretches() { # start of names, plugin, free-wheeling (0 or 1)
    local log
    # shellcheck disable=SC2045 # in the order of their numbers; names of ours
    for log in $(ls -v "$1"-*.log 2> /dev/null); do
        grep -q "^begin $2 freewheel $3\$" "$log" && [ "$(awk '$1 == "result" && $8 > -100' "$log" | wc -l)" -gt 3 ] && echo "${log%.log}"
    done
}

# Each of them gave what `vipann file` says of the sound in it, and there is one.
as_of_file() { # model, stretches...
    local model=$1 stretch
    shift
    [ $# -gt 0 ] || { echo 'no stretch of sound with answers' > "$scratch/why"; return 1; }
    for stretch in "$@"; do
        timeout -k 1 "$LIMIT" "$build/tests/same_answers" "$build/vipann" "$model" "$stretch" > "$scratch/why" 2>&1 || return 1
    done
}

has_speech() {
    [ -e /usr/share/sounds/alsa/Front_Left.wav ] || { skip 'no spoken sounds in /usr/share/sounds/alsa here'; return 1; }
}

# Some of them, of 48 kHz, one after the other, and silence behind them.
make_speech() { # file, files of /usr/share/sounds/alsa...
    local out=$1
    shift
    "$build/tests/sound_file" join "$out" 4 "${@/#//usr/share/sounds/alsa/}"
}
