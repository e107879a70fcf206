/* SPDX-License-Identifier: GPL-3.0-or-later */
/* events.c -- `vipann events`: what a store holds, listed and exported. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <common/clock.h>
#include <common/csv.h>
#include <common/jsonl.h>
#include <common/number.h>
#include <common/store.h>
#include <common/support.h>
#include <common/text.h>
#include <common/tsv.h>
#include <common/when.h>

#include "commands.h"

enum { DIGITS = 7, TIME_DIGITS = 13, TIME_DECIMALS = 6, INPUT_CELLS = 12, SPAN = 32 };

enum { SINCE, UNTIL, LABEL, INPUT, UNKNOWN, HOURLY, NEWEST, FORMAT, N_OPTIONS };

#define WHICH "Which"
#define WHAT  "How to list them"

static const char *const FORMATS[] = {"text", "jsonl", "csv", "labels", NULL};
enum { TEXT, JSONL, CSV, LABELS };

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [SINCE] =
        &(const vip_option){"since", VIP_OPTION_TEXT, "WHEN", 0, 0, NULL, NULL, "the first", WHICH,
                            "That began at this moment or later: 2026-12-01, 2026-12-01T14:30, with a Z behind it "
                            "in UTC, or so long ago: 90s, 15m, 2h, 3d, 1w."},
    [UNTIL] = &(const vip_option){"until", VIP_OPTION_TEXT, "WHEN", 0, 0, NULL, NULL, "the last", WHICH,
                                  "That began before this moment."},
    [LABEL] = &(const vip_option){"label", VIP_OPTION_TEXT, "PATTERN", 0, 0, NULL, NULL, "any", WHICH,
                                  "Of such labels, as shells have patterns: 'dog*'. Case does not matter."},
    [INPUT] = &(const vip_option){"input", VIP_OPTION_TEXT, "NAME", 0, 0, NULL, NULL, "any", WHICH, "Of this input."},
    [UNKNOWN] = &(const vip_option){"unknown", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, WHICH,
                                    "Only those that are like nothing the model was taught."},
    [NEWEST] = &(const vip_option){"newest", VIP_OPTION_WHOLE, "N", 1, 1e15, NULL, NULL, "all", WHICH,
                                   "Only the newest N of them."},
    [HOURLY] =
        &(const vip_option){"hourly", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, WHAT,
                            "How many there were of each label in each hour that begins within these times; they "
                            "are kept longer than the events."},
    [FORMAT] =
        &(const vip_option){"format", VIP_OPTION_CHOICE, NULL, 0, 0, FORMATS, "text", NULL, WHAT,
                            "text for eyes (local time), jsonl, csv (UTC), or labels: an Audacity label track, whose "
                            "times count from --since, or from the first event that is listed."},
};

const vip_command VIP_EVENTS_COMMAND = {
    .name = "vipann events",
    .operands = "FILE",
    .summary = "Lists what `vipann live` and `vipann jack` have kept with --store.",
    .details = "The store may be in use meanwhile. An event without an end still lasts, or lasted when the program was "
               "killed.",
    .examples = "vipann events heard.db --since 12h\n"
                "vipann events heard.db --label '*bird*' --hourly --format csv\n"
                "vipann events heard.db --unknown --since 2026-12-01 --format jsonl",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 1,
    .most_operands = 1,
};

/* What is being written. */
typedef struct {
    const vip_arguments *arguments;
    vip_text_style style;
    int format;
    bool hours;
    double zero; /* of labels: s since 1970; NaN: not known yet */
    uint64_t rows;
} listing;

static const vip_value *
value(const listing *l, int which)
{
    return vip_argument(l->arguments, OPTIONS[which]);
}

/* "2026-12-01 21:30:05" in the user's time zone; "-" if it is not known. */
static const char *
local_time(double seconds, char out[SPAN])
{
    struct tm t;
    const time_t whole = isfinite(seconds) && fabs(seconds) < 1e12 ? (time_t)floor(seconds) : 0;
    if (!isfinite(seconds) || localtime_r(&whole, &t) == NULL || strftime(out, SPAN, "%Y-%m-%d %H:%M:%S", &t) == 0) {
        (void)snprintf(out, SPAN, "%-19s", "-");
    }
    return out;
}

static const char *
utc_time(double seconds, char out[VIP_CLOCK_SIZE])
{
    return vip_clock_utc(out, seconds);
}

