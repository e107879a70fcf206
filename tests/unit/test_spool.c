/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_spool.c -- holds the promises of common/spool.h and common/temporary.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/spool.h>
#include <common/temporary.h>

#include "failing.h"
#include "scratch.h"

enum { PIECE = 1000 };

static void
write_pattern(FILE *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        (void)fputc((int)(i * 7 % 251), out);
    }
}

static void
test_what_comes_out_is_what_went_in_whatever_the_size(void **state)
{
    static const size_t sizes[] = {0, 1, 8191, 8192, VIP_SPOOL_KEPT - 1, VIP_SPOOL_KEPT, 1048577, 1 << 21, 3000001};
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "sent");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vip_spool *spool = vip_spool_new(NULL);
        assert_non_null(spool);
        write_pattern(vip_spool_stream(spool), sizes[i]);
        assert_int_equal(vip_spool_finish(spool, NULL), VIPANN_OK);
        for (int twice = 0; twice < 2; twice++) {
            int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
            assert_true(fd >= 0);
            assert_int_equal(vip_spool_send(spool, fd), 0);
            FILE *in = fdopen(fd, "r+");
            assert_non_null(in);
            rewind(in);
            for (size_t k = 0; k < sizes[i]; k++) {
                if (fgetc(in) != (int)(k * 7 % 251)) {
                    fail_msg("byte %zu of %zu", k, sizes[i]);
                }
            }
            assert_int_equal(fgetc(in), EOF);
            assert_int_equal(fclose(in), 0);
        }
        vip_spool_free(spool);
    }
    vip_spool_free(NULL);
}

static void
test_what_is_short_needs_no_file_and_what_is_long_does_not_stay_in_memory(void **state)
{
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    vipann_error error = {VIPANN_OK, ""};
    vip_spool *spool = vip_spool_new(&error);
    assert_non_null(spool);
    write_pattern(vip_spool_stream(spool), VIP_SPOOL_KEPT);
    assert_int_equal(vip_spool_finish(spool, &error), VIPANN_OK);
    write_pattern(vip_spool_stream(spool), 1 << 16);
    assert_int_equal(vip_spool_finish(spool, &error), VIPANN_E_IO);
    assert_non_null(strstr(error.text, "no temporary file in /nowhere/at/all: No such file or directory; set TMPDIR"));
    vip_spool_free(spool);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void
test_temporary_files_have_no_name(void **state)
{
    assert_int_equal(setenv("TMPDIR", *state, 1), 0);
    int fd = vip_temporary_open("test", NULL);
    assert_true(fd >= 0);
    assert_int_equal(scratch_count(state), 0);
    assert_true(vip_write_all(fd, "whole", 5));
    char text[8] = "";
    assert_int_equal(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "whole");
    assert_int_equal(close(fd), 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void
test_a_place_that_is_full_is_told(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        print_message("there is no /dev/full\n");
        skip();
    }
    vip_spool *spool = vip_spool_new(NULL);
    write_pattern(vip_spool_stream(spool), PIECE);
    assert_int_equal(vip_spool_finish(spool, NULL), VIPANN_OK);
    assert_int_equal(vip_spool_send(spool, full), ENOSPC);
    vip_spool_free(spool);
    assert_int_equal(close(full), 0);
}

static void
test_no_memory_is_a_clean_failure(void **state)
{
    (void)state;
    vipann_status status = VIPANN_E_MEMORY;
    for (long n = 0; status != VIPANN_OK; n++) {
        vipann_error error = {VIPANN_OK, ""};
        failing_after(n);
        vip_spool *spool = vip_spool_new(&error);
        status = spool != NULL ? VIPANN_OK : error.status;
        if (spool != NULL) {
            write_pattern(vip_spool_stream(spool), 50000);
            status = vip_spool_finish(spool, &error);
        }
        failing_after(-1);
        vip_spool_free(spool);
        assert_true(status == VIPANN_OK || (status == VIPANN_E_MEMORY && error.text[0] != '\0'));
        assert_true(n < 20);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_comes_out_is_what_went_in_whatever_the_size, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_what_is_short_needs_no_file_and_what_is_long_does_not_stay_in_memory),
        cmocka_unit_test_setup_teardown(test_temporary_files_have_no_name, scratch_make, scratch_remove),
        cmocka_unit_test(test_a_place_that_is_full_is_told),
        cmocka_unit_test(test_no_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
