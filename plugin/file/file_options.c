/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file_options.c -- see file_options.h for the contract; the table is what the help, the manual and the completion come
 * from. */
#include "file_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <common/number.h>
#include <common/support.h>

#include <plugin/program/asked.h>
#include <plugin/program/commands.h>

enum { PIECE_WORK = 32 }; /* columns times members in one go: enough to pay, and small enough for the caches */

static const char *const LATENCIES[] = {"centred", "edge", NULL}; /* in the order of vipann_latency */

static const vip_option *const OPTIONS[VIP_FILE_N_OPTIONS] = {
    [VIP_FILE_START] =
        &(const vip_option){"start", VIP_OPTION_NUMBER, "SECONDS", 0, 1e7, NULL, "0", NULL, VIP_GROUP_SOUND,
                            "Leave out so much; times in results are still those of the whole file."},
    [VIP_FILE_DURATION] = &(const vip_option){"duration", VIP_OPTION_NUMBER, "SECONDS", 1e-3, 1e7, NULL, NULL,
                                              "to the end", VIP_GROUP_SOUND, "Hear this much of each file."},
    [VIP_FILE_CHANNEL] = &VIP_OPTION_CHANNEL,
    [VIP_FILE_RECURSIVE] =
        &(const vip_option){"recursive", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, VIP_GROUP_SOUND,
                            "Take folders too: the sound files in them and below, sorted by name. Hidden files and "
                            "those with other endings are passed over, links to folders are not followed."},
    [VIP_FILE_SHARD] =
        &(const vip_option){"shard", VIP_OPTION_TEXT, "I/N", 0, 0, NULL, NULL, "all", VIP_GROUP_SOUND,
                            "Of all files take every N-th only, beginning with the I-th: N computers with I = 1 to N "
                            "share the work."},
    [VIP_FILE_PRESET] = &VIP_OPTION_PRESET,
    [VIP_FILE_MODEL] = &VIP_OPTION_MODEL,
    [VIP_FILE_PASSES] = &VIP_OPTION_PASSES,
    [VIP_FILE_MEMBERS] = &VIP_OPTION_MEMBERS,
    [VIP_FILE_SEED] = &VIP_OPTION_SEED,
    [VIP_FILE_HOP] = &VIP_OPTION_HOP,
    [VIP_FILE_WINDOW] = &VIP_OPTION_WINDOW,
    [VIP_FILE_HORIZON] = &VIP_OPTION_HORIZON,
    [VIP_FILE_LATENCY] =
        &(const vip_option){
            "latency", VIP_OPTION_CHOICE, NULL, 0, 0, LATENCIES, "centred", NULL, VIP_GROUP_NETWORK,
            "centred: a result waits for all sound that bears on it. edge: as if the sound ended right there, as a "
            "live listener hears it; about three times the work."},
    [VIP_FILE_RULES] = &VIP_OPTION_RULES,
    [VIP_FILE_THRESHOLD] = &VIP_OPTION_THRESHOLD,
    [VIP_FILE_ONLY] = &VIP_OPTION_ONLY,
    [VIP_FILE_IGNORE] = &VIP_OPTION_IGNORE,
    [VIP_FILE_EXPLAIN] =
        &(const vip_option){"explain", VIP_OPTION_TEXT, "CLASS", 0, 0, NULL, NULL, NULL, VIP_GROUP_RULES,
                            "Show the rule in force for this class, and where each value comes from; hear nothing."},
    [VIP_FILE_EVENTS] = &VIP_OPTION_EVENTS,
    [VIP_FILE_SUMMARY] =
        &(const vip_option){"summary", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, VIP_GROUP_RESULTS,
                            "For each class, over all files: how many events, how many seconds, and the most certain "
                            "one."},
    [VIP_FILE_DISPLAY] =
        &(const vip_option){"display", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, VIP_GROUP_RESULTS,
                            "Show the results of one file, as they are found, on the whole of the terminal instead of "
                            "writing them; q ends it."},
    [VIP_FILE_CLIP] =
        &(const vip_option){"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, VIP_GROUP_RESULTS,
                            "One result for each whole file; hop, window, horizon and latency do not matter then."},
    [VIP_FILE_FORMAT] = &(
        const vip_option){"format", VIP_OPTION_CHOICE, NULL, 0, 0, VIP_FORMAT_NAMES, "text", NULL, VIP_GROUP_RESULTS,
                          "text for eyes, jsonl (one JSON object per line), csv (one row each; for each class shown "
                          "the columns label_1, p_1, std_1 and so on), or of events: labels (an Audacity label track), "
                          "raven (a Raven selection table)."},
    [VIP_FILE_TOP] = &VIP_OPTION_TOP,
    [VIP_FILE_OUTPUT] =
        &(const vip_option){"output", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, "standard output", VIP_GROUP_RESULTS,
                            "Write here; the file appears when all is done, whole or not at all."},
    [VIP_FILE_OUTPUT_DIR] =
        &(const vip_option){"output-dir", VIP_OPTION_TEXT, "DIR", 0, 0, NULL, NULL, NULL, VIP_GROUP_RESULTS,
                            "Write one file for each recording into this folder, called like the recording with "
                            ".txt, .jsonl, .csv, .labels.txt or .selections.txt behind; what --recursive finds keeps "
                            "its subfolders."},
    [VIP_FILE_RESUME] =
        &(const vip_option){"resume", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, VIP_GROUP_RESULTS,
                            "With --output or --output-dir: write each file when it is finished, keep a journal "
                            "(FILE.journal or DIR/vipann.journal), and given again go on where an earlier run ended, "
                            "whatever ended it."},
    [VIP_FILE_THREADS] =
        &(const vip_option){
            "threads", VIP_OPTION_WHOLE, "N", 1, 64, NULL, "1", NULL, VIP_GROUP_RESULTS,
            "Files to analyse at once. Results are the same and in the order of the files, but come a whole file at "
            "a time."},
};

