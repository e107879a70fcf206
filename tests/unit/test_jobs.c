/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_jobs.c -- holds the promises of plugin/file/jobs.h about threads; under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plugin/file/jobs.h>

#include "model_file.h"
#include "scratch.h"

enum { N_FILES = 9, BROKEN = 4, FRAMES = 9000, HEADER = 24, TEXT = 1 << 17 };

static vipann_model *
open_model(void)
{
    vipann_error error;
    free(tiny_file(VIPANN_DROPOUT).bytes);
    vipann_model *model = vipann_model_open(model_path(), &error);
    if (model == NULL) {
        fail_msg("%s", error.text);
    }
    return model;
}

/* Recordings of different lengths in the folder, one of them without sound. */
static void
write_recordings(void **state, vip_paths *paths)
{
    /* an au file: 16 bits, 16 kHz, one channel, with as many samples as there are bytes left */
    static unsigned char sound[HEADER + 2 * FRAMES] = {'.', 's', 'n', 'd', 0, 0, 0,  HEADER, 255, 255, 255, 255,
                                                       0,   0,   0,   3,   0, 0, 62, 128,    0,   0,   0,   1};
    for (size_t i = HEADER; i < sizeof sound; i++) {
        sound[i] = (unsigned char)((i * i * 31 + i) >> 3);
    }
    for (size_t i = 0; i < N_FILES; i++) {
        char path[SCRATCH_PATH], name[16];
        (void)snprintf(name, sizeof name, "%zu.au", i);
        scratch_write(scratch_path(path, state, name), sound,
                      i == BROKEN ? 0 : sizeof sound - 2 * 900 * (i * 7 % N_FILES));
        assert_int_equal(vip_paths_add(paths, path, false, NULL, NULL, NULL), VIPANN_OK);
    }
}

/* Analyses them with so many threads and reads what came of it into text; returns how many failed. */
static size_t
run_jobs(void **state, vipann_model *model, const vip_paths *paths, size_t threads, vip_subject subject, bool resume,
         char text[TEXT])
{
    char output[SCRATCH_PATH], journal[SCRATCH_PATH];
    vipann_error error;
    size_t failed = 0;
    const vip_place place = {.output = scratch_path(output, state, "output"), .resume = resume};
    vip_delivery *delivery = vip_delivery_open(&place, &error);
    assert_non_null(delivery);
    vip_jobs jobs = {.format = &VIP_FORMATS[2], .program = "test", .paths = paths, .threads = threads};
    assert_string_equal(jobs.format->name, "csv");
    jobs.delivery = delivery;
    jobs.analysis.model = model;
    jobs.analysis.events = subject != VIP_RESULTS;
    vipann_options_default(&jobs.analysis.options, model);
    jobs.analysis.options.passes = 2;
    jobs.analysis.options.channel = -1;
    jobs.report.subject = subject;
    jobs.report.top = 2;
    assert_int_equal(vip_jobs_run(&jobs, &failed, &error), VIPANN_OK);
    assert_int_equal(vip_delivery_close(delivery, &error), VIPANN_OK);
    assert_true(scratch_read(output, text, TEXT) < TEXT - 1);
    (void)remove(output);
    (void)remove(scratch_path(journal, state, "output.journal"));
    return failed;
}

static void
test_threads_change_neither_results_nor_order(void **state)
{
    static char one[TEXT], other[TEXT];
    static const vip_subject subjects[] = {VIP_RESULTS, VIP_EVENTS, VIP_SUMMARY};
    vipann_model *model = open_model();
    vip_paths paths = {0};
    write_recordings(state, &paths);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        assert_int_equal(run_jobs(state, model, &paths, 1, subjects[i], false, one), 1);
        for (size_t threads = 2; threads <= 3; threads++) {
            assert_int_equal(run_jobs(state, model, &paths, threads, subjects[i], false, other), 1);
            assert_string_equal(one, other);
        }
        if (subjects[i] != VIP_SUMMARY) {
            assert_int_equal(run_jobs(state, model, &paths, 3, subjects[i], true, other), 1);
            assert_string_equal(one, other);
        }
    }
    assert_int_equal(run_jobs(state, model, &paths, 1, VIP_RESULTS, false, one), 1);
    const char *last = one;
    for (size_t i = 0; i < N_FILES; i++) {
        const char *at = strstr(last, paths.all[i].path);
        assert_int_equal(at == NULL, i == BROKEN);
        last = at != NULL ? at : last;
    }
    vip_paths_free(&paths);
    vipann_model_unref(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads_change_neither_results_nor_order, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, make_model_folder, remove_model_folder);
}
