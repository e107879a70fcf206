/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_report.c -- runs that never were, read back and shown on one page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <offline_trainer/report/document.h>

#include "markup.h"
#include "sample_run.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MOST_RUNS = 8 };

static const sample_run PLAIN = {
    .posterior = "deterministic", .padding = "same", .skill = 0.55, .vanity = 0.35, .seed = 1};
static const sample_run FLIPOUT = {.posterior = "flipout", .padding = "causal", .skill = 0.85, .seed = 3};
static const sample_run MULTILABEL = {
    .posterior = "dropout", .padding = "same", .skill = 0.6, .multilabel = true, .seed = 4};

/* ---------------------------------------------------------------------------------------------------------- helpers */

/* The page of runs in these folders, to be freed with free. It is well-formed and harmless, or the test fails. */
static char *
page_of(const char *const *folders, size_t n)
{
    vip_history *runs[MOST_RUNS];
    vipann_error error = {VIPANN_OK, ""};
    char *page = NULL, why[MARKUP_WHY];
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        runs[i] = vip_history_read(folders[i], &error);
        if (runs[i] == NULL) {
            fail_msg("%s", error.text);
        }
    }
    assert_int_equal(vip_document_write(runs, n, out, &error), VIPANN_OK);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < n; i++) {
        vip_history_free(runs[i]);
    }
    const char *fault = markup_fault(page, why);
    if (fault != NULL) {
        fail_msg("%s", fault);
    }
    return page;
}

static void
write_file(const char *folder, const char *name, const char *text)
{
    char path[2 * SCRATCH_PATH];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    scratch_write(path, text, strlen(text));
}

static void
remove_file(const char *folder, const char *name)
{
    char path[2 * SCRATCH_PATH];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static void
assert_shows(const char *page, const char *text)
{
    if (strstr(page, text) == NULL) {
        fail_msg("the page does not show \"%s\"", text);
    }
}

static void
assert_lacks(const char *page, const char *text)
{
    const char *at = strstr(page, text);
    if (at != NULL) {
        fail_msg("the page shows \"%.100s\"", at);
    }
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void
test_every_run_is_named_and_everything_is_shown(void **state)
{
    char first[SCRATCH_PATH], second[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(first, state, "plain"), scratch_path(second, state, "flipout")};
    sample_run_write(first, &PLAIN);
    sample_run_write(second, &FLIPOUT);
    char *page = page_of(folders, 2);
    static const char *const shown[] = {"2 runs side by side",
                                        ">plain<",
                                        ">flipout<",
                                        "resnet22 w16, same, deterministic",
                                        "Loss in training",
                                        "Loss of the weights’ spread (KL)",
                                        "Development part: accuracy",
                                        "Reliability of plain",
                                        "Reliability of flipout",
                                        "Errors among the answers",
                                        "Epistemic doubt",
                                        "Total doubt",
                                        "wrong answers",
                                        "ships, 120 clips",
                                        "Confusion matrix of plain",
                                        "Mixed up most often",
                                        "The classes that are heard worst",
                                        "Settings of training",
                                        ("96\xe2\x80\xaf"
                                         "000"),
                                        "25:00",
                                        "prefers-color-scheme:dark"};
    for (size_t i = 0; i < LENGTH(shown); i++) {
        assert_shows(page, shown[i]);
    }
    assert_true(markup_count(page, "How to read") >= 6);
    /* A deterministic run has no strips of epistemic doubt: two strips of right answers less one. */
    assert_int_equal(markup_count(page, "class=\"strong\">right answers<"), 3);
    assert_lacks(page, "class=\"note\"");
    free(page);
    sample_run_remove(first);
    sample_run_remove(second);
}

static void
test_the_same_runs_give_the_same_page(void **state)
{
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "run")};
    sample_run_write(folder, &FLIPOUT);
    char *first = page_of(folders, 1), *second = page_of(folders, 1);
    assert_string_equal(first, second);
    free(first);
    free(second);
    sample_run_remove(folder);
}

