/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_report.c -- holds the promises of plugin/report/report.h: the same moment and the same events, of a recording and
 * of live sound, in all formats to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <plugin/live/writer.h>
#include <plugin/report/report.h>

#include "model_file.h"
#include "schema.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { CLASSES = 4, LONG_LABEL = 3, TEXT = 4096 };

/* What is heard at 0.3 s is heard at 21:30:05.123 UTC; local time is that of a zone without a name. */
#define UTC 1795296604.823
static const char ZONE[] = "ABC-1:30";
static const vip_report_live ALONE = {.utc = UTC};
static const vip_report_live NAMED = {.utc = UTC, .named = true};
static const vip_report_live BEGINS = {.utc = UTC, .begins = true};
static const vip_report_live NAMED_BEGINS = {.utc = UTC, .named = true, .begins = true};

static float P[CLASSES] = {0.125F, 0.75F, 0.5F, 0.0625F}, STD[CLASSES] = {0.25F, 0.125F, 0.5F, 0};
static float EACH[CLASSES] = {0.25F, 0.5F, 0.25F, 0.125F};
static const vipann_result MOMENT = {.t_seconds = 0.3,
                                     .window_seconds = 4.8,
                                     .columns = 15,
                                     .passes = 4,
                                     .calibrated = true,
                                     .has_epistemic = true,
                                     .level_dbfs = -20.5,
                                     .reduction = VIPANN_REDUCTION_SUM,
                                     .total_nats = 1.375,
                                     .aleatoric_nats = 1.125,
                                     .epistemic_nats = 0.25,
                                     .gap_seconds = 1.5,
                                     .classes = CLASSES,
                                     .p = P,
                                     .std = STD,
                                     .aleatoric = EACH,
                                     .epistemic = EACH};

/* The same event when it begins and when it is over. */
static const vipann_event BEGUN = {.id = 1,
                                   .class_index = 1,
                                   .start_seconds = 0.3,
                                   .end_seconds = 0.9,
                                   .p_max = 0.5,
                                   .p_mean = 0.25,
                                   .unknown = VIPANN_CANNOT_SAY,
                                   .passes = 4};
static const vipann_event OVER = {.id = 1,
                                  .class_index = 1,
                                  .ended = true,
                                  .start_seconds = 0.3,
                                  .end_seconds = 1.5,
                                  .p_max = 0.75,
                                  .p_mean = 0.5,
                                  .has_epistemic = true,
                                  .epistemic_nats = 0.125,
                                  .unknown = VIPANN_YES,
                                  .passes = 4,
                                  .calibrated = true};

static vipann_model *model;

static int
open_model(void **state)
{
    if (make_model_folder(state) != 0) {
        return -1;
    }
    image plain = tiny_file(VIPANN_DROPOUT);
    image file = edited(&plain, "class 3", "Livestock, farm animals, working animals");
    scratch_write(model_path(), file.bytes, file.n);
    free(plain.bytes);
    free(file.bytes);
    model = vipann_model_open(model_path(), NULL);
    return model == NULL ? -1 : 0;
}

static int
close_model(void **state)
{
    vipann_model_unref(model);
    return remove_model_folder(state);
}

/* -------------------------------------------------------------------------------------------- what is written */

typedef struct {
    const char *format;
    vip_subject subject;
    const vip_report_live *live;
    const char *name;            /* NULL: "in_1" live, else "/a/b.wav" */
    size_t index;                /* of the recording or the input */
    size_t columns;              /* of a terminal without colour; 0: none */
    const vipann_event *event;   /* NULL: BEGUN, if events that begin are written, and OVER */
    const vipann_result *result; /* NULL: MOMENT */
    bool bare;                   /* no head */
} page;

static const vip_format *
format_of(const char *name)
{
    size_t i = 0;
    while (strcmp(VIP_FORMATS[i].name, name) != 0) {
        i++;
    }
    return &VIP_FORMATS[i];
}

static void
put_events(const vip_format *format, vip_report *report, const page *p)
{
    if (p->event != NULL) {
        format->event(report, p->event);
        return;
    }
    if (p->live != NULL && p->live->begins) {
        format->event(report, &BEGUN);
    }
    format->event(report, &OVER);
}

