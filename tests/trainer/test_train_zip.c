/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_zip.c -- zip files that lie or want more than is read, one fault each, and the line that is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <offline_trainer/import/zip.h>

#include "torch_file.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* Two members with names of three letters and four bytes each. */
enum {
    MEMBER = 30 + 3 + 4, /* with its header */
    ENTRY = 46 + 3,      /* of the directory */
    FIRST = 0,           /* where things begin: the members */
    SECOND = MEMBER,
    FIRST_ENTRY = 2 * MEMBER,
    SECOND_ENTRY = FIRST_ENTRY + ENTRY,
    END = SECOND_ENTRY + ENTRY,
    WHOLE = END + 22
};

static torch_bytes
good(void)
{
    const torch_member members[] = {{"a/1", (const unsigned char *)"1234", 4},
                                    {"a/2", (const unsigned char *)"5678", 4}};
    torch_bytes whole = torch_zip(members, LENGTH(members));
    assert_int_equal(whole.n, WHOLE);
    return whole;
}

/* What is said of the bytes, "" if they are taken. */
static const char *
said_of(const torch_bytes *bytes, vipann_error *error)
{
    const vip_source source = vip_source_of("a.zip", bytes->all, bytes->n);
    vip_zip zip;
    *error = (vipann_error){VIPANN_OK, ""};
    assert_true(vip_zip_begins(&source));
    vipann_status status = vip_zip_open(&zip, &source, error);
    for (size_t i = 0; i < zip.n && status == VIPANN_OK; i++) {
        status = vip_zip_check(&source, &zip.members[i], NULL, error);
    }
    assert_int_equal(status, error->status);
    vip_zip_close(&zip);
    return error->text;
}