static void
test_the_best_is_marked_only_where_intervals_lie_apart(void **state)
{
    static const struct {
        const char *first, *second;
        size_t stars;
    } table[] = {
        {"{\"value\":0.5,\"low\":0.45,\"high\":0.55}", "{\"value\":0.7,\"low\":0.66,\"high\":0.74}", 1},
        {"{\"value\":0.5,\"low\":0.45,\"high\":0.66}", "{\"value\":0.7,\"low\":0.66,\"high\":0.74}",
         0},                                                       /* they touch */
        {"{\"value\":0.5,\"low\":0.45,\"high\":0.55}", "0.7", 0},  /* no interval */
        {"{\"value\":0.5,\"low\":0.45,\"high\":0.55}", "null", 0}, /* no rival */
    };
    static const char *const keys[] = {"accuracy", "nll"}; /* more is better, less is better */
    char folders[2][SCRATCH_PATH];
    const char *const runs[] = {scratch_path(folders[0], state, "a"), scratch_path(folders[1], state, "b")};
    for (size_t i = 0; i < 2 * LENGTH(table); i++) {
        for (size_t k = 0; k < 2; k++) {
            char text[400];
            (void)mkdir(runs[k], 0700);
            (void)snprintf(text, sizeof text, "{\"format\":1,\"task\":\"multiclass\",\"calibrated\":{\"%s\":%s}}",
                           keys[i % 2], k == 0 ? table[i / 2].first : table[i / 2].second);
            write_file(runs[k], "eval.json", text);
        }
        char *page = page_of(runs, 2);
        assert_int_equal(markup_count(page, "class=\"best\""), table[i / 2].stars);
        if (table[i / 2].stars > 0) {
            assert_shows(page, i % 2 == 0 ? "class=\"best\"><b>70.0" : "class=\"best\"><b>0.500");
        }
        assert_shows(page, "only where its interval does not touch");
        free(page);
    }
    for (size_t k = 0; k < 2; k++) { /* what was measured on other data does not compare */
        char text[400];
        (void)snprintf(text, sizeof text, "{\"format\":1,\"data\":{\"fold\":%zu},\"calibrated\":{\"accuracy\":%s}}", k,
                       k == 0 ? table[0].first : table[0].second);
        write_file(runs[k], "eval.json", text);
    }
    char *page = page_of(runs, 2);
    assert_int_equal(markup_count(page, "class=\"best\""), 0);
    assert_shows(page, "not all tested on the same data");
    free(page);
    sample_run_remove(folders[0]);
    sample_run_remove(folders[1]);
}

static void
test_markup_in_names_labels_and_settings_is_harmless(void **state)
{
    static const char evil[] =
        "</title></style></svg><script>alert(1)</script><img src=x onerror=\"alert('2')\"> & \x7f\xff";
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "\"><script>alert(0)<&'\x01\xff")};
    sample_run run = FLIPOUT;
    run.label = evil;
    sample_run_write(folder, &run);
    write_file(
        folder, "config.json",
        "{\"</td><script>\":\"<b onclick=\\\"x\\\">\",\"arch\":\"<i>\",\"a\":{\"<u>\":[\"</table>\",\"\\u0007\"]}}");
    char *page = page_of(folders, 1); /* which asserts that nothing but our own markup is there */
    assert_lacks(page, "<script");
    assert_lacks(page, "<img");
    assert_shows(page, "&lt;script&gt;alert(0)&lt;&amp;&#39;\xef\xbf\xbd\xef\xbf\xbd");
    assert_shows(page, "&lt;b onclick=&quot;x&quot;&gt;");
    assert_shows(page, "onerror=&quot;alert(&#39;2&#39;)&quot;&gt; &amp; \xef\xbf\xbd");
    free(page);
    write_file(folder, "eval.json",
               "{\"format\":1,\"task\":\"<s>\",\"data\":{\"n\":3,\"x\":\"<p>\"},\"model\":{\"arch\":\"<hr>\"},"
               "\"histograms\":{\"total\":{\"bins\":[0,1],\"right\":[3],\"ood\":{\"<q>\":[2]}}},"
               "\"ood\":[{\"name\":\"<em>\",\"n\":2,\"scores\":{\"<h1>\":{\"auroc\":0.5}}}],"
               "\"confusion\":{\"labels\":[\"<a>\",\"&amp;\"],\"counts\":[[1,2],[3,4]]},"
               "\"classes\":[{\"label\":\"<a>\",\"n\":3,\"recall\":0.3,\"ap\":0.4}]}");
    write_file(folder, "log.jsonl",
               "{\"step\":1,\"loss\":1,\"loss_parts\":{\"<x>\":1,\"<y>\":2},\"dev\":{\"</svg>\":0.5}}\n");
    free(page_of(folders, 1));
    sample_run_remove(folder);
}