/* Writes what the page says into text. */
static const char *
write_page(const page *p, char text[TEXT])
{
    static const vip_audio_facts facts = {.rate = 48000, .channels = 1};
    const vip_format *format = format_of(p->format);
    vip_report report = {.live = p->live, .subject = p->subject, .top = 1, .index = p->index, .rate = facts.rate};
    assert_int_equal(vip_report_begin(&report, model, NULL), VIPANN_OK);
    memcpy(strchr(report.id, ' '), " 0123456789ab", sizeof " 0123456789ab"); /* whatever the bits of the weights are */
    vipann_options_default(&report.options, model);
    report.file = p->name != NULL ? p->name : p->live != NULL ? "in_1" : "/a/b.wav";
    report.style = (vip_text_style){.terminal = p->columns > 0, .columns = p->columns};
    memset(text, 0, TEXT);
    report.out = fmemopen(text, TEXT - 1, "w");
    assert_non_null(report.out);
    if (format->head != NULL && !p->bare) {
        format->head(&report);
    }
    if (format->file != NULL && !p->bare) {
        format->file(&report, &facts);
    }
    if (p->subject == VIP_RESULTS) {
        format->result(&report, p->result != NULL ? p->result : &MOMENT);
    } else {
        put_events(format, &report, p);
    }
    assert_int_equal(fclose(report.out), 0);
    vip_report_end(&report);
    return text;
}

typedef struct {
    page page;
    const char *text;
} expected_page;

static void
expect_pages(const expected_page *pages, size_t n)
{
    assert_int_equal(setenv("TZ", ZONE, 1), 0);
    for (size_t i = 0; i < n; i++) {
        char text[TEXT];
        assert_string_equal(write_page(&pages[i].page, text), pages[i].text);
    }
}

/* What follows the times, the same of recordings and of live sound. */
#define JSON_REST                                                                                                      \
    "\"window_s\":4.8,\"passes\":4,\"calibrated\":true,\"level_dbfs\":-20.5,\"silent\":false,\"top\":[{\"label\":"     \
    "\"class 1\",\"p\":0.75,\"std\":0.125,\"epistemic_nats\":0.5,\"aleatoric_nats\":0.5}],\"reduction\":\"sum\","      \
    "\"total_nats\":1.375,\"aleatoric_nats\":1.125,\"epistemic_nats\":0.25,\"unknown\":false}\n"
#define CSV_HEAD_REST                                                                                                  \
    "window_s,passes,calibrated,unknown,level_dbfs,silent,reduction,total_nats,aleatoric_nats,epistemic_nats,label_1," \
    "p_1,std_1,aleatoric_nats_1,epistemic_nats_1\r\n"
#define CSV_REST "4.8,4,yes,no,-20.5,no,sum,1.375,1.125,0.25,class 1,0.75,0.125,0.5,0.5\r\n"
#define HEAD     "48000 Hz, 1 channel; tiny 0123456789ab, 4 passes, seed 1, window 4.80 s, hop 0.32 s, centred\n"
#define COLUMNS  "      time open        unsure         heard\n"
#define LINE     " ####.  1.12 ##...  0.25    0.75+-0.12 class 1\n"

static void
test_results_are_of_a_recording_or_of_an_input_at_a_moment(void **state)
{
    (void)state;
    static const expected_page pages[] = {
        {{"jsonl", VIP_RESULTS, .live = NULL},
         "{\"file\":\"/a/b.wav\",\"model\":\"tiny 0123456789ab\",\"t_s\":0.3," JSON_REST},
        {{"jsonl", VIP_RESULTS, .live = &ALONE},
         "{\"input\":\"in_1\",\"model\":\"tiny 0123456789ab\",\"t_s\":0.3,\"utc\":\"2026-11-21T21:30:05.123Z\","
         "\"gap_s\":1.5," JSON_REST},
        {{"csv", VIP_RESULTS, .live = NULL},
         "file,model,t_s," CSV_HEAD_REST "/a/b.wav,tiny 0123456789ab,0.3," CSV_REST},
        {{"csv", VIP_RESULTS, .live = &NAMED},
         "input,model,t_s,utc,gap_s," CSV_HEAD_REST
         "in_1,tiny 0123456789ab,0.3,2026-11-21T21:30:05.123Z,1.5," CSV_REST},
        {{"text", VIP_RESULTS, .live = NULL}, "/a/b.wav: " HEAD COLUMNS "   0:00.30" LINE},
        {{"text", VIP_RESULTS, .live = &ALONE}, "in_1: " HEAD COLUMNS "23:00:05.1" LINE},
        {{"text", VIP_RESULTS, .live = &NAMED}, "in_1: " HEAD "input    " COLUMNS "in_1     23:00:05.1" LINE},
    };
    expect_pages(pages, LENGTH(pages));
}

