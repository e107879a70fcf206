# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed is all that a C program needs: pkg-config finds it, the example compiles without a warning, links with
# the shared library and with the static one, and hears what the program hears.
. tests/cli/common
. tests/cli/staged

cc=${CC:-cc}
warnings='-Wall -Wextra -Wpedantic -Werror'
stage
[ "$(wc -l < examples/hear.c)" -le 60 ] || fail "the example is longer than 60 lines"
[ "$(ask --modversion)" = "$("$VIPANN" --version | cut -d ' ' -f 2)" ] || fail "vipann.pc: version $(ask --modversion)"

# The header, alone, in every standard that it serves.
for standard in c99 c11 c17; do
    # shellcheck disable=SC2046,SC2086 # lists of flags
    echo '#include <vipann/vipann.h>' |
        $cc -std=$standard $warnings $(ask --cflags) -fsyntax-only -x c - 2> "$SCRATCH/err" ||
        fail "the header as $standard: $(cat "$SCRATCH/err")"
done

compile() { # OUTPUT FLAG...: the example as its first lines say
    local out=$1
    shift
    # shellcheck disable=SC2086 # lists of flags; CFLAGS are those of the build, which may be a sanitizer's
    $cc ${CFLAGS:-} -std=c11 $warnings "$prefix/share/doc/vipann/examples/hear.c" -o "$out" "$@" 2> "$SCRATCH/err" ||
        fail "the example does not compile: $(cat "$SCRATCH/err")"
}
# shellcheck disable=SC2046 # lists of flags
compile "$SCRATCH/shared" $(ask --cflags --libs)
mv "$prefix/lib/libvipann.so" "$prefix/lib/libvipann.so.0" "$SCRATCH"
# shellcheck disable=SC2046
compile "$SCRATCH/static" $(ask --static --cflags --libs)
! ldd "$SCRATCH/static" | grep -q libvipann || fail "the static example asks for the shared library"
mv "$SCRATCH/libvipann.so.0" "$prefix/lib"
ldd "$SCRATCH/shared" | grep -q 'libvipann\.so\.0' || fail "the example asks for no libvipann.so.0"

# Noise of 0.03 to 0.12 as floats, raw and as a wav file.
raw() {
    LC_ALL=C awk 'BEGIN {
        for (x = 1; n < 96000; n++) {
            x = (x * 16807) % 2147483647
            printf "%c%c%c%c", 1 + x % 127, 1 + x / 127 % 127, 1 + x / 16129 % 127, 61
        }
    }'
}
raw > "$SCRATCH/sound"
{
    printf RIFF; little 4 $((36 + 384000)); printf 'WAVEfmt '; little 4 16; little 2 3; little 2 1; little 4 32000
    little 4 128000; little 2 4; little 2 32; printf data; little 4 384000
    cat "$SCRATCH/sound"
} > "$SCRATCH/sound.wav"

run 0 file --model "$TINY" --top 1 --format csv "$SCRATCH/sound.wav"
awk -F , '
    NR == 1 { for (i = 1; i <= NF; i++) { at[$i] = i }; next }
    { printf "%8.2f s  %.2f +- %.2f %s; open %.2f, unsure %.2f nats\n", $at["t_s"], $at["p_1"], $at["std_1"],
             $at["label_1"], $at["aleatoric_nats"], $at["epistemic_nats"] }' "$SCRATCH/out" > "$SCRATCH/expected"
[ "$(wc -l < "$SCRATCH/expected")" -ge 9 ] || fail "the program says: $(cat "$SCRATCH/out")"
for kind in shared static; do
    LD_LIBRARY_PATH=$prefix/lib "$SCRATCH/$kind" "$TINY" 32000 < "$SCRATCH/sound" > "$SCRATCH/heard" 2> "$SCRATCH/err" ||
        fail "the $kind example: $(cat "$SCRATCH/err")"
    grep -vE '(has begun|is over)$' "$SCRATCH/heard" | diff "$SCRATCH/expected" - > "$SCRATCH/err" ||
        fail "the $kind example hears other things than the program: $(cat "$SCRATCH/err")"
done

# It says in one line what is wrong.
for arguments in "" "$TINY" "$TINY 7999" "nowhere.safetensors 32000"; do
    # shellcheck disable=SC2086 # several words
    "$SCRATCH/static" $arguments < /dev/null > "$SCRATCH/out" 2> "$SCRATCH/err"
    [ $? = 1 ] || fail "hear $arguments: not refused"
    said '^hear: '
done