/* ------------------------------------------------------------------------------------------------------------ text */

static void
put_head(const listing *l)
{
    vip_text_look_set(stdout, &l->style, VIP_FAINT);
    (void)fputs(l->hours ? "hour                events  unknown   seconds  input        label\n"
                         : "begin                seconds     p  unsure    input        label\n",
                stdout);
    vip_text_look_set(stdout, &l->style, VIP_PLAIN);
}

static void
put_text(const listing *l, const vip_store_row *row)
{
    char when[SPAN], a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE], c[VIP_NUMBER_SIZE];
    const char *seconds = isnan(row->seconds) ? "..." : vip_number_fixed(a, row->seconds, 1);
    (void)fprintf(stdout, "%s ", local_time(row->begin, when));
    if (l->hours) {
        (void)fprintf(stdout, "%6llu  %7llu  %8s  ", (unsigned long long)row->events,
                      (unsigned long long)row->unknown_events, seconds);
    } else {
        (void)fprintf(stdout, "%8s  %s  %6s ", seconds, isnan(row->p_max) ? " -  " : vip_number_fixed(b, row->p_max, 2),
                      isnan(row->epistemic_nats) ? "-" : vip_number_fixed(c, row->epistemic_nats, 3));
        vip_text_look_set(stdout, &l->style, VIP_RED);
        (void)fputs(row->unknown == VIPANN_YES ? "?  " : "   ", stdout);
        vip_text_look_set(stdout, &l->style, VIP_PLAIN);
    }
    (void)vip_text_put(stdout, &l->style, row->input, INPUT_CELLS, INPUT_CELLS);
    (void)fputc(' ', stdout);
    vip_text_look_set(stdout, &l->style, VIP_STRONG);
    (void)vip_text_put(stdout, &l->style, row->label, 0, SIZE_MAX);
    vip_text_look_set(stdout, &l->style, VIP_PLAIN);
    (void)fputc('\n', stdout);
}

/* ------------------------------------------------------------------------------------------------------ for machines */

static void
put_jsonl(const listing *l, const vip_store_row *row)
{
    char begin[VIP_CLOCK_SIZE], end[VIP_CLOCK_SIZE];
    vip_json json = {.out = stdout};
    vip_json_object(&json, NULL);
    vip_json_text(&json, l->hours ? "hour" : "begin", utc_time(row->begin, begin));
    if (l->hours) {
        vip_json_text(&json, "input", row->input);
        vip_json_text(&json, "label", row->label);
        vip_json_whole(&json, "events", row->events);
        vip_json_number(&json, "seconds", row->seconds, TIME_DIGITS);
        vip_json_whole(&json, "unknown", row->unknown_events);
    } else {
        vip_json_text(&json, "end", utc_time(row->end, end));
        vip_json_number(&json, "seconds", row->seconds, TIME_DIGITS);
        vip_json_text(&json, "input", row->input);
        vip_json_text(&json, "label", row->label);
        vip_json_text(&json, "model", row->model);
        vip_json_number(&json, "p_max", row->p_max, DIGITS);
        vip_json_number(&json, "p_mean", row->p_mean, DIGITS);
        vip_json_number(&json, "epistemic_nats", row->epistemic_nats, DIGITS);
        if (row->unknown == VIPANN_CANNOT_SAY) {
            vip_json_null(&json, "unknown");
        } else {
            vip_json_truth(&json, "unknown", row->unknown == VIPANN_YES);
        }
        vip_json_text(&json, "clip", row->clip);
    }
    vip_json_close(&json);
}

static void
put_names(const char *const *names)
{
    vip_csv csv = {.out = stdout};
    for (; *names != NULL; names++) {
        vip_csv_text(&csv, *names);
    }
    vip_csv_end(&csv);
}

static void
put_csv_head(const listing *l)
{
    static const char *const events[] = {"begin", "end",    "seconds",        "input",   "label", "model",
                                         "p_max", "p_mean", "epistemic_nats", "unknown", "clip",  NULL};
    static const char *const hours[] = {"hour", "input", "label", "events", "seconds", "unknown", NULL};
    put_names(l->hours ? hours : events);
}