static void
test_what_is_missing_is_said(void **state)
{
    static const struct {
        const char *name, *note;
    } table[] = {{"config.json", "config.json is missing"},
                 {"log.jsonl", "log.jsonl is missing"},
                 {"eval.json", "no eval*.json: it has not been evaluated yet"}};
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "run")};
    for (size_t i = 0; i < LENGTH(table); i++) {
        sample_run_write(folder, &FLIPOUT);
        remove_file(folder, table[i].name);
        char *page = page_of(folders, 1);
        assert_shows(page, table[i].note);
        assert_int_equal(markup_count(page, "None of these models has been evaluated yet"), i == 2);
        assert_int_equal(markup_count(page, "Which classes go wrong?"), i != 2);
        free(page);
    }
    sample_run_write(folder, &FLIPOUT); /* an evaluation without any of its parts is one, too */
    write_file(folder, "eval.json", "{\"format\":1}");
    char *page = page_of(folders, 1);
    static const char *const notes[] = {
        "No evaluation holds a reliability diagram", "No evaluation holds risk against coverage",
        "No evaluation holds histograms of doubt",   "No evaluation was given foreign sounds",
        "No evaluation holds a confusion matrix",    "No evaluation holds results by class"};
    for (size_t i = 0; i < LENGTH(notes); i++) {
        assert_shows(page, notes[i]);
    }
    free(page);
    sample_run_remove(folder);
}

static void
test_models_of_several_classes_per_clip_are_shown_by_their_measures(void **state)
{
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "run")};
    sample_run_write(folder, &MULTILABEL);
    char *page = page_of(folders, 1);
    assert_shows(page, ">mAP<");
    assert_shows(page, "average precision");
    assert_shows(page, "No evaluation holds a confusion matrix");
    assert_lacks(page, ">Accuracy<");
    free(page);
    sample_run_remove(folder);
}

static void
test_a_log_that_is_still_written_lacks_its_last_line_only(void **state)
{
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "run")};
    (void)mkdir(folder, 0700);
    write_file(folder, "log.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1.5}\n{\"step\":3,\"lo");
    vip_history *run = vip_history_read(folder, NULL);
    assert_non_null(run);
    assert_int_equal(vip_history_find(run, "loss")->n, 2);
    vip_history_free(run);
    char *page = page_of(folders, 1);
    assert_shows(page, "the last line of log.jsonl is not whole");
    free(page);
    sample_run_remove(folder);
}

static void
test_a_log_that_went_back_shows_what_was_done_again(void **state)
{
    char folder[SCRATCH_PATH];
    (void)mkdir(scratch_path(folder, state, "run"), 0700);
    write_file(folder, "log.jsonl",
               "{\"step\":10,\"clips\":100,\"loss\":4}\n{\"step\":20,\"clips\":200,\"loss\":9}\n{\"step\":30,\"clips\":"
               "300,\"loss\":9}\n"
               "{\"step\":20,\"clips\":200,\"loss\":3,\"seconds\":7}\n{\"step\":25,\"dev\":{\"n\":5,\"nll\":1.5,"
               "\"averaged\":true}}\n"
               "{\"step\":26,\"loss\":null}\n");
    vip_history *run = vip_history_read(folder, NULL);
    assert_non_null(run);
    const vip_series *loss = vip_history_find(run, "loss"), *nll = vip_history_find(run, "averaged.nll");
    assert_int_equal(loss->n, 2);
    assert_true(loss->moments[1].step == 20 && loss->moments[1].value == 3);
    assert_int_equal(nll->n, 1);
    assert_true(nll->moments[0].clips == 250); /* in proportion */
    assert_true(run->clips == 260 && run->seconds == 7);
    assert_null(vip_history_find(run, "averaged.n"));
    vip_history_free(run);
    sample_run_remove(folder);
}

