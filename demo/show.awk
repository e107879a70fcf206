# SPDX-License-Identifier: GPL-3.0-or-later
# Shows a timeline (scene.csv) beside what a model heard (JSON lines of `vipann file`): a row per passage, with the mean
# over those answers that pooled sound of the passage alone; then what the doubts did where the sound was foreign.
#   awk -f demo/show.awk -v model=NAME scene.csv results.jsonl
# With -v csv=1: the rows alone, as what,status,label,p,aleatoric_nats,epistemic_nats,unknown.

# The value of a key that occurs once in the line outside `top`; "" if it is null.
function value(line, key,    at, rest) {
    at = index(line, "\"" key "\":")
    if (!at) { return "" }
    rest = substr(line, at + length(key) + 3)
    sub(/^ */, "", rest)
    match(rest, /^[-+.0-9eE]+|^true|^false/)
    return RSTART == 1 ? substr(rest, 1, RLENGTH) : ""
}

# Adds the classes of `top` to passage k: heard[k, label] is the sum of p, spread[k, label] that of std.
function add_classes(k, top,    object, label) {
    while (match(top, /\{"label": ?"([^"\\]|\\.)*"[^}]*\}/)) {
        object = substr(top, RSTART, RLENGTH)
        top = substr(top, RSTART + RLENGTH)
        match(object, /: ?"([^"\\]|\\.)*"/)
        label = substr(object, RSTART, RLENGTH)
        sub(/^: ?"/, "", label)
        sub(/"$/, "", label)
        heard[k, label] += value(object, "p")
        spread[k, label] += value(object, "std")
        if (!((k, label) in met)) {
            met[k, label] = 1
            labels[k, ++n_labels[k]] = label
        }
    }
}

function most_probable(k, used,    i, best, label) {
    best = ""
    for (i = 1; i <= n_labels[k]; i++) {
        label = labels[k, i]
        if (!(label in used) && (best == "" || heard[k, label] > heard[k, best])) { best = label }
    }
    return best
}

function shortened(text, width) {
    return length(text) > width ? substr(text, 1, width - 3) "..." : text
}

function bar(x, most, width,    i, full, drawn) {
    full = most > 0 ? int(x / most * width + 0.5) : 0
    for (i = 1; i <= width; i++) { drawn = drawn (i <= full ? "█" : "·") }
    return drawn
}

function clock(s) {
    return sprintf("%d:%02d", int(s / 60), s % 60)
}

function average(sum, wanted, word,    k, n, x) {
    for (k = 1; k <= passages; k++) {
        if (status[k] == wanted && answers[k]) { n++; x += sum[k] / answers[k] }
    }
    counted[word] = n
    return n ? x / n : 0
}

function rows(    k, first, second, used) {
    printf "\n  %-11s %-19s %-10s %-39s %-15s %-15s %s\n", "time", "what plays", "to it", "what it hears (mean p, spread)",
        "sound's doubt", "model's doubt", "unknown"
    for (k = 1; k <= passages; k++) {
        if (!answers[k]) { continue }
        split("", used)
        first = most_probable(k, used)
        used[first] = 1
        second = most_probable(k, used)
        printf "  %-11s %-19s %-10s %-24s %.2f +-%.2f    %s %5.2f  %s %5.3f  %3d %%\n", clock(start[k]) "-" clock(end[k]), what[k],
            status[k], shortened(first, 24), heard[k, first] / answers[k], spread[k, first] / answers[k],
            bar(aleatoric[k] / answers[k], most_aleatoric, 8), aleatoric[k] / answers[k],
            bar(epistemic[k] / answers[k], most_epistemic, 8), epistemic[k] / answers[k],
            100 * unknown[k] / answers[k]
        if (second != "") {
            printf "  %-42s %-24s %.2f +-%.2f\n", "", shortened(second, 24), heard[k, second] / answers[k],
                spread[k, second] / answers[k]
        }
    }
}

function csv_rows(    k, used, first) {
    for (k = 1; k <= passages; k++) {
        split("", used)
        first = answers[k] ? most_probable(k, used) : ""
        n = answers[k] ? answers[k] : 1
        printf "%s,%s,\"%s\",%.4f,%.4f,%.4f,%.4f\n", what[k], status[k], first, heard[k, first] / n, aleatoric[k] / n,
            epistemic[k] / n, unknown[k] / n
    }
}

function movement(ratio) {
    return sprintf("%s (%.2f times)", ratio > 1.15 ? "rose" : ratio < 0.87 ? "fell" : "hardly moved", ratio)
}

function sentences(    k, used, first, known_a, known_e, said, refused, total) {
    known_a = average(aleatoric, "taught", "taught")
    known_e = average(epistemic, "taught", "taught")
    for (k = 1; k <= passages; k++) {
        if (kind[k] != "foreign" || !answers[k]) { continue }
        refused += unknown[k]
        total += answers[k]
        split("", used)
        first = most_probable(k, used)
        said = said sprintf("\n  %s it called \"%s\" with p = %.2f", toupper(substr(what[k], 1, 1)) substr(what[k], 2), first,
            heard[k, first] / answers[k])
        if (counted["taught"]) {
            said = said sprintf("; the sound's own doubt %s,\n    the model's %s.",
                movement(aleatoric[k] / answers[k] / known_a), movement(epistemic[k] / answers[k] / known_e))
        }
    }
    printf "\n  Doubt in nats, against what this model was taught (aleatoric %.2f, epistemic %.3f):%s\n", known_a, known_e, said
    printf "  It said \"unknown\" to %.0f %% of what was foreign.\n", total ? 100 * refused / total : 0
}

BEGIN { FS = "," }

FNR == NR {
    if (FNR > 1) {
        k = ++passages
        start[k] = $1; end[k] = $2; what[k] = $3; kind[k] = $4
        status[k] = kind[k]
        if (kind[k] == "taught") {
            status[k] = "not taught"
            n = split($5, taught, " ")
            for (i = 1; i <= n; i++) { if (index(model, taught[i])) { status[k] = "taught" } }
        }
    }
    next
}

{
    at = index($0, "\"top\":")
    match(substr($0, at), /\}\]/)
    top = substr($0, at, RSTART + 1)
    line = substr($0, 1, at - 1) substr($0, at + RSTART + 1)
    t = value(line, "t_s"); window = value(line, "window_s")
    for (k = 1; k <= passages; k++) {
        if (t - window >= start[k] && t <= end[k]) {
            answers[k]++
            aleatoric[k] += value(line, "aleatoric_nats")
            epistemic[k] += value(line, "epistemic_nats")
            unknown[k] += value(line, "unknown") == "true"
            add_classes(k, top)
        }
    }
}

END {
    for (k = 1; k <= passages; k++) {
        if (answers[k]) {
            if (aleatoric[k] / answers[k] > most_aleatoric) { most_aleatoric = aleatoric[k] / answers[k] }
            if (epistemic[k] / answers[k] > most_epistemic) { most_epistemic = epistemic[k] / answers[k] }
            any = 1
        }
    }
    if (!any) {
        print "show.awk: no answer lies within a passage of the timeline"
        exit 1
    }
    if (csv) {
        csv_rows()
        exit 0
    }
    rows()
    sentences()
}