const vip_command VIP_FILE_COMMAND = {
    .name = "vipann file",
    .operands = "FILE...",
    .summary = "Says what is heard in sound files, and how sure that is.",
    .details = "FILE is anything libsndfile reads (wav, flac, ogg, opus, mp3 and more) at 8 to 384 kHz with up to 64 "
               "channels, or - for standard input, or with --recursive a folder. Each file gives at least one result. "
               "One that cannot be read is reported on standard error, the others go on, and the exit status is 1; "
               "wrong options give 2.",
    .examples = "vipann file street.wav\n"
                "vipann file --clip --format csv --output heard.csv *.flac\n"
                "vipann file --preset night night.flac\n"
                "vipann file --events --only \"Dog;Siren\" --threshold 0.3 night.flac\n"
                "vipann file --format labels --output-dir labels *.wav\n"
                "vipann file --recursive --resume --format jsonl --output all.jsonl archive\n"
                "arecord -q -f S16_LE -r 32000 -t wav | vipann file --latency edge -",
    .options = OPTIONS,
    .n_options = VIP_FILE_N_OPTIONS,
    .least_operands = 0, /* --explain needs none */
    .most_operands = SIZE_MAX,
};

/* ------------------------------------------------------------------------------------------------- what is asked */

/* Whether --output names a file. */
static bool
writes_file(const vip_value *v)
{
    return v[VIP_FILE_OUTPUT].given && strcmp(v[VIP_FILE_OUTPUT].text, "-") != 0;
}

vip_subject
vip_file_subject(const vip_value *values)
{
    bool events = values[VIP_FILE_EVENTS].given || VIP_FORMATS[values[VIP_FILE_FORMAT].word].result == NULL;
    return values[VIP_FILE_SUMMARY].given ? VIP_SUMMARY : events ? VIP_EVENTS : VIP_RESULTS;
}