static void
put_csv(const listing *l, const vip_store_row *row)
{
    static const char *const answers[] = {[VIPANN_NO] = "no", [VIPANN_YES] = "yes", [VIPANN_CANNOT_SAY] = ""};
    char begin[VIP_CLOCK_SIZE], end[VIP_CLOCK_SIZE];
    vip_csv csv = {.out = stdout};
    vip_csv_text(&csv, utc_time(row->begin, begin));
    if (l->hours) {
        vip_csv_text(&csv, row->input);
        vip_csv_text(&csv, row->label);
        vip_csv_number(&csv, (double)row->events, TIME_DIGITS);
        vip_csv_number(&csv, row->seconds, TIME_DIGITS);
        vip_csv_number(&csv, (double)row->unknown_events, TIME_DIGITS);
    } else {
        vip_csv_text(&csv, utc_time(row->end, end));
        vip_csv_number(&csv, row->seconds, TIME_DIGITS);
        vip_csv_text(&csv, row->input);
        vip_csv_text(&csv, row->label);
        vip_csv_text(&csv, row->model);
        vip_csv_number(&csv, row->p_max, DIGITS);
        vip_csv_number(&csv, row->p_mean, DIGITS);
        vip_csv_number(&csv, row->epistemic_nats, DIGITS);
        vip_csv_text(&csv, answers[row->unknown]);
        vip_csv_text(&csv, row->clip);
    }
    vip_csv_end(&csv);
}

/* What has no end is no label. */
static void
put_label(listing *l, const vip_store_row *row)
{
    if (isnan(row->begin) || isnan(row->end)) {
        return;
    }
    l->zero = isnan(l->zero) ? row->begin : l->zero;
    vip_tsv tsv = {.out = stdout};
    vip_tsv_fixed(&tsv, row->begin - l->zero, TIME_DECIMALS);
    vip_tsv_fixed(&tsv, row->end - l->zero, TIME_DECIMALS);
    vip_tsv_text(&tsv, row->label);
    vip_tsv_end(&tsv);
}

/* ------------------------------------------------------------------------------------------------------------- run */

static void
head(const listing *l)
{
    if (l->format == TEXT) {
        put_head(l);
    } else if (l->format == CSV) {
        put_csv_head(l);
    }
}

static void
take(void *user, const vip_store_row *row)
{
    listing *l = user;
    if (l->rows++ == 0) {
        head(l);
    }
    switch (l->format) {
    case JSONL:
        put_jsonl(l, row);
        break;
    case CSV:
        put_csv(l, row);
        break;
    case LABELS:
        put_label(l, row);
        break;
    default:
        put_text(l, row);
    }
}

static vipann_status
read_when(const listing *l, int which, double *out, vipann_error *error)
{
    static const char *const names[] = {[SINCE] = "--since", [UNTIL] = "--until"};
    *out = NAN;
    return value(l, which)->given
               ? vip_when_read(value(l, which)->text, vip_clock_seconds(CLOCK_REALTIME), names[which], out, error)
               : VIPANN_OK;
}

static int
run(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    listing l = {.arguments = arguments, .style = vip_text_style_of(stdout)};
    l.format = value(&l, FORMAT)->word;
    l.hours = value(&l, HOURLY)->given;
    vip_store_query query = {.label = value(&l, LABEL)->text,
                             .input = value(&l, INPUT)->text,
                             .unknown = value(&l, UNKNOWN)->given,
                             .hours = l.hours,
                             .newest = value(&l, NEWEST)->given ? value(&l, NEWEST)->whole : 0};
    vipann_status status = l.hours && l.format == LABELS
                               ? vip_fail(&error, VIPANN_E_ARG, "--hourly has no label track; give another --format")
                               : read_when(&l, SINCE, &query.since, &error);
    status = status == VIPANN_OK ? read_when(&l, UNTIL, &query.until, &error) : status;
    if (status == VIPANN_OK) {
        l.zero = query.since;
        status = vip_store_read(arguments->operands[0], &query, take, &l, &error);
    }
    if (status == VIPANN_OK && l.rows == 0) {
        if (l.format == CSV) {
            put_csv_head(&l);
        }
        (void)fprintf(stderr, "%s: nothing of that kind is in %s\n", VIP_EVENTS_COMMAND.name, arguments->operands[0]);
    }
    return vip_command_end(&VIP_EVENTS_COMMAND, status, &error);
}

int
vip_command_events(int argc, char **argv)
{
    return vip_command_line(&VIP_EVENTS_COMMAND, argc, argv, NULL, run);
}