static void
test_broken_files_are_refused_with_file_and_line(void **state)
{
    static const struct {
        const char *file, *text, *message;
    } table[] = {
        {"config.json", "{\n\"a\":1,\n\"b\" 2}", "/run/config.json:3: not valid JSON: "},
        {"config.json", "{\"a\":1,\"a\":2}", "/run/config.json:1: not valid JSON: duplicate object key"},
        {"config.json", "[1]", "/run/config.json:1: found an array; expected an object"},
        {"config.json", "", "/run/config.json:1: not valid JSON: "},
        {"log.jsonl", "{\"step\":1}\n\n{\"step\" 2}\n{\"step\":3}\n", "/run/log.jsonl:3: not valid JSON: "},
        {"log.jsonl", "{\"step\":1}\n7\n", "/run/log.jsonl:2: not valid JSON: "},
        {"log.jsonl", "{\"step\":1}\n[7]\n", "/run/log.jsonl:2: a line: found an array; expected an object"},
        {"log.jsonl", "{\"step\":1}\n{\"loss\":\"low\"}\n",
         "/run/log.jsonl:2: loss: found a string; expected a number"},
        {"log.jsonl", "{\"step\":1,\"dev\":[]}\n", "/run/log.jsonl:1: dev: found an array; expected an object"},
        {"log.jsonl", "{\"step\":1,\"loss\":1e999}\n", "/run/log.jsonl:1: not valid JSON: real number overflow"},
        {"eval.json", "{\n\n\n}}", "/run/eval.json:4: not valid JSON: "},
        {"eval.json", "{}", "/run/eval.json: format: found none; expected 1"},
        {"eval.json", "{\"format\":2}", "/run/eval.json: format: found another number; expected 1"},
        {"eval.json", "[]", "/run/eval.json: format: found none; expected 1"},
        {"eval.json", "{\"format\":1,\"calibrated\":{\"nll\":\"1\"}}",
         "/run/eval.json: calibrated.nll: found a string; expected a number, or an object"},
        {"eval.json", "{\"format\":1,\"raw\":{\"ece\":{\"value\":true}}}",
         "/run/eval.json: raw.ece.value: found true; expected a number"},
        {"eval.json", "{\"format\":1,\"reliability\":[{\"low\":0.5,\"high\":0.2}]}",
         "/run/eval.json: reliability[0].: found limits"},
        {"eval.json", "{\"format\":1,\"reliability\":[{\"low\":0,\"high\":0.2,\"n\":-1}]}",
         "/run/eval.json: reliability[0].: found a number below 0; expected a count"},
        {"eval.json", "{\"format\":1,\"risk_coverage\":[[0.5,0.1],[0.4,0.1]]}",
         "/run/eval.json: risk_coverage[1]: found a point"},
        {"eval.json", "{\"format\":1,\"risk_coverage\":[[0.5]]}",
         "/run/eval.json: risk_coverage[0]: found another length; expected an array of 2 numbers"},
        {"eval.json", "{\"format\":1,\"histograms\":{\"total\":{\"bins\":[0,0]}}}", "found bins that do not rise"},
        {"eval.json", "{\"format\":1,\"histograms\":{\"total\":{\"bins\":[0,1],\"right\":[1,2]}}}",
         "histograms.total.: found another length; expected an array of 1 numbers"},
        {"eval.json", "{\"format\":1,\"confusion\":{\"labels\":[\"a\",\"b\"],\"counts\":[[1,2]]}}",
         "confusion.counts: found another number of rows; expected one row per label"},
        {"eval.json", "{\"format\":1,\"confusion\":{\"labels\":[\"a\",2],\"counts\":[[1,2],[3,4]]}}",
         "confusion.labels: found something else; expected strings"},
        {"eval.json", "{\"format\":1,\"confusion\":{\"labels\":[\"a\"],\"counts\":[[-1]]}}", "found a number below 0"},
        {"eval.json", "{\"format\":1,\"ood\":[{\"n\":1}]}", "ood[0]: found no name; expected a set"},
        {"eval.json", "{\"format\":1,\"classes\":[{\"n\":1}]}", "classes[0].: found no label; expected a class"},
        {"eval.json", "{\"format\":1,\"classes\":{}}", "classes: found an object; expected an array of at most 4096"},
    };
    char folder[SCRATCH_PATH];
    (void)scratch_path(folder, state, "run");
    for (size_t i = 0; i < LENGTH(table); i++) {
        vipann_error error = {VIPANN_OK, ""};
        sample_run_write(folder, &FLIPOUT);
        write_file(folder, table[i].file, table[i].text);
        vip_history *run = vip_history_read(folder, &error);
        if (run != NULL || error.status != VIPANN_E_FORMAT || strstr(error.text, table[i].message) == NULL) {
            fail_msg("%s with %s: \"%s\"; expected \"%s\"", table[i].file, table[i].text,
                     run != NULL ? "read" : error.text, table[i].message);
        }
    }
    sample_run_remove(folder);
}

static void
test_every_cut_of_an_evaluation_is_refused_or_read(void **state)
{
    char folder[SCRATCH_PATH], path[SCRATCH_PATH + 16];
    static char text[1 << 18];
    (void)scratch_path(folder, state, "run");
    sample_run_write(folder, &FLIPOUT);
    (void)snprintf(path, sizeof path, "%s/eval.json", folder);
    size_t n = scratch_read(path, text, sizeof text);
    assert_true(n > 1000 && n < sizeof text - 1);
    for (size_t cut = 0; cut + 2 < n; cut += 97) { /* without its last bracket it is never whole */
        vipann_error error = {VIPANN_OK, ""};
        scratch_write(path, text, cut);
        assert_null(vip_history_read(folder, &error));
        assert_int_equal(error.status, VIPANN_E_FORMAT);
        assert_non_null(strstr(error.text, "/eval.json:"));
    }
    sample_run_remove(folder);
}