vipann_status
vip_file_shard(const char *text, uint64_t *i, uint64_t *n, vipann_error *error)
{
    char first[VIP_NUMBER_SIZE];
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : 0;
    bool good = length > 0 && length < sizeof first;
    if (good) {
        memcpy(first, text, length);
        first[length] = '\0';
        good = vip_number_read_whole(first, i) && vip_number_read_whole(slash + 1, n) && *i >= 1 && *i <= *n;
    }
    return good ? VIPANN_OK
                : vip_fail(error, VIPANN_E_ARG,
                           "%s: --shard: found \"%.40s\"; expected I/N, such as 2/8, with I of 1 to N",
                           VIP_FILE_COMMAND.name, text);
}

/* Two things that exclude one another, or one that needs another. */
static const char *
find_contradiction(const vip_arguments *a)
{
    const vip_value *v = a->values;
    const vip_format *format = &VIP_FORMATS[v[VIP_FILE_FORMAT].word];
    vip_subject subject = vip_file_subject(v);
    bool lasting = writes_file(v) || v[VIP_FILE_OUTPUT_DIR].given;
    if (v[VIP_FILE_DISPLAY].given &&
        (a->n_operands != 1 || v[VIP_FILE_RECURSIVE].given || lasting || v[VIP_FILE_FORMAT].given ||
         v[VIP_FILE_CLIP].given || v[VIP_FILE_EVENTS].given || v[VIP_FILE_SUMMARY].given)) {
        return "--display shows results and events of one file and writes nothing; leave out what says how to write";
    }
    if (v[VIP_FILE_CLIP].given && subject != VIP_RESULTS) {
        return "--clip gives one result for a whole file, which has no events; leave it out";
    }
    if (subject == VIP_SUMMARY && format->summary == NULL) {
        return "a summary is text, jsonl or csv; give one of these --format";
    }
    if (subject == VIP_RESULTS && !v[VIP_FILE_EXPLAIN].given && !v[VIP_FILE_DISPLAY].given &&
        (v[VIP_FILE_THRESHOLD].given || v[VIP_FILE_ONLY].given || v[VIP_FILE_IGNORE].given)) {
        return "--threshold, --only and --ignore are about events; give --events or --summary too";
    }
    if (v[VIP_FILE_OUTPUT].given && v[VIP_FILE_OUTPUT_DIR].given) {
        return "--output and --output-dir exclude one another; give one of them";
    }
    if (subject == VIP_SUMMARY && (v[VIP_FILE_OUTPUT_DIR].given || v[VIP_FILE_RESUME].given)) {
        return "--summary is one for all files, at the end; leave out --output-dir and --resume";
    }
    if (v[VIP_FILE_RESUME].given && !lasting) {
        return "--resume needs --output FILE or --output-dir DIR to go on with";
    }
    if (format->single && !v[VIP_FILE_OUTPUT_DIR].given && (a->n_operands > 1 || v[VIP_FILE_RECURSIVE].given)) {
        return "--format labels and raven tell of one recording in a file; give --output-dir DIR for one file each";
    }
    return NULL;
}

