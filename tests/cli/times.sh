# SPDX-License-Identifier: GPL-3.0-or-later
# --hop, --start and --duration: when results come, and what they are about.
. tests/cli/common

wav 16000 1 64000 > "$SCRATCH/a.wav"
times() { # options...: the times of all results, in one line
    run 0 file --model "$TINY" --format jsonl "$@" "$SCRATCH/a.wav"
    sed 's/.*"t_s":\([^,]*\),.*/\1/' "$SCRATCH/out" | uniq | tr '\n' ' '
}

[[ "$(times)" == "0.32 0.64 0.96 1.28 "* ]] || fail "one column: $(times)"
[[ "$(times --hop 1)" == "0.96 1.92 2.88 "* ]] || fail "a second is three columns: $(times --hop 1)"
[[ "$(times --hop 0.01)" == "0.32 0.64 "* ]] || fail "never less than a column: $(times --hop 0.01)"
[[ "$(times --start 2)" == "2.32 2.64 "* ]] || fail "times of the whole file: $(times --start 2)"
last=$(times --start 1 --duration 0.64 | tr ' ' '\n' | tail -n 1)
awk -v t="$last" 'BEGIN { exit !(t >= 1.6 && t < 2) }' || fail "--duration 0.64 from 1 ends at $last"
