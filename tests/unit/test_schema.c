/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_schema.c -- holds common/result.schema.json, and what the program writes, to one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema.h"
#include "scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const char SCHEMA[] = "common/result.schema.json";

static const char GOOD[] =
    "{\"file\":\"a.wav\",\"model\":\"tiny 0123456789ab\",\"t_s\":0.32,\"window_s\":0.32,\"passes\":8,"
    "\"calibrated\":false,\"level_dbfs\":-20.5,\"silent\":false,\"top\":[{\"label\":\"Dog\",\"p\":0.5,\"std\":0.1,"
    "\"epistemic_nats\":0.1,"
    "\"aleatoric_nats\":0.2}],\"reduction\":\"sum\",\"total_nats\":0.3,\"aleatoric_nats\":0.2,"
    "\"epistemic_nats\":0.1,\"unknown\":false}";

static const char EVENT[] =
    "{\"file\":\"a\",\"model\":\"m 0123456789ab\",\"label\":\"Dog\",\"start_s\":0,\"end_s\":1,\"p_max\":1,"
    "\"p_mean\":0.5,\"epistemic_nats\":null,\"unknown\":null,\"passes\":1,\"calibrated\":true}";

enum { LINE = 2 * sizeof GOOD };

static json_t *
load_schema(void)
{
    json_error_t error;
    json_t *schema = json_load_file(SCHEMA, JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL) {
        fail_msg("%s:%d: %s", SCHEMA, error.line, error.text);
    }
    return schema;
}

/* Asserts that the line, with the first `found` in it (unless NULL) replaced by `put`, is good or is not. */
static void
check_line(const json_t *schema, const char *line, const char *found, const char *put, bool good)
{
    char changed[2 * LINE], why[SCHEMA_WHY] = "the fault is not seen";
    const char *at = found != NULL ? strstr(line, found) : line;
    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - line), line, found != NULL ? put : "",
                   at + (found != NULL ? strlen(found) : 0));
    json_t *value = json_loads(changed, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    if (schema_check(schema, value, why) != good) {
        fail_msg("%s: %s", why, changed);
    }
    json_decref(value);
}

static void
test_the_schema_uses_only_what_is_checked(void **state)
{
    (void)state;
    json_t *schema = load_schema();
    const char *foreign = schema_foreign_word(schema);
    if (foreign != NULL) {
        fail_msg("the schema says \"%s\", which the check does not know", foreign);
    }
    json_decref(schema);
}

static void
test_a_good_line_passes_and_each_fault_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *found, *put;
    } faults[] = {
        {"\"file\":\"a.wav\",", ""},
        {"\"a.wav\"", "\"\""},
        {"\"a.wav\"", "1"},
        {" 0123456789ab", ""},
        {"0123456789ab", "0123456789aB"},
        {"\"t_s\":0.32", "\"t_s\":-1"},
        {"\"t_s\":0.32", "\"t_s\":null"},
        {"\"passes\":8", "\"passes\":8.5"},
        {"\"passes\":8", "\"passes\":65"},
        {"false", "0"},
        {"\"p\":0.5", "\"p\":1.01"},
        {"\"std\":0.1,", ""},
        {"\"std\":0.1", "\"std\":false"},
        {"\"std\":0.1", "\"std\":0.1,\"extra\":1"},
        {"\"sum\"", "\"mean\""},
        {"\"total_nats\":0.3,", ""},
        {"\"total_nats\":0.3", "\"total_nats\":null"},
        {"\"unknown\":false", "\"unknown\":\"no\""},
        {"\"unknown\":false", "\"unknown\":false,\"time\":1"},
        {"\"level_dbfs\":-20.5", "\"level_dbfs\":-201"},
        {"\"level_dbfs\":-20.5", "\"level_dbfs\":null"},
        {",\"silent\":false", ""},
        {"\"silent\":false", "\"silent\":null"},
    };
    static const struct {
        const char *found, *put;
    } variants[] = {
        {"\"t_s\":0.32,", ""},           {"\"sum\"", "null"}, {"\"unknown\":false", "\"unknown\":null"},
        {"\"std\":0.1", "\"std\":null"}, {"8", "0"},
    };
    json_t *schema = load_schema();
    for (size_t i = 0; i < LENGTH(faults); i++) {
        check_line(schema, GOOD, faults[i].found, faults[i].put, false);
    }
    for (size_t i = 0; i < LENGTH(variants); i++) {
        check_line(schema, GOOD, variants[i].found, variants[i].put, true);
    }
    json_decref(schema);
}