#undef HEAD
#undef COLUMNS
#define JSON_OVER                                                                                                      \
    "\"end_s\":1.5,\"p_max\":0.75,\"p_mean\":0.5,\"epistemic_nats\":0.125,\"unknown\":true,\"passes\":4,"              \
    "\"calibrated\":true}\n"
#define JSON_LIVE                                                                                                      \
    "{\"input\":\"in_1\",\"model\":\"tiny 0123456789ab\",\"label\":\"class 1\",\"start_s\":0.3,"                       \
    "\"utc\":\"2026-11-21T21:30:05.123Z\","
#define CSV_COLUMNS "end_s,p_max,p_mean,epistemic_nats,unknown,passes,calibrated\r\n"
#define CSV_OVER    "1.5,0.75,0.5,0.125,yes,4,yes\r\n"
#define CSV_LIVE    "in_1,tiny 0123456789ab,class 1,0.3,2026-11-21T21:30:05.123Z,"
#define HEAD                                                                                                           \
    "48000 Hz, 1 channel; tiny 0123456789ab, 4 passes, seed 1, window 0.96 s (? by 4.80 s), hop 0.32 s, centred\n"
#define COLUMNS    "      from         to  p (mean)     unsure     heard\n"
#define LINE_OVER  "  0.75 (0.50)    0.125 ?  class 1\n"
#define LINE_BEGUN "  0.50 (0.25)        -  ~ class 1\n"
#define RAVEN_HEAD                                                                                                     \
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tBegin Path\t"  \
    "File Offset (s)\tAnnotation\tScore\tMean Score\tEpistemic (nats)\tUnknown\n"

static void
test_events_are_told_when_they_are_over_and_if_wanted_when_they_begin(void **state)
{
    (void)state;
    static const expected_page pages[] = {
        {{"jsonl", VIP_EVENTS, .live = NULL},
         "{\"file\":\"/a/b.wav\",\"model\":\"tiny 0123456789ab\",\"label\":\"class 1\",\"start_s\":0.3," JSON_OVER},
        {{"jsonl", VIP_EVENTS, .live = &ALONE}, JSON_LIVE JSON_OVER},
        {{"jsonl", VIP_EVENTS, .live = &BEGINS},
         JSON_LIVE "\"end_s\":null,\"p_max\":0.5,\"p_mean\":0.25,\"epistemic_nats\":null,\"unknown\":null,\"passes\":4,"
                   "\"calibrated\":false}\n" JSON_LIVE JSON_OVER},
        {{"csv", VIP_EVENTS, .live = NULL},
         "file,model,label,start_s," CSV_COLUMNS "/a/b.wav,tiny 0123456789ab,class 1,0.3," CSV_OVER},
        {{"csv", VIP_EVENTS, .live = &ALONE}, "input,model,label,start_s,utc," CSV_COLUMNS CSV_LIVE CSV_OVER},
        {{"csv", VIP_EVENTS, .live = &BEGINS},
         "input,model,label,start_s,utc," CSV_COLUMNS CSV_LIVE ",0.5,0.25,,,4,no\r\n" CSV_LIVE CSV_OVER},
        {{"text", VIP_EVENTS, .live = NULL}, "/a/b.wav: " HEAD COLUMNS "   0:00.30    0:01.50" LINE_OVER},
        {{"text", VIP_EVENTS, .live = &ALONE}, "in_1: " HEAD COLUMNS "23:00:05.1 23:00:06.3" LINE_OVER},
        {{"text", VIP_EVENTS, .live = &BEGINS},
         "in_1: " HEAD COLUMNS "23:00:05.1        ..." LINE_BEGUN "23:00:05.1 23:00:06.3" LINE_OVER},
        {{"text", VIP_EVENTS, .live = &NAMED_BEGINS},
         "in_1: " HEAD "input    " COLUMNS "in_1     23:00:05.1        ..." LINE_BEGUN
         "in_1     23:00:05.1 23:00:06.3" LINE_OVER},
        {{"labels", VIP_EVENTS, .live = NULL}, "0.300000\t1.500000\tclass 1\n"},
        {{"labels", VIP_EVENTS, .live = &NAMED_BEGINS}, "0.300000\t1.500000\tclass 1\n"},
        {{"raven", VIP_EVENTS, .live = NULL},
         RAVEN_HEAD
         "1\tSpectrogram 1\t1\t0.300000\t1.500000\t50.0\t8000.0\tb.wav\t/a/b.wav\t0.300000\tclass 1\t0.7500\t"
         "0.5000\t0.1250\tyes\n"},
        {{"raven", VIP_EVENTS, .live = NULL, .event = &BEGUN}, RAVEN_HEAD},
    };
    expect_pages(pages, LENGTH(pages));
}

