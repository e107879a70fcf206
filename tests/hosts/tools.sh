#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the bundle in the small hosts that are installed: tests/hosts/tools.sh BUILD
# Each ends with status 0, keeps the length, passes floats bit for bit, and lets no word of ours out on stderr.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/share.sh

# Ends with 0 if the command does and is quiet about us.
run() { # command...
    timeout -k 5 "$LIMIT" "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null
    local status=$?
    echo "status $status of $*" > "$scratch/why"
    [ $status = 0 ] && ! grep -i vipann "$scratch/err" >> "$scratch/why"
}

# The result of a host that wrote $scratch/o.wav.
same() { # input, [frames that may follow]
    "$build/tests/sound_file" same "$1" "$scratch/o.wav" "${2:-0}" >> "$scratch/why"
}

for channels in 1 2; do
    "$build/tests/sound_file" make $channels "$scratch/$channels.wav" || exit 1
done

exported=$(nm -D --defined-only "$bundle/vipann.so" | awk '{ print $NF }' | grep -Ev '^__(odr_)?asan')
[ "$exported" = lv2_descriptor ]
status=$?
echo "exported: $exported" > "$scratch/why"
verdict 'the library exports lv2_descriptor and nothing else' $status

if has lv2_validate && has sord_validate; then
    run lv2_validate "$bundle"/*.ttl
    verdict lv2_validate $?
fi
if has lv2ls; then
    run lv2ls && [ "$(grep -c '^urn:vipann:\(mono\|stereo\)$' "$scratch/out")" = 2 ]
    verdict lv2ls $?
fi

for plugin in mono stereo; do
    uri=urn:vipann:$plugin
    channels=1
    [ $plugin = mono ] || channels=2
    input=$scratch/$channels.wav
    if has lv2info; then
        run lv2info $uri && [ ! -s "$scratch/err" ] && grep -q 'Presets:' "$scratch/out"
        verdict "lv2info $uri" $?
    fi
    if has lv2bench; then
        for block in 1 512 8192; do
            run lv2bench -b $block -n 20000 $uri && grep -q "$uri" "$scratch/out"
            verdict "lv2bench -b $block $uri" $?
        done
    fi
    if has lv2apply; then
        run lv2apply -i "$input" -o "$scratch/o.wav" -c threshold 0.2 $uri && same "$input"
        verdict "lv2apply $uri" $?
    fi
    if has lv2file; then
        run lv2file -i "$input" -o "$scratch/o.wav" -p threshold:0.2 $uri && same "$input" 4096 # it fills its last block
        verdict "lv2file $uri" $?
    fi
    if has ffmpeg; then
        if ffmpeg -hide_banner -filters 2> /dev/null | grep -q ' lv2 '; then
            # Colons are doubly escaped: for the list of options and for the graph of filters.
            run ffmpeg -v error -y -i "$input" -af "lv2=p=${uri//:/\\\\:}:c=threshold=0.2" -c:a pcm_f32le \
                "$scratch/o.wav" && same "$input"
            verdict "ffmpeg $uri" $?
        else
            skip 'this ffmpeg is without its lv2 filter'
        fi
    fi
    if has gst-launch-1.0; then
        element=urn-vipann-$plugin
        # A registry of its own: the user's remembers plugins that were there once.
        export GST_REGISTRY=$scratch/registry
        if gst-inspect-1.0 lv2 > /dev/null 2>&1; then
            run gst-launch-1.0 -q filesrc location="$input" ! wavparse ! audioconvert ! \
                audio/x-raw,format=F32LE,channels=$channels ! $element ! audioconvert ! wavenc ! \
                filesink location="$scratch/o.wav" && same "$input"
            verdict "gst-launch $element" $?
        else
            skip 'GStreamer is without its lv2 plugin'
        fi
    fi
done

counts
