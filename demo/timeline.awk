# SPDX-License-Identifier: GPL-3.0-or-later
# Draws the events of a label track under a timeline (scene.csv), one second per cell: what plays on top, then a row for
# each class, those that were heard longest, in the order in which they begin.
#   awk -f demo/timeline.awk scene.csv labels.txt

function drawn(row, from, to, mark,    i) {
    for (i = int(from + 0.5); i < int(to + 0.5); i++) { cell[row, i] = mark }
}

function line(name, row,    i, text) {
    for (i = 0; i < last; i++) {
        if (!((row, i) in cell)) { cell[row, i] = i % 10 ? " " : "·" }
        text = text cell[row, i]
    }
    if (length(name) > NAME) { name = substr(name, 1, NAME - 3) "..." }
    printf "  %-" NAME "s %s\n", name, text
}

# The words of a passage without its article, as many as fit above it.
function short(text,    words, n, i, kept) {
    sub(/^an? /, "", text)
    n = split(text, words, " ")
    for (i = 1; i <= n && length(kept " " words[i]) <= 12; i++) { kept = kept (i > 1 ? " " : "") words[i] }
    return kept
}

BEGIN { NAME = 24; ROWS = 8; what = 0 }

FNR == NR {
    split($0, part, ",")
    if (FNR > 1) {
        drawn(what, part[1], part[2], "━")
        names = sprintf("%-" part[1] "s%s", names, short(part[3]))
        last = part[2] + 3
    }
    next
}

{
    split($0, part, "\t")
    if (!(part[3] in seconds) || part[1] < first[part[3]]) { first[part[3]] = part[1] }
    seconds[part[3]] += part[2] - part[1]
    drawn(part[3], part[1], part[2], "█")
    events++
}

END {
    printf "\n  %-" NAME "s %s\n", "", names
    line("what plays", what)
    for (label in seconds) {
        longer = 0
        for (other in seconds) { longer += seconds[other] > seconds[label] || (seconds[other] == seconds[label] && other < label) }
        if (longer < ROWS) { shown[label] = 1 } else { more++ }
    }
    for (;;) {
        next_one = ""
        for (label in shown) {
            if (next_one == "" || first[label] < first[next_one] || (first[label] == first[next_one] && label < next_one)) {
                next_one = label
            }
        }
        if (next_one == "") { break }
        line(next_one, next_one)
        delete shown[next_one]
    }
    if (more) { printf "  and %d class%s more\n", more, more == 1 ? "" : "es" }
    if (!events) { print "  none" }
}