static void
test_the_confusion_matrix_says_the_recall_of_classes(void **state)
{
    char folder[SCRATCH_PATH];
    (void)mkdir(scratch_path(folder, state, "run"), 0700);
    write_file(folder, "eval.json",
               "{\"format\":1,\"confusion\":{\"labels\":[\"a\",\"b\",\"c\"],\"counts\":[[3,1,0],[0,0,0],[2,0,0]]}}");
    vip_history *run = vip_history_read(folder, NULL);
    assert_non_null(run);
    const vip_evaluation *e = run->evaluations[0];
    assert_int_equal(e->n_classes, 3);
    assert_true(e->classes[0].recall == 0.75 && e->classes[0].n == 4);
    assert_true(isnan(e->classes[1].recall));
    assert_true(e->classes[2].recall == 0);
    vip_history_free(run);
    sample_run_remove(folder);
}

static void
test_what_is_no_run_is_refused(void **state)
{
    char folder[SCRATCH_PATH];
    vipann_error error = {VIPANN_OK, ""};
    assert_null(vip_history_read(scratch_path(folder, state, "nowhere"), &error));
    assert_int_equal(error.status, VIPANN_E_IO);
    assert_non_null(strstr(error.text, "nowhere: No such file or directory; expected the folder of a run"));
    (void)mkdir(folder, 0700);
    assert_null(vip_history_read(folder, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "holds neither config.json, log.jsonl nor eval*.json"));
    sample_run_remove(folder);
}

static void
test_an_evaluation_alone_is_a_run_without_a_history(void **state)
{
    char folder[SCRATCH_PATH], path[SCRATCH_PATH + 16];
    (void)scratch_path(folder, state, "run");
    sample_run_write(folder, &FLIPOUT);
    (void)snprintf(path, sizeof path, "%s/eval.json", folder);
    const char *const paths[] = {path};
    char *page = page_of(paths, 1);
    assert_shows(page, "one evaluation alone: no settings, no loss curves");
    assert_shows(page, "Confusion matrix of eval.json");
    free(page);
    sample_run_remove(folder);
}

static void
test_several_evaluations_of_a_run_stand_side_by_side(void **state)
{
    char folder[SCRATCH_PATH];
    const char *const folders[] = {scratch_path(folder, state, "run")};
    sample_run_write(folder, &FLIPOUT);
    write_file(folder, "eval-short.json", "{\"format\":1,\"calibrated\":{\"accuracy\":0.5}}");
    char *page = page_of(folders, 1);
    assert_shows(page, ">run · eval<");
    assert_shows(page, ">run · eval-short<");
    free(page);
    remove_file(folder, "eval-short.json");
    sample_run_remove(folder);
}

static void
test_runs_of_one_name_are_told_apart_by_their_paths_and_too_many_are_refused(void **state)
{
    char folder[SCRATCH_PATH], again[SCRATCH_PATH + 8];
    sample_run_write(scratch_path(folder, state, "run"), &FLIPOUT);
    (void)snprintf(again, sizeof again, "%s/../run/", folder);
    const char *const folders[] = {folder, again};
    char *page = page_of(folders, 2);
    assert_shows(page, "/../run</span>");
    free(page);
    vip_history *run = vip_history_read(folder, NULL);
    vip_history *runs[9] = {run, run, run, run, run, run, run, run, run};
    vipann_error error;
    assert_non_null(run);
    assert_int_equal(vip_document_write(runs, 9, stdout, &error), VIPANN_E_ARG);
    assert_non_null(strstr(error.text, "no more than 8 can be told apart on one page"));
    vip_history_free(run);
    sample_run_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_run_is_named_and_everything_is_shown, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_the_same_runs_give_the_same_page, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_the_best_is_marked_only_where_intervals_lie_apart, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_markup_in_names_labels_and_settings_is_harmless, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_what_is_missing_is_said, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_models_of_several_classes_per_clip_are_shown_by_their_measures,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_log_that_is_still_written_lacks_its_last_line_only, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_log_that_went_back_shows_what_was_done_again, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_broken_files_are_refused_with_file_and_line, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_every_cut_of_an_evaluation_is_refused_or_read, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_the_confusion_matrix_says_the_recall_of_classes, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_what_is_no_run_is_refused, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_an_evaluation_alone_is_a_run_without_a_history, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_several_evaluations_of_a_run_stand_side_by_side, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_runs_of_one_name_are_told_apart_by_their_paths_and_too_many_are_refused,
                                        scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