static void
test_the_inputs_share_one_line_of_columns(void **state)
{
    (void)state;
    static const vip_report_live headed = {.utc = UTC, .named = true, .headed = true};
    static const expected_page pages[] = {
        {{"text", VIP_EVENTS, .live = &NAMED},
         "in_1: " HEAD "input    " COLUMNS "in_1     23:00:05.1 23:00:06.3" LINE_OVER},
        {{"text", VIP_EVENTS, .live = &headed, .name = "in_2", .index = 1},
         "in_2: " HEAD "in_2     23:00:05.1 23:00:06.3" LINE_OVER},
        {{"text", VIP_EVENTS, .live = NULL, .index = 1}, "\n/a/b.wav: " HEAD COLUMNS "   0:00.30    0:01.50" LINE_OVER},
    };
    expect_pages(pages, LENGTH(pages));
}

static void
test_inputs_that_speak_in_turn_share_one_line_of_columns(void **state)
{
    (void)state;
    static const char *const names[] = {"in_1", "in_2"};
    char text[TEXT] = "";
    FILE *out = fmemopen(text, TEXT - 1, "w");
    assert_non_null(out);
    const vip_writer_setup setup = {
        .out = out, .format = format_of("text"), .subject = VIP_EVENTS, .inputs = LENGTH(names), .names = names};
    vip_writer *writer = vip_writer_new(&setup, NULL);
    assert_non_null(writer);
    vipann_options options;
    vipann_options_default(&options, model);
    assert_int_equal(vip_writer_enter(writer, 1, model, &options, NULL), VIPANN_OK);
    for (uint32_t i = 0; i < setup.inputs; i++) {
        vip_writer_begin(writer, i, 48000, 1);
    }
    for (uint32_t i = 0; i < 2 * setup.inputs; i++) {
        vip_writer_event(writer, 1 - i % 2, 1, UTC, &OVER);
    }
    vip_writer_free(writer);
    assert_int_equal(fclose(out), 0);
    const char *columns = strstr(text, COLUMNS);
    assert_non_null(columns);
    assert_null(strstr(columns + 1, COLUMNS));
    assert_int_equal(strncmp(text, "in_2: 48000 Hz", strlen("in_2: 48000 Hz")), 0);
    assert_non_null(strstr(columns, "in_2     ")); /* of which the second one to speak has a head of its own */
    assert_non_null(strstr(strstr(columns, "in_2     "), "\nin_1: 48000 Hz"));
}

/* ---------------------------------------------------------------------------------------------------- the clock */

static void
test_utc_is_that_of_no_time_zone_and_rounded_to_what_is_shown(void **state)
{
    (void)state;
    static const char *const zones[] = {"UTC0", "ABC-14", "DEF+3:30"};
    static const struct {
        double t;
        const char *utc, *local[LENGTH(zones)];
    } table[] = {
        {0.3, "2026-11-21T21:30:05.123Z", {"21:30:05.1", "11:30:05.1", "18:00:05.1"}},
        {1.1764, "2026-11-21T21:30:05.999Z", {"21:30:06.0", "11:30:06.0", "18:00:06.0"}},
        {1.17651, "2026-11-21T21:30:06.000Z", {"21:30:06.0", "11:30:06.0", "18:00:06.0"}},
        {55.1766, "2026-11-21T21:31:00.000Z", {"21:31:00.0", "11:31:00.0", "18:01:00.0"}}, /* never :60 */
    };
    for (size_t i = 0; i < LENGTH(table) * LENGTH(zones); i++) {
        const size_t row = i / LENGTH(zones), zone = i % LENGTH(zones);
        vipann_result moment = MOMENT;
        moment.t_seconds = table[row].t;
        vipann_event event = OVER;
        event.start_seconds = table[row].t;
        assert_int_equal(setenv("TZ", zones[zone], 1), 0);
        char text[TEXT];
        for (size_t k = 0; k < 2; k++) {
            const vip_subject subject = k == 0 ? VIP_RESULTS : VIP_EVENTS;
            page p = {"jsonl", subject, &ALONE, .event = &event, .result = &moment};
            assert_non_null(strstr(write_page(&p, text), table[row].utc));
            p.format = "csv";
            assert_non_null(strstr(write_page(&p, text), table[row].utc));
            p.format = "text";
            p.bare = true;
            assert_int_equal(strncmp(write_page(&p, text), table[row].local[zone], strlen("21:30:05.1")), 0);
        }
    }
}

