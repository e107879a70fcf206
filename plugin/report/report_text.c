/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_text.c -- results for eyes.
 *
 *       time open        unsure         heard
 *    0:04.80 ██▌    3.12 ▌      0.21 ?~ 0.93±0.03 Speech  0.41±0.05 Narration
 *
 * One line per result: fixed columns first, so that the eye can run down them, then as many classes as the line has
 * room for. A whole file (--clip) is a block with one line per class instead. What is heard live has the time of the day
 * instead of that from the beginning and, where several inputs share the place, the input in front of it. */
#include "report.h"

#include <string.h>

#include <common/doubt.h>
#include <common/number.h>

enum {
    DOUBT_CELLS = 5,    /* of the two bars */
    CLASS_CELLS = 20,   /* of the bars of --clip */
    FIXED_CELLS = 38,   /* of a line before its first class */
    INPUT_CELLS = 8,    /* of the input in front of a line */
    LABEL_CELLS = 28,   /* most of a label in a line */
    EVENT_CELLS = 47,   /* of an event before its class */
    NUMBERS_CELLS = 11, /* "0.93+-0.03 " */
    SUMMARY_CELLS = 21, /* of a line of the summary before its class */
    LEAST_TEXT = 8      /* cells that a path has in any case, and the first label of a line */
};

static const char *
plus_minus(const vip_report *report)
{
    return report->style.unicode ? "\u00b1" : "+-";
}

/* ------------------------------------------------------------------------------------------------------- the head */

static void
put_event_legend(const vip_report *report)
{
    (void)fputs("p       the largest probability of the event, and the mean\n"
                "unsure  what the model has not learnt about this class (epistemic), in nats\n"
                "?       like nothing that the model was taught\n"
                "~       the model's calibration was made with another window or number of passes\n",
                report->out);
    if (report->live != NULL && report->live->begins) {
        (void)fputs("...     has begun and is heard still; the numbers are those so far\n", report->out);
    }
    (void)fputc('\n', report->out);
}

void
vip_report_text_head(const vip_report *report)
{
    if (!report->style.terminal || report->subject == VIP_SUMMARY) {
        return;
    }
    if (report->subject == VIP_EVENTS) {
        put_event_legend(report);
        return;
    }
    char open[VIP_NUMBER_SIZE], unsure[VIP_NUMBER_SIZE];
    FILE *out = report->out;
    (void)fprintf(out,
                  "open    doubt that the sound itself leaves (aleatoric), in nats; full at %s\n"
                  "unsure  what the model has not learnt (epistemic), in nats; full at %s\n"
                  "?       like nothing that the model was taught\n"
                  "~       the model's calibration was made with another window or number of passes\n"
                  "0.93%s0.03  probability, and its spread over the passes\n\n",
                  vip_number_fixed(open, vip_doubt_full_open(&report->info), 1),
                  vip_number_fixed(unsure, vip_doubt_full_unsure(&report->info), 1), plus_minus(report));
}

/* How far back an answer listens. Events are timed by a window of their own; the other one decides what is unknown. */
static void
put_window(const vip_report *report)
{
    char number[VIP_NUMBER_SIZE];
    uint32_t columns = report->options.window_columns;
    double column = report->info.column_seconds;
    const char *window = columns > 0 ? vip_number_fixed(number, columns * column, 2) : "all";
    const char *unit = columns > 0 ? " s" : "";
    FILE *out = report->out;
    if (report->subject == VIP_EVENTS) {
        char events[VIP_NUMBER_SIZE];
        (void)fprintf(out, ", window %s s (? by %s%s)", vip_number_fixed(events, VIPANN_EVENT_COLUMNS * column, 2),
                      window, unit);
    } else {
        (void)fprintf(out, ", window %s%s", window, unit);
    }
}

static void
put_settings(const vip_report *report)
{
    char number[VIP_NUMBER_SIZE];
    const vipann_options *o = &report->options;
    double column = report->info.column_seconds;
    FILE *out = report->out;
    if (o->passes == 0) {
        (void)fputs(", deterministic pass", out);
    } else {
        (void)fprintf(out, ", %u pass%s, seed %llu", o->passes, o->passes == 1 ? "" : "es",
                      (unsigned long long)o->seed);
    }
    if (!report->clip) {
        put_window(report);
        (void)fprintf(out, ", hop %s s", vip_number_fixed(number, o->hop_columns * column, 2));
        if (o->horizon_seconds > 0) {
            (void)fprintf(out, ", horizon %s s", vip_number_write(number, o->horizon_seconds, 4));
        }
        (void)fputs(report->info.causal ? ", causal" : o->latency == VIPANN_EDGE ? ", edge" : ", centred", out);
    }
}

