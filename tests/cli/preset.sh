# SPDX-License-Identifier: GPL-3.0-or-later
# --preset: options from a file, found by path or by name; what the command line says wins, wherever it stands.
. tests/cli/common

wav 16000 1 32000 > "$SCRATCH/a.wav"
vipann=$(realpath "$VIPANN") # some of this happens elsewhere
built=$(realpath "$(dirname "$VIPANN")/presets")
TINY=$(realpath "$TINY")
VIPANN=$vipann
export XDG_CONFIG_HOME="$SCRATCH/settings" HOME="$SCRATCH/home"
mine=$XDG_CONFIG_HOME/vipann/presets
home=$HOME/.config/vipann/presets
mkdir -p "$mine" "$home" "$SCRATCH/here/night"

# passes N ARGUMENT...: so many were used.
passes() {
    local expected=$1
    shift
    run 0 file --model "$TINY" --format jsonl --duration 1 "$@" "$SCRATCH/a.wav"
    quiet
    grep -q "\"passes\":$expected[,}]" "$SCRATCH/out" || fail "vipann file $*: not $expected passes: $(head -n 1 "$SCRATCH/out")"
}

cat > "$SCRATCH/three.conf" << END
# A test.
passes = 3
midi = yes
END
printf 'passes = 5\nduration = 1e7\n' > "$SCRATCH/five.conf"
passes 3 --preset "$SCRATCH/three.conf"
passes 3 --preset="$SCRATCH/three"
passes 2 --preset "$SCRATCH/three.conf" --passes 2
passes 2 --passes 2 --preset "$SCRATCH/three.conf"
passes 5 --preset "$SCRATCH/three.conf" --preset "$SCRATCH/five.conf"
passes 3 --preset <(cat "$SCRATCH/three.conf")

# A name: a file here, the user's, and those that are built, in this order. A folder of that name does not matter.
cd "$SCRATCH/here" || exit 1
printf 'passes = 6\n' > "$mine/night.conf"
passes 6 --preset night
passes 6 --preset night.conf
printf 'passes = 7\n' > night.conf
passes 7 --preset night
printf 'passes = 4\n' > "$home/home.conf"
run 1 file --preset home "$SCRATCH/a.wav"
said '^vipann file: --preset: "home" not found; give the path of an option file, or one of: .*night'
(
    unset XDG_CONFIG_HOME
    passes 4 --preset home
    export XDG_CONFIG_HOME=settings # is not absolute, so that it does not count
    passes 4 --preset home
) || exit 1
rm "$home/home.conf"
run 1 file --preset nigt "$SCRATCH/a.wav"
said 'one of: careful, fast, midi, night, quick$'
run 1 file --preset ./nigt "$SCRATCH/a.wav"
said '"./nigt" not found'

# Everything that is built is accepted, from the preset's own name; the build knows all that the table has.
rm "$mine/night.conf" night.conf
"$built/write" | sort > "$SCRATCH/names"
(cd "$built" && printf '%s\n' *.conf) | sed 's/\.conf$//' | sort | diff "$SCRATCH/names" - > "$SCRATCH/diff" ||
    fail "the Makefile's PRESETS are not those of the table: $(cat "$SCRATCH/diff")"
while read -r name; do
    head -n 1 "$built/$name.conf" | grep -q '^# [^:]*: .*\.$' || fail "$name.conf does not say what it is for"
    run 0 file --model "$TINY" --preset "$name" "$SCRATCH/a.wav"
    quiet
    run 0 file --model "$TINY" --preset "$built/$name.conf" --format jsonl "$SCRATCH/a.wav"
    quiet
done < "$SCRATCH/names"
passes 2 --preset quick

# What a file says counts like what the command line says, mistakes too.
printf 'threshold = 0.3\n' > wrong.conf
run 2 file --preset wrong "$SCRATCH/a.wav"
said '^vipann file: --threshold, --only and --ignore are about events'
printf 'events = yes\nthreshold = 0.3\n' > right.conf
run 0 file --model "$TINY" --preset right "$SCRATCH/a.wav"
printf '\npases = 3\n' > wrong.conf
run 1 file --preset wrong "$SCRATCH/a.wav"
said '^vipann file: wrong.conf:2: pases: unknown option; did you mean passes?$'
printf 'preset = right\n' > wrong.conf
run 1 file --preset ./wrong.conf "$SCRATCH/a.wav"
said '^vipann file: ./wrong.conf:1: preset: found "right"; expected no other file; write its lines here$'
run 2 file --preset "" "$SCRATCH/a.wav"
said '^vipann file: --preset: the value is empty; give NAME|FILE$'
run 0 file --preset nowhere --help
run 1 file --preset / "$SCRATCH/a.wav"
said '"/" not found'