static void
test_events_and_summaries_have_their_own_keys(void **state)
{
    (void)state;
    static const struct {
        bool good;
        const char *line;
    } table[] = {
        {true, "{\"model\":\"m 0123456789ab\",\"label\":\"Dog\",\"events\":1,\"seconds\":2.5,"
               "\"most_certain\":{\"file\":\"a\",\"start_s\":0,\"p_max\":0.5}}"},
        {false, "{\"model\":\"m 0123456789ab\",\"label\":\"Dog\",\"events\":0,\"seconds\":2.5,"
                "\"most_certain\":{\"file\":\"a\",\"start_s\":0,\"p_max\":0.5}}"},
        {false, "{\"model\":\"m 0123456789ab\",\"label\":\"Dog\",\"events\":1,\"seconds\":2.5}"},
    };
    json_t *schema = load_schema();
    for (size_t i = 0; i < LENGTH(table); i++) {
        check_line(schema, table[i].line, NULL, NULL, table[i].good);
    }
    check_line(schema, EVENT, NULL, NULL, true);
    check_line(schema, EVENT, "\"end_s\":1,", "", false);
    check_line(schema, EVENT, "\"start_s\":0", "\"start_s\":-1", false);
    json_decref(schema);
}

static void
test_a_line_is_of_a_recording_or_of_live_sound(void **state)
{
    (void)state;
    static const char recording[] = "\"file\":\"a.wav\"", input[] = "\"input\":\"in_1\"",
                      utc[] = "\"utc\":\"2026-11-21T21:30:05.123Z\"", gap[] = "\"gap_s\":0";
    static const struct {
        bool event, good;
        const char *keys[4]; /* instead of "file" */
        const char *found, *put;
    } table[] = {
        {false, true, {recording}, NULL, NULL},
        {false, true, {input, utc, gap}, NULL, NULL},
        {false, true, {input, "\"utc\":null", "\"gap_s\":1.5"}, NULL, NULL},
        {false, false, {recording, input, utc, gap}, NULL, NULL},
        {false, false, {recording, utc}, NULL, NULL},
        {false, false, {recording, gap}, NULL, NULL},
        {false, false, {input, gap}, NULL, NULL},
        {false, false, {input, utc}, NULL, NULL},
        {false, false, {input}, NULL, NULL},
        {false, false, {utc, gap}, NULL, NULL},
        {false, false, {"\"input\":\"\"", utc, gap}, NULL, NULL},
        {false, false, {input, utc, gap}, "\"t_s\":0.32,", ""},
        {false, false, {input, utc, "\"gap_s\":null"}, NULL, NULL},
        {false, false, {input, utc, "\"gap_s\":-1"}, NULL, NULL},
        {false, false, {input, utc, gap}, ":05.123Z", ":60.000Z"},
        {false, false, {input, utc, gap}, ":05.123Z", ":05Z"},
        {false, false, {input, utc, gap}, ":05.123Z", ":05.123+01:00"},
        {false, false, {input, utc, gap}, "T21", " 21"},
        {false, false, {input, utc, gap}, "2026-", "12026-"},
        {true, true, {recording}, NULL, NULL},
        {true, true, {input, utc}, NULL, NULL},
        {true, true, {input, "\"utc\":null"}, NULL, NULL},
        {true, true, {input, utc}, "\"end_s\":1", "\"end_s\":null"},
        {true, false, {recording}, "\"end_s\":1", "\"end_s\":null"},
        {true, false, {input, utc}, "\"end_s\":1,", ""},
        {true, false, {recording, input, utc}, NULL, NULL},
        {true, false, {recording, utc}, NULL, NULL},
        {true, false, {input}, NULL, NULL},
        {true, false, {utc}, NULL, NULL},
        {true, false, {input, utc, gap}, NULL, NULL}, /* which is told by results */
    };
    json_t *schema = load_schema();
    for (size_t i = 0; i < LENGTH(table); i++) {
        char line[LINE] = "{";
        size_t n = 1;
        for (size_t k = 0; k < LENGTH(table[i].keys) && table[i].keys[k] != NULL; k++) {
            n += (size_t)snprintf(line + n, sizeof line - n, "%s,", table[i].keys[k]);
        }
        (void)snprintf(line + n, sizeof line - n, "%s", strstr(table[i].event ? EVENT : GOOD, "\"model\""));
        check_line(schema, line, table[i].found, table[i].put, table[i].good);
    }
    json_decref(schema);
}