vipann_status
vip_file_check(const vip_arguments *arguments, vipann_error *error)
{
    const vip_value *v = arguments->values;
    uint64_t i, n;
    if (arguments->n_operands == 0 && !v[VIP_FILE_EXPLAIN].given) {
        return vip_fail(error, VIPANN_E_ARG, "%s: nothing to work on; expected %s %s (see \"%s --help\")",
                        VIP_FILE_COMMAND.name, VIP_FILE_COMMAND.name, VIP_FILE_COMMAND.operands, VIP_FILE_COMMAND.name);
    }
    const char *contradiction = find_contradiction(arguments);
    if (contradiction != NULL) {
        return vip_fail(error, VIPANN_E_ARG, "%s: %s", VIP_FILE_COMMAND.name, contradiction);
    }
    return v[VIP_FILE_SHARD].given ? vip_file_shard(v[VIP_FILE_SHARD].text, &i, &n, error) : VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------- engine */

void
vip_file_engine_options(const vip_arguments *arguments, const vipann_model *model, vipann_options *options)
{
    vipann_model_info info;
    const vip_value *v = arguments->values;
    vipann_options *o = options;
    vipann_model_describe(model, &info);
    vip_asked_engine_options(arguments, model, o);
    o->latency = (vipann_latency)v[VIP_FILE_LATENCY].word;
    if (v[VIP_FILE_CLIP].given) {
        o->latency = VIPANN_CENTRED;
        o->window_columns = 0;
        o->hop_columns = VIPANN_MAX_HOP_COLUMNS; /* only the last result is wanted, so the fewer before the better */
        o->horizon_seconds = 0;
    }
    uint32_t members = o->passes > 0 ? o->passes : 1;
    uint32_t piece = o->latency == VIPANN_EDGE && !info.causal ? o->hop_columns : PIECE_WORK / members;
    piece = piece > 0 ? piece : 1;
    o->piece_columns = piece < VIPANN_MAX_PIECE_COLUMNS ? piece : VIPANN_MAX_PIECE_COLUMNS;
}

/* ----------------------------------------------------------------------------------------------------- settings */

/* FNV-1a. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* What the rules say of all classes, in short. */
static uint64_t
digest_rules(const vipann_rules *rules, uint32_t classes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < classes; i++) {
        vipann_rule rule;
        vipann_rules_describe(rules, i, &rule);
        const double numbers[] = {rule.threshold, rule.release, rule.min_length_seconds, rule.merge_gap_seconds,
                                  rule.level_dbfs};
        const uint32_t counts[] = {rule.k, rule.n, rule.report};
        hash = mix(hash, numbers, sizeof numbers);
        hash = mix(hash, counts, sizeof counts);
    }
    return hash;
}

typedef struct {
    vip_setting *all;
    size_t n;
} list;

static void
add_text(list *l, const char *key, const char *value)
{
    vip_setting *s = &l->all[l->n++];
    s->key = key;
    (void)snprintf(s->value, sizeof s->value, "%s", value);
}

static void
add_number(list *l, const char *key, double value)
{
    char number[VIP_NUMBER_SIZE];
    add_text(l, key, vip_number_write(number, value, 17));
}

static void
add_whole(list *l, const char *key, uint64_t value)
{
    char number[VIP_NUMBER_SIZE];
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    add_text(l, key, number);
}

size_t
vip_file_settings(const vip_value *values, const vipann_model *model, const vipann_options *options,
                  vip_setting settings[VIP_FILE_SETTINGS])
{
    static const char *const subjects[] = {"results", "events", "summary"};
    vipann_model_info info;
    list l = {settings, 0};
    vipann_model_describe(model, &info);
    add_text(&l, "version", vipann_version());
    add_text(&l, "model", info.sha256);
    add_text(&l, "what", subjects[vip_file_subject(values)]);
    add_text(&l, "clip", values[VIP_FILE_CLIP].given ? "yes" : "no");
    add_text(&l, "format", VIP_FORMATS[values[VIP_FILE_FORMAT].word].name);
    add_text(&l, "top", values[VIP_FILE_TOP].text);
    add_number(&l, "start", values[VIP_FILE_START].number);
    add_number(&l, "duration", values[VIP_FILE_DURATION].given ? values[VIP_FILE_DURATION].number : 0);
    add_number(&l, "channel", options->channel + 1);
    add_whole(&l, "passes", options->passes);
    add_text(&l, "members", VIP_MEMBERS_NAMES[options->members]);
    add_whole(&l, "seed", options->seed);
    add_whole(&l, "hop", options->hop_columns);
    add_whole(&l, "window", options->window_columns);
    add_number(&l, "horizon", options->horizon_seconds);
    add_text(&l, "latency", LATENCIES[options->latency]);
    char rules[VIP_NUMBER_SIZE];
    (void)snprintf(rules, sizeof rules, "%016llx", (unsigned long long)digest_rules(options->rules, info.classes));
    add_text(&l, "rules", rules);
    return l.n;
}