static void
test_zip_files_are_refused_rather_than_misread(void **state)
{
    (void)state;
    static const struct {
        size_t at, bytes;
        uint64_t number;
        const char *message;
    } table[] = {
        {END + 20, 2, 0, ""},
        {FIRST_ENTRY + 8, 2, 1 << 3, ""},  /* PyTorch's: sizes follow the member */
        {FIRST_ENTRY + 8, 2, 1 << 11, ""}, /* the name is UTF-8 */
        {FIRST + 18, 8, 0, "a.zip: member a/1 of the zip file has a header that contradicts the directory"},
        {FIRST_ENTRY + 8, 2, 1, "a.zip: member a/1 of the zip file is encrypted"},
        {FIRST_ENTRY + 8, 2, 1 << 13, "a.zip: member a/1 of the zip file is encrypted"},
        {FIRST_ENTRY + 10, 2, 8, "a.zip: member a/1 of the zip file is compressed; PyTorch stores members as they are"},
        {FIRST + 8, 2, 8, "a.zip: member a/1 of the zip file has a header that contradicts the directory"},
        {SECOND_ENTRY + 16, 4, 0,
         "a.zip: member a/2 of the zip file: checksum 7e525607, expected 00000000; the file is damaged, copy it again"},
        {SECOND + 33, 1, '6',
         "a.zip: member a/2 of the zip file: checksum 6ce7f9e9, expected 7e525607; the file is damaged, copy it again"},
        {FIRST_ENTRY + 20, 4, 3, "a.zip: member a/1 of the zip file has two sizes"},
        {FIRST_ENTRY + 34, 2, 1, "a.zip: member a/1 of the zip file has two sizes"},
        {FIRST_ENTRY + 24, 4, UINT32_MAX, "a.zip: member a/1 of the zip file has 4 GB or more"},
        {FIRST_ENTRY + 42, 4, UINT32_MAX, "a.zip: member a/1 of the zip file has 4 GB or more"},
        {SECOND_ENTRY + 42, 4, FIRST, "a.zip: member a/2 of the zip file has another name in its header"},
        {SECOND_ENTRY + 42, 4, FIRST_ENTRY - 29,
         "a.zip: member a/2 of the zip file does not lie in front of the directory"},
        {SECOND_ENTRY + 42, 4, 0xfffffffe, "a.zip: member a/2 of the zip file does not lie in front of the directory"},
        {SECOND_ENTRY + 42, 4, SECOND - 1,
         "a.zip: member a/2 of the zip file has a header that contradicts the directory"},
        {SECOND + 28, 2, 1,
         "a.zip: member a/2 of the zip file does not lie in front of the directory"}, /* an extra field */
        {SECOND + 26, 2, 2, "a.zip: member a/2 of the zip file has a header that contradicts the directory"},
        {SECOND + 30, 1, 'b', "a.zip: member a/2 of the zip file has another name in its header"},
        {SECOND_ENTRY + 47, 1, 0,
         "a.zip: the directory of the zip file is damaged; copy the file again"}, /* a zero in a name */
        {FIRST_ENTRY, 1, 'Q', "a.zip: the directory of the zip file is damaged; copy the file again"},
        {FIRST_ENTRY + 28, 2, 0, "a.zip: the directory of the zip file is damaged; copy the file again"},
        {SECOND_ENTRY + 28, 2, 0xffff, "a.zip: the directory of the zip file is damaged; copy the file again"},
        {SECOND_ENTRY + 30, 2, 1, "a.zip: the directory of the zip file is damaged; copy the file again"},
        {END, 1, 'Q', "a.zip: the directory of the zip file is missing: it is cut off; copy the file again"},
        {END + 20, 2, 1, "a.zip: the directory of the zip file is missing: it is cut off; copy the file again"},
        {END + 4, 2, 1, "a.zip: a zip file in several parts; join them"},
        {END + 8, 2, 1, "a.zip: a zip file in several parts; join them"},
        {END + 8, 4, 0x10001,
         "a.zip: the directory of the zip file has more entries than it says; copy the file again"},
        {END + 8, 4, 0x30003,
         "a.zip: the directory of the zip file has fewer entries than it says; copy the file again"},
        {END + 8, 4, 0xffffffff,
         "a.zip: a zip file of more than 4 GB or 65534 members, which no network of these needs"},
        {END + 12, 4, UINT32_MAX,
         "a.zip: a zip file of more than 4 GB or 65534 members, which no network of these needs"},
        {END + 16, 4, UINT32_MAX,
         "a.zip: a zip file of more than 4 GB or 65534 members, which no network of these needs"},
        {END + 12, 4, 2 * ENTRY - 1, "a.zip: the directory of the zip file is not where it says; copy the file again"},
        {END + 16, 4, FIRST_ENTRY + 1,
         "a.zip: the directory of the zip file is not where it says; copy the file again"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        torch_bytes whole = good();
        vipann_error error;
        for (size_t k = 0; k < table[i].bytes; k++) {
            whole.all[table[i].at + k] = (unsigned char)(table[i].number >> (8 * k));
        }
        assert_string_equal(said_of(&whole, &error), table[i].message);
        torch_bytes_free(&whole);
    }
}

/* With the name of the first in its header the second is the first. */
static void
test_members_are_there_once_and_not_over_each_other(void **state)
{
    (void)state;
    torch_bytes whole = good();
    vipann_error error;
    whole.all[SECOND + 32] = whole.all[SECOND_ENTRY + 48] = '1';
    assert_string_equal(said_of(&whole, &error), "a.zip: member a/1 of the zip file is there twice");
    whole.all[SECOND_ENTRY + 42] = FIRST;
    assert_string_equal(said_of(&whole, &error), "a.zip: member a/1 of the zip file lies over another one");
    torch_bytes_free(&whole);
}

/* PyTorch writes it in front of the record at the end, however small the file is. */
static void
test_the_record_for_large_files_must_agree(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint64_t number;
        const char *message;
    } table[] = {
        {24, 2, ""},
        {24, 3, "a.zip: the directory of the zip file contradicts its record for large files; copy the file again"},
        {32, 1, "a.zip: the directory of the zip file contradicts its record for large files; copy the file again"},
        {40, UINT64_MAX,
         "a.zip: the directory of the zip file contradicts its record for large files; copy the file again"},
        {48, 0, "a.zip: the directory of the zip file contradicts its record for large files; copy the file again"},
        {56 + 8, END + 1,
         "a.zip: the directory of the zip file contradicts its record for large files; copy the file again"},
        {56 + 8, UINT64_MAX - 3,
         "a.zip: 56 bytes from byte 18446744073709551612 on are not there: the file has 270 bytes and is cut off; copy "
         "it again"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        torch_bytes before = good(), whole = {0};
        vipann_error error;
        torch_put(&whole, before.all, END);
        torch_put_text(&whole, "PK\x06\x06");
        torch_put_little(&whole, 44, 8);
        torch_put_little(&whole, 0, 2 + 2);
        torch_put_little(&whole, 0, 4 + 4);
        torch_put_little(&whole, 2, 8);
        torch_put_little(&whole, 2, 8);
        torch_put_little(&whole, 2 * ENTRY, 8);
        torch_put_little(&whole, FIRST_ENTRY, 8);
        torch_put_text(&whole, "PK\x06\x07");
        torch_put_little(&whole, 0, 4);
        torch_put_little(&whole, END, 8);
        torch_put_little(&whole, 1, 4);
        torch_put(&whole, before.all + END, 22);
        for (size_t k = 0; k < 8; k++) {
            whole.all[END + table[i].at + k] = (unsigned char)(table[i].number >> (8 * k));
        }
        assert_string_equal(said_of(&whole, &error), table[i].message);
        torch_bytes_free(&before);
        torch_bytes_free(&whole);
    }
}

static void
test_what_is_found_is_what_was_stored(void **state)
{
    (void)state;
    torch_bytes whole = good();
    const vip_source source = vip_source_of("a.zip", whole.all, whole.n);
    vip_zip zip;
    unsigned char bytes[4];
    assert_int_equal(vip_zip_open(&zip, &source, NULL), VIPANN_OK);
    assert_int_equal(zip.n, 2);
    assert_null(vip_zip_find(&zip, "a/3"));
    const vip_zip_member *member = vip_zip_find(&zip, "a/2");
    assert_non_null(member);
    assert_int_equal(vip_zip_check(&source, member, bytes, NULL), VIPANN_OK);
    assert_memory_equal(bytes, "5678", 4);
    vip_zip_close(&zip);
    torch_bytes_free(&whole);
}

static void
test_a_comment_may_hold_anything(void **state)
{
    (void)state;
    torch_bytes whole = good();
    vipann_error error;
    whole.all[END + 20] = 30;
    torch_put_text(&whole, "PK\x05\x06 it ends where it ends. PK");
    whole.n = WHOLE + 30;
    assert_string_equal(said_of(&whole, &error), "");
    torch_bytes_free(&whole);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zip_files_are_refused_rather_than_misread),
        cmocka_unit_test(test_members_are_there_once_and_not_over_each_other),
        cmocka_unit_test(test_the_record_for_large_files_must_agree),
        cmocka_unit_test(test_what_is_found_is_what_was_stored),
        cmocka_unit_test(test_a_comment_may_hold_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
