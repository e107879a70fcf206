# SPDX-License-Identifier: GPL-3.0-or-later
# What `make install` puts down `make uninstall` takes away: files and our own folders. What others put beside it stays,
# and a second uninstall finds nothing to complain of.
. tests/cli/common
. tests/cli/staged

stage
there() { # PATTERN...: under the prefix
    local pattern
    for pattern in "$@"; do
        compgen -G "$prefix/$pattern" > /dev/null || fail "nothing installed as $pattern"
    done
}
there bin/vipann lib/libvipann.so lib/libvipann.so.0 lib/libvipann.a lib/pkgconfig/vipann.pc include/vipann/vipann.h \
    'share/vipann/models/*.safetensors' share/vipann/presets/{quick,careful,night,fast,midi}.conf \
    lib/systemd/user/vipann.service 'share/man/man1/vipann*.1' 'share/man/man5/vipann*.5' share/bash-completion/completions/vipann share/doc/vipann/examples/hear.c
for program in $programs; do
    there "bin/$program" "share/man/man1/$program.1" "share/bash-completion/completions/$program"
    [ -x "$prefix/bin/$program" ] || fail "$program cannot be run"
done
find "$prefix" -type f -perm /022 > "$SCRATCH/out"
[ ! -s "$SCRATCH/out" ] || fail "others may write $(cat "$SCRATCH/out")"
[ "$(readlink "$prefix/lib/libvipann.so")" = libvipann.so.0 ] || fail "libvipann.so leads elsewhere"

touch "$prefix/share/man/man1/other.1" "$prefix/share/vipann/models/mine.safetensors" \
    "$prefix/share/vipann/presets/mine.conf"
make_here uninstall DESTDIR="$SCRATCH/stage"
[ ! -s "$SCRATCH/make" ] || fail "make uninstall says: $(cat "$SCRATCH/make")"
find "$prefix" -type f -o -type l | sort > "$SCRATCH/out"
diff "$SCRATCH/out" - > "$SCRATCH/err" << END || fail "$(cat "$SCRATCH/err")"
$prefix/share/man/man1/other.1
$prefix/share/vipann/models/mine.safetensors
$prefix/share/vipann/presets/mine.conf
END
rm "$prefix/share/vipann/models/mine.safetensors" "$prefix/share/vipann/presets/mine.conf"
make_here uninstall DESTDIR="$SCRATCH/stage"
find "$prefix" -name '*vipann*' > "$SCRATCH/out"
[ ! -s "$SCRATCH/out" ] || fail "left behind: $(cat "$SCRATCH/out")"
make_here uninstall DESTDIR="$SCRATCH/stage"
[ ! -s "$SCRATCH/make" ] || fail "make uninstall says, with nothing left to take away: $(cat "$SCRATCH/make")"