/* Whether lines begin with the input that they are of. */
static bool
has_input(const vip_report *report)
{
    return report->live != NULL && report->live->named;
}

static void
put_columns(const vip_report *report)
{
    FILE *out = report->out;
    vip_text_look_set(out, &report->style, VIP_FAINT);
    if (has_input(report)) {
        (void)fprintf(out, "%-*s ", INPUT_CELLS, "input");
    }
    if (report->subject == VIP_EVENTS) {
        (void)fprintf(out, "%10s %10s  %-11s %7s     %s\n", "from", "to", "p (mean)", "unsure", "heard");
    } else {
        (void)fprintf(out, "%10s %-11s %-14s %s\n", "time", "open", "unsure", "heard");
    }
    vip_text_look_set(out, &report->style, VIP_PLAIN);
}

void
vip_report_text_file(const vip_report *report, const vip_audio_facts *facts)
{
    char number[VIP_NUMBER_SIZE];
    FILE *out = report->out;
    if (report->index > 0 && report->live == NULL) {
        (void)fputc('\n', out);
    }
    vip_text_look_set(out, &report->style, VIP_STRONG);
    (void)vip_text_put(out, &report->style, report->file, 0, SIZE_MAX);
    vip_text_look_set(out, &report->style, VIP_PLAIN);
    (void)fprintf(out, ": %s Hz, %u channel%s", vip_number_write(number, facts->rate, 9), facts->channels,
                  facts->channels == 1 ? "" : "s");
    if (report->options.channel >= 0) {
        (void)fprintf(out, " (only %d)", (int)report->options.channel + 1);
    }
    (void)fputs("; ", out);
    (void)vip_text_put(out, &report->style, report->id, 0, SIZE_MAX);
    put_settings(report);
    (void)fputc('\n', out);
    if (!report->clip && (report->live == NULL || !report->live->headed)) {
        put_columns(report);
    }
}

/* ----------------------------------------------------------------------------------------------------- the parts */

/* The input, where several share the place, and the cells that it takes. */
static size_t
put_input(const vip_report *report)
{
    if (!has_input(report)) {
        return 0;
    }
    size_t cells = vip_text_put(report->out, &report->style, report->file, INPUT_CELLS, INPUT_CELLS);
    (void)fputc(' ', report->out);
    return cells + 1;
}

/* A moment in ten cells: of a recording from its beginning, of what is heard live by the clock on the wall. */
static void
put_time(const vip_report *report, double seconds)
{
    char number[VIP_NUMBER_SIZE], clock[VIP_CLOCK_SIZE];
    const char *shown = report->live == NULL ? vip_number_clock(number, seconds, 2)
                                             : vip_clock_local(clock, report->live->utc + seconds);
    (void)fprintf(report->out, "%10s ", shown != NULL ? shown : "-");
}

/* Cells for the first class of a line, which is there in any case: `most`, but what is heard live keeps to the terminal
 * whatever stands before it. */
static size_t
label_cells(const vip_report *report, size_t at, size_t most)
{
    size_t columns = report->style.columns;
    if (report->live == NULL || columns == 0) {
        return most;
    }
    size_t room = columns > at + LEAST_TEXT ? columns - at : LEAST_TEXT;
    return room < most ? room : most;
}

static void
put_doubt(const vip_report *report, vip_text_look look, double nats, double full)
{
    char number[VIP_NUMBER_SIZE];
    vip_text_look_set(report->out, &report->style, look);
    vip_text_bar(report->out, &report->style, nats / full, DOUBT_CELLS);
    vip_text_look_set(report->out, &report->style, VIP_PLAIN);
    (void)fprintf(report->out, " %5s", vip_number_fixed(number, nats, 2));
}

static void
put_no_doubt(const vip_report *report)
{
    (void)fprintf(report->out, "%*s", DOUBT_CELLS + 6, "-");
}