static void
test_no_moment_is_made_up(void **state)
{
    (void)state;
    static const double absurd[] = {NAN, INFINITY, -INFINITY, -86400, 1e300, -1e300, 253402300799.9};
    for (size_t i = 0; i < LENGTH(absurd); i++) {
        const vip_report_live live = {.utc = absurd[i]};
        const page pages[] = {{"jsonl", VIP_RESULTS, .live = &live}, {"jsonl", VIP_EVENTS, .live = &live},
                              {"csv", VIP_RESULTS, .live = &live},   {"csv", VIP_EVENTS, .live = &live},
                              {"text", VIP_RESULTS, .live = &live},  {"text", VIP_EVENTS, .live = &live}};
        static const char *const said[] = {
            "\"t_s\":0.3,\"utc\":null,", "\"start_s\":0.3,\"utc\":null,", ",0.3,,1.5,", ",0.3,,1.5,",
            "\n         - ####.",        "\n         -          -  0.75"};
        for (size_t k = 0; k < LENGTH(pages); k++) {
            char text[TEXT];
            if (strstr(write_page(&pages[k], text), said[k]) == NULL) {
                fail_msg("%g: %s", absurd[i], text);
            }
        }
    }
}

/* ---------------------------------------------------------------------------------------------------- any reader */