/* Checks every line that the program says with these options; fails if there is none. */
static void
check_program(const json_t *schema, const char *program, const char *model, const char *options, const char *sound)
{
    char command[4 * SCRATCH_PATH], line[1 << 16], why[SCHEMA_WHY];
    (void)snprintf(command, sizeof command, "'%s' file --model '%s' --format jsonl %s '%s'", program, model, options,
                   sound);
    FILE *said = popen(command, "r");
    assert_non_null(said);
    size_t lines = 0;
    for (; fgets(line, sizeof line, said) != NULL; lines++) {
        json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (value == NULL || !schema_check(schema, value, why)) {
            fail_msg("%s: %s: %s", options, value == NULL ? "no JSON" : why, line);
        }
        bool result = strstr(options, "--clip") == NULL && strstr(options, "--threshold") == NULL;
        assert_int_equal(json_object_get(value, "t_s") != NULL, result);
        json_decref(value);
    }
    assert_int_equal(pclose(said), 0);
    assert_true(lines > 0);
}

static void
test_what_the_program_writes_fits_the_schema(void **state)
{
    static const char *const models[] = {"TINY", "TINY_MULTICLASS"};
    static const char *const options[] = {"",
                                          "--clip",
                                          "--passes 0",
                                          "--passes 1 --clip",
                                          "--passes 2 --top all --latency edge",
                                          "--window 0.64 --hop 0.64 --horizon 2",
                                          "--events --threshold 0",
                                          "--events --threshold 0 --passes 0",
                                          "--summary --threshold 0"};
    const char *program = getenv("VIPANN");
    if (program == NULL || access(program, X_OK) != 0 || getenv(models[0]) == NULL || getenv(models[1]) == NULL) {
        print_message("VIPANN, TINY and TINY_MULTICLASS do not name the program and two small models\n");
        skip();
    }
    enum { FRAMES = 30000, HEADER = 24 };
    /* an au file: 16 bits, 16 kHz, one channel, with as many samples as there are bytes left */
    static unsigned char sound[HEADER + 2 * FRAMES] = {'.', 's', 'n', 'd', 0, 0, 0,  HEADER, 255, 255, 255, 255,
                                                       0,   0,   0,   3,   0, 0, 62, 128,    0,   0,   0,   1};
    for (size_t i = HEADER; i < sizeof sound; i++) {
        sound[i] = (unsigned char)((i * i * 31 + i) >> 3);
    }
    char path[SCRATCH_PATH];
    scratch_write(scratch_path(path, state, "caf\xe9 \"1\".au"), sound, sizeof sound);
    json_t *schema = load_schema();
    for (size_t m = 0; m < LENGTH(models); m++) {
        for (size_t i = 0; i < LENGTH(options); i++) {
            check_program(schema, program, getenv(models[m]), options[i], path);
        }
    }
    json_decref(schema);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_schema_uses_only_what_is_checked),
        cmocka_unit_test(test_a_good_line_passes_and_each_fault_is_seen),
        cmocka_unit_test(test_events_and_summaries_have_their_own_keys),
        cmocka_unit_test(test_a_line_is_of_a_recording_or_of_live_sound),
        cmocka_unit_test_setup_teardown(test_what_the_program_writes_fits_the_schema, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