/* Present, absent or in between: bold if the class passes its threshold (half, if the model states none). */
static vip_text_look
look_of(const vip_report *report, const vipann_result *r, uint32_t i)
{
    double threshold = vipann_model_threshold(report->model, i);
    return r->p[i] >= (threshold >= 0 ? threshold : 0.5) ? VIP_STRONG : VIP_FAINT;
}

static void
put_probability(const vip_report *report, const vipann_result *r, uint32_t i)
{
    char number[VIP_NUMBER_SIZE];
    (void)fputs(vip_number_fixed(number, r->p[i], 2), report->out);
    if (r->has_epistemic) {
        (void)fprintf(report->out, "%s%s", plus_minus(report), vip_number_fixed(number, r->std[i], 2));
    }
}

/* ---------------------------------------------------------------------------------------------------- the results */

static void
put_classes_in_line(const vip_report *report, const vipann_result *r, uint32_t n, size_t at)
{
    size_t columns = report->style.columns > 0 ? report->style.columns : SIZE_MAX;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = report->ranks[k].i;
        const char *label = vipann_model_label(report->model, i);
        size_t most = k > 0 ? LABEL_CELLS : label_cells(report, at + NUMBERS_CELLS, LABEL_CELLS);
        size_t cells = vip_text_cells(label);
        cells = cells < most ? cells : most;
        if (k > 0 && at + 2 + NUMBERS_CELLS + cells > columns) {
            break;
        }
        vip_text_look_set(report->out, &report->style, look_of(report, r, i));
        (void)fputs(k > 0 ? "  " : "", report->out);
        put_probability(report, r, i);
        (void)fputc(' ', report->out);
        (void)vip_text_put(report->out, &report->style, label, 0, most);
        vip_text_look_set(report->out, &report->style, VIP_PLAIN);
        at += NUMBERS_CELLS + cells + 2;
    }
}

/* In place of classes: whatever the network makes of silence is no news. */
static void
put_silence(const vip_report *report, const vipann_result *r)
{
    char number[VIP_NUMBER_SIZE];
    vip_text_look_set(report->out, &report->style, VIP_FAINT);
    (void)fprintf(report->out, "silence, %s dBFS", vip_number_fixed(number, r->level_dbfs, 0));
    vip_text_look_set(report->out, &report->style, VIP_PLAIN);
}

static void
put_line(const vip_report *report, const vipann_result *r, uint32_t n)
{
    FILE *out = report->out;
    size_t input = put_input(report);
    put_time(report, r->t_seconds);
    put_doubt(report, VIP_BLUE, r->aleatoric_nats, vip_doubt_full_open(&report->info));
    (void)fputc(' ', out);
    if (r->has_epistemic) {
        put_doubt(report, VIP_YELLOW, r->epistemic_nats, vip_doubt_full_unsure(&report->info));
    } else {
        put_no_doubt(report);
    }
    (void)fputc(' ', out);
    vip_text_look_set(out, &report->style, VIP_RED);
    (void)fputc(r->unknown == VIPANN_YES && !r->silent ? '?' : ' ', out);
    vip_text_look_set(out, &report->style, VIP_PLAIN);
    (void)fputs(r->calibrated ? "  " : "~ ", out);
    if (r->silent) {
        put_silence(report, r);
    } else {
        put_classes_in_line(report, r, n, input + FIXED_CELLS);
    }
    (void)fputc('\n', out);
}

static void
put_block(const vip_report *report, const vipann_result *r, uint32_t n)
{
    char number[VIP_NUMBER_SIZE];
    FILE *out = report->out;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = report->ranks[k].i;
        (void)fputs("  ", out);
        vip_text_look_set(out, &report->style, look_of(report, r, i));
        put_probability(report, r, i);
        (void)fputs("  ", out);
        vip_text_bar(out, &report->style, r->p[i], CLASS_CELLS);
        (void)fputs("  ", out);
        (void)vip_text_put(out, &report->style, vipann_model_label(report->model, i), 0, SIZE_MAX);
        vip_text_look_set(out, &report->style, VIP_PLAIN);
        (void)fputc('\n', out);
    }
    (void)fputs("  open    ", out);
    put_doubt(report, VIP_BLUE, r->aleatoric_nats, vip_doubt_full_open(&report->info));
    (void)fputs(" nats\n", out);
    if (r->has_epistemic) {
        (void)fputs("  unsure  ", out);
        put_doubt(report, VIP_YELLOW, r->epistemic_nats, vip_doubt_full_unsure(&report->info));
        (void)fputs(" nats\n", out);
    }
    (void)fprintf(out, "  heard %s s%s%s\n", vip_number_fixed(number, r->window_seconds, 2),
                  r->silent                  ? "; silence"
                  : r->unknown == VIPANN_YES ? "; like nothing that the model was taught"
                                             : "",
                  r->calibrated ? "" : "; not calibrated for this window and number of passes");
}