static void
test_lines_of_live_sound_fit_the_schema(void **state)
{
    (void)state;
    static const vip_report_live nowhen = {.utc = NAN, .begins = true};
    static const page pages[] = {
        {"jsonl", VIP_RESULTS, .live = NULL},    {"jsonl", VIP_EVENTS, .live = NULL},
        {"jsonl", VIP_RESULTS, .live = &NAMED},  {"jsonl", VIP_EVENTS, .live = &BEGINS},
        {"jsonl", VIP_RESULTS, .live = &nowhen}, {"jsonl", VIP_EVENTS, .live = &nowhen},
    };
    json_t *schema = json_load_file("common/result.schema.json", JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    for (size_t i = 0; i < LENGTH(pages); i++) {
        char text[TEXT], why[SCHEMA_WHY];
        char *line = strtok((char *)write_page(&pages[i], text), "\n");
        for (; line != NULL; line = strtok(NULL, "\n")) {
            json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
            assert_non_null(value);
            if (!schema_check(schema, value, why)) {
                fail_msg("%s: %s", why, line);
            }
            json_decref(value);
        }
    }
    json_decref(schema);
}

/* Asserts that the text is UTF-8 whose only control characters are those of lines and tables; returns its lines. */
static size_t
harmless_lines(const char *text)
{
    size_t lines = 0;
    for (uint32_t c; *text != '\0'; text += vip_next_character(text, SIZE_MAX, &c)) {
        (void)vip_next_character(text, SIZE_MAX, &c);
        assert_true(c != VIP_NO_CHARACTER);
        assert_true(!vip_is_control(c) || c == '\n' || c == '\r' || c == '\t');
        lines += c == '\n';
    }
    return lines;
}

static void
test_no_name_of_an_input_breaks_a_line_or_commands_a_terminal(void **state)
{
    (void)state;
    static const char *const names[] = {
        "new\nline", "tab\there",  "escape\033[31m",       "latin\351", "csi\302\233", "quote\"", "comma,", "-dash",
        "",          "sys:in\033", "K\u00fcche K\u00fcche"};
    static const struct {
        const char *format;
        vip_subject subject;
        size_t lines;
    } table[] = {{"text", VIP_RESULTS, 3}, {"text", VIP_EVENTS, 4}, {"jsonl", VIP_RESULTS, 1}, {"jsonl", VIP_EVENTS, 2},
                 {"csv", VIP_RESULTS, 2},  {"csv", VIP_EVENTS, 3},  {"labels", VIP_EVENTS, 1}};
    for (size_t i = 0; i < LENGTH(names) * LENGTH(table); i++) {
        const char *name = names[i / LENGTH(table)], *format = table[i % LENGTH(table)].format;
        char text[TEXT];
        const page p = {format, table[i % LENGTH(table)].subject, &NAMED_BEGINS, .name = name};
        size_t lines = harmless_lines(write_page(&p, text)), expected = table[i % LENGTH(table)].lines;
        /* in a table that has quotes, a line break is a name's own */
        bool own = strcmp(format, "csv") == 0 && strchr(name, '\n') != NULL;
        assert_int_equal(lines, own ? 2 * expected - 1 : expected);
    }
}

static void
test_lines_of_live_sound_keep_to_a_terminal_of_80_columns(void **state)
{
    (void)state;
    static const struct {
        vip_subject subject;
        const vip_report_live *live;
        size_t columns, cells;
    } table[] = {
        {VIP_RESULTS, &ALONE, 80, 77}, {VIP_RESULTS, &NAMED, 80, 80}, {VIP_EVENTS, &ALONE, 80, 80},
        {VIP_EVENTS, &NAMED, 80, 80},  {VIP_RESULTS, &ALONE, 0, 77},  {VIP_RESULTS, &NAMED, 0, 86},
        {VIP_EVENTS, &ALONE, 0, 87},   {VIP_EVENTS, &NAMED, 0, 96},
    };
    float p[CLASSES] = {[LONG_LABEL] = 0.75F};
    vipann_result moment = MOMENT;
    moment.p = p;
    vipann_event event = OVER;
    event.class_index = LONG_LABEL;
    assert_int_equal(setenv("TZ", ZONE, 1), 0);
    for (size_t i = 0; i < LENGTH(table); i++) {
        const page line = {"text",
                           table[i].subject,
                           .live = table[i].live,
                           .name = "system:capture_1",
                           .columns = table[i].columns,
                           .event = &event,
                           .result = &moment,
                           .bare = true};
        char text[TEXT];
        assert_int_equal(harmless_lines(write_page(&line, text)), 1);
        assert_int_equal(vip_text_cells(text) - 1, table[i].cells); /* but the end of the line */
        assert_non_null(strstr(text, " Livestock, farm"));
        assert_int_equal(strstr(text, "system.. 23:00:05.1 ") == text, line.live->named);
    }
}

static void
test_the_legend_says_what_dots_mean_where_there_are_any(void **state)
{
    (void)state;
    static const struct {
        vip_subject subject;
        const vip_report_live *live;
        bool dots;
    } table[] = {{VIP_EVENTS, &BEGINS, true},
                 {VIP_EVENTS, &ALONE, false},
                 {VIP_EVENTS, NULL, false},
                 {VIP_RESULTS, &BEGINS, false}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        const page p = {"text", table[i].subject, table[i].live, .columns = 80};
        char text[TEXT];
        assert_int_equal(strstr(write_page(&p, text), "\n...     has begun") != NULL, table[i].dots);
        assert_non_null(strstr(text, "\n\n")); /* and ends with an empty line */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_of_a_recording_or_of_an_input_at_a_moment),
        cmocka_unit_test(test_events_are_told_when_they_are_over_and_if_wanted_when_they_begin),
        cmocka_unit_test(test_the_inputs_share_one_line_of_columns),
        cmocka_unit_test(test_inputs_that_speak_in_turn_share_one_line_of_columns),
        cmocka_unit_test(test_utc_is_that_of_no_time_zone_and_rounded_to_what_is_shown),
        cmocka_unit_test(test_no_moment_is_made_up),
        cmocka_unit_test(test_lines_of_live_sound_fit_the_schema),
        cmocka_unit_test(test_no_name_of_an_input_breaks_a_line_or_commands_a_terminal),
        cmocka_unit_test(test_lines_of_live_sound_keep_to_a_terminal_of_80_columns),
        cmocka_unit_test(test_the_legend_says_what_dots_mean_where_there_are_any),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
