/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_labels.c -- names of classes, from files and AudioSet's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <offline_trainer/import/labels.h>

#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static void
test_lists_and_tables_of_labels_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *labels[3];
    } table[] = {
        {"Speech\nMale speech, man speaking\nDog", 3, {"Speech", "Male speech, man speaking", "Dog"}},
        {"Speech\r\n\r\nDog\r\n", 2, {"Speech", "Dog"}},
        {"\xef\xbb\xbfSpr\xc3\xa4"
         "che\n\n",
         1,
         {"Spr\xc3\xa4"
          "che"}},
        {"index,mid,display_name\n0,/m/09x0r,\"Speech\"\n1,/m/05zppz,\"Male speech, man speaking\"\n",
         2,
         {"Speech", "Male speech, man speaking"}},
        {"label\n\"say \"\"a\"\"\"\nb", 2, {"say \"a\"", "b"}},
        {"label,\"index\"\na,0\nb,1\n", 2, {"a", "b"}},
        {"display_name,mid\n\"a\",\"\"\n", 1, {"a"}},
    };
    char path[SCRATCH_PATH];
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_labels labels = {0};
        vipann_error error = {VIPANN_OK, ""};
        scratch_write(scratch_path(path, state, "labels"), table[i].text, strlen(table[i].text));
        assert_int_equal(vip_labels_read(&labels, path, &error), VIPANN_OK);
        assert_int_equal(labels.n, table[i].n);
        for (size_t k = 0; k < labels.n; k++) {
            assert_string_equal(labels.all[k], table[i].labels[k]);
        }
        vip_labels_free(&labels);
    }
}

static void
test_broken_lists_of_labels_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text;
        size_t n; /* 0: up to the zero */
        const char *message;
    } table[] = {
        {"", 0, ": has no label; expected one in each line"},
        {"\n\r\n", 0, ": has no label; expected one in each line"},
        {"index,display_name\n", 0, ": has no label; expected one in each line"},
        {"a\nb\na\n", 0, ":3: the label 'a' is there twice"},
        {"a\n\xff\n", 0, ":2: bytes that are no text in UTF-8"},
        {"a\nb\x1b[2J\n", 0, ":2: bytes that are no text in UTF-8"},
        {"a\0b", 3, ": is no list of labels: a zero byte is in it"},
        {"index,label\n0,a\n2,b\n", 0, ":3: index is '2', expected 1"},
        {"index,label\nx,a\n", 0, ":2: index is 'x', expected 0"},
        {"index,label\n0\n", 0, ":2: has 1 field; the header has 2"},
        {"index,label,x\n", 0, ":1: unknown column \"x\"; expected such as \"mid\""},
        {"index,label\n0,\n", 0, ":2: there is no label"},
        {"index,label\n0,\"a\n", 0, ":2: a quote opens and never closes"},
        {"index,label\n0,\"a\"b\n", 0,
         ":2: a quote in the middle of a field; a field with quotes in it is written \"like \"\"this\"\"\""},
    };
    char path[SCRATCH_PATH];
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_labels labels = {0};
        vipann_error error = {VIPANN_OK, ""};
        const size_t n = table[i].n != 0 ? table[i].n : strlen(table[i].text);
        scratch_write(scratch_path(path, state, "labels"), table[i].text, n);
        assert_int_equal(vip_labels_read(&labels, path, &error), VIPANN_E_FORMAT);
        assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
        assert_string_equal(error.text + strlen(path), table[i].message);
        vip_labels_free(&labels);
    }
    vip_labels labels = {0};
    assert_int_equal(vip_labels_read(&labels, *state, NULL), VIPANN_E_IO);
    vip_labels_free(&labels);
    assert_int_equal(vip_labels_read(&labels, "no/such/file", NULL), VIPANN_E_IO);
    vip_labels_free(&labels);
}

static void
test_labels_have_limits(void **state)
{
    char path[SCRATCH_PATH];
    char *text = calloc(1 << 21, 1);
    vipann_error error;
    assert_non_null(text);
    size_t n = 0;
    for (int i = 0; i < 4097; i++) {
        n += (size_t)snprintf(text + n, 16, "label %d\n", i);
    }
    vip_labels labels = {0};
    scratch_write(scratch_path(path, state, "labels"), text, n);
    assert_int_equal(vip_labels_read(&labels, path, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text + strlen(path), ":4097: more than 4096 labels");
    vip_labels_free(&labels);
    memset(text, 'x', (1 << 20) + 1);
    scratch_write(path, text, (1 << 20) + 1);
    assert_int_equal(vip_labels_read(&labels, path, &error), VIPANN_E_FORMAT);
    assert_string_equal(error.text + strlen(path), ": is no list of labels: more than a megabyte");
    vip_labels_free(&labels);
    free(text);
}

static void
test_the_labels_of_audioset_are_those_of_the_published_networks(void **state)
{
    (void)state;
    const char *shared = getenv("VIPANN_SHARED") != NULL ? getenv("VIPANN_SHARED") : "../shared";
    char path[SCRATCH_PATH];
    (void)snprintf(path, sizeof path, "%s/data/audioset_labels.csv", shared);
    vip_labels ours = {0}, theirs = {0};
    assert_int_equal(vip_labels_of_audioset(&ours, NULL), VIPANN_OK);
    assert_int_equal(ours.n, VIP_AUDIOSET_CLASSES);
    assert_string_equal(ours.all[0], "Speech");
    assert_string_equal(ours.all[526], "Field recording");
    if (access(path, R_OK) != 0) {
        vip_labels_free(&ours);
        print_message("skipped: no %s; VIPANN_SHARED names another folder\n", path);
        skip();
    }
    assert_int_equal(vip_labels_read(&theirs, path, NULL), VIPANN_OK);
    assert_int_equal(theirs.n, ours.n);
    for (size_t i = 0; i < ours.n; i++) {
        assert_string_equal(ours.all[i], theirs.all[i]);
    }
    vip_labels_free(&ours);
    vip_labels_free(&theirs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists_and_tables_of_labels_are_read, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_broken_lists_of_labels_are_refused_with_their_line, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(test_labels_have_limits, scratch_make, scratch_remove),
        cmocka_unit_test(test_the_labels_of_audioset_are_those_of_the_published_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