void
vip_report_text_result(const vip_report *report, const vipann_result *r)
{
    uint32_t n = vip_report_rank(report, r);
    if (report->clip) {
        put_block(report, r, n);
    } else {
        put_line(report, r, n);
    }
}

/* ----------------------------------------------------------------------------------------------------- the events */

void
vip_report_text_event(vip_report *report, const vipann_event *e)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE];
    FILE *out = report->out;
    size_t input = put_input(report);
    put_time(report, e->start_seconds);
    if (e->ended) {
        put_time(report, e->end_seconds);
    } else {
        (void)fprintf(out, "%10s ", "...");
    }
    (void)fprintf(out, " %s (%s) ", vip_number_fixed(a, e->p_max, 2), vip_number_fixed(b, e->p_mean, 2));
    (void)fprintf(out, "%8s ", e->has_epistemic ? vip_number_fixed(a, e->epistemic_nats, 3) : "-");
    vip_text_look_set(out, &report->style, VIP_RED);
    (void)fputc(e->unknown == VIPANN_YES ? '?' : ' ', out);
    vip_text_look_set(out, &report->style, VIP_PLAIN);
    (void)fputs(e->calibrated ? "  " : "~ ", out);
    vip_text_look_set(out, &report->style, VIP_STRONG);
    (void)vip_text_put(out, &report->style, vipann_model_label(report->model, e->class_index), 0,
                       label_cells(report, input + EVENT_CELLS, SIZE_MAX));
    vip_text_look_set(out, &report->style, VIP_PLAIN);
    (void)fputc('\n', out);
}

/* Cells for the labels of a summary. */
static size_t
widest_label(const vip_report *report, const uint32_t *order, uint32_t n)
{
    size_t widest = strlen("heard");
    for (uint32_t k = 0; k < n; k++) {
        size_t cells = vip_text_cells(vipann_model_label(report->model, order[k]));
        widest = cells > widest ? cells : widest;
    }
    return widest < LABEL_CELLS ? widest : LABEL_CELLS;
}

/* A path in what is left of the line; of a long one the end, which says more. */
static void
put_path(const vip_report *report, const char *path, size_t at)
{
    size_t columns = report->style.columns, cells = vip_text_cells(path);
    size_t room = columns == 0 ? cells : columns > at + LEAST_TEXT ? columns - at : LEAST_TEXT;
    if (cells > room) {
        size_t ellipsis = report->style.unicode ? 1 : 3;
        (void)fputs(report->style.unicode ? "\u2026" : "...", report->out);
        for (uint32_t code_point; cells > room - ellipsis; cells--) {
            path += vip_next_character(path, SIZE_MAX, &code_point);
        }
    }
    (void)vip_text_put(report->out, &report->style, path, 0, SIZE_MAX);
}

void
vip_report_text_summary(const vip_report *report, const vip_summary *summary, const uint32_t *order, uint32_t n)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE];
    FILE *out = report->out;
    if (n == 0) {
        (void)fputs("no events\n", out);
        return;
    }
    size_t label = widest_label(report, order, n);
    vip_text_look_set(out, &report->style, VIP_FAINT);
    (void)fprintf(out, "%8s %10s  %-*s  %s\n", "events", "time", (int)label, "heard", "most certain");
    vip_text_look_set(out, &report->style, VIP_PLAIN);
    for (uint32_t k = 0; k < n; k++) {
        const vip_class_summary *of = &summary->of[order[k]];
        (void)fprintf(out, "%8llu %10s  ", (unsigned long long)of->events, vip_number_clock(a, of->seconds, 1));
        (void)vip_text_put(out, &report->style, vipann_model_label(report->model, order[k]), label, label);
        int used = fprintf(out, "  %s at %s in ", vip_number_fixed(a, of->p_max, 2), vip_number_clock(b, of->start, 2));
        put_path(report, of->file, SUMMARY_CELLS + label + (size_t)(used > 0 ? used : 0));
        (void)fputc('\n', out);
    }
}
