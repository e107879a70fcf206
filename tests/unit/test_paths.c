/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_paths.c -- holds the promises of common/paths.h; tests/cli/recursive.sh holds more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/paths.h>

#include "failing.h"
#include "scratch.h"

static void
count_note(void *user, const char *text)
{
    assert_null(strchr(text, '\n'));
    (*(int *)user)++;
}

static void
add_all(vip_paths *paths, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(vip_paths_add(paths, names[i], true, count_note, NULL, NULL), VIPANN_OK);
    }
}

static void
test_names_are_the_last_part_or_relative_to_the_folder(void **state)
{
    char path[SCRATCH_PATH], folder[SCRATCH_PATH];
    static const char *const files[] = {"b.wav", "a.flac", "c.txt", ".d.wav", "e", "f.WaV", "g.wav.bak"};
    static const char *const expected[] = {"a.flac", "b.wav", "f.WaV"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        scratch_write(scratch_path(path, state, files[i]), "", 0);
    }
    for (int slash = 0; slash < 2; slash++) {
        vip_paths paths = {0};
        int notes = 0;
        (void)snprintf(folder, sizeof folder, "%s%s", (const char *)*state, slash ? "/" : "");
        assert_int_equal(vip_paths_add(&paths, folder, true, count_note, &notes, NULL), VIPANN_OK);
        assert_int_equal(paths.n, 3);
        for (size_t i = 0; i < paths.n; i++) {
            assert_string_equal(paths.all[i].name, expected[i]);
            assert_string_equal(paths.all[i].path, scratch_path(path, state, expected[i]));
        }
        assert_int_equal(notes, 0);
        vip_paths_free(&paths);
    }
    vip_paths paths = {0};
    static const char *const named[] = {"x/y/z.wav", "z.wav", "-", "missing"};
    static const char *const names[] = {"z.wav", "z.wav", "-", "missing"};
    add_all(&paths, named, 4);
    for (size_t i = 0; i < paths.n; i++) {
        assert_string_equal(paths.all[i].path, named[i]);
        assert_string_equal(paths.all[i].name, names[i]);
    }
    vip_paths_free(&paths);
}

static void
test_shards_share_all_and_have_nothing_in_common(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (uint64_t n = 1; n < 10; n++) {
        int seen[7] = {0};
        for (uint64_t i = 1; i <= n; i++) {
            vip_paths paths = {0};
            add_all(&paths, names, 7);
            vip_paths_keep_shard(&paths, i, n);
            for (size_t k = 0; k < paths.n; k++) {
                seen[paths.all[k].path[0] - 'a']++;
                assert_int_equal((uint64_t)(paths.all[k].path[0] - 'a') % n, i - 1);
            }
            vip_paths_free(&paths);
        }
        for (int k = 0; k < 7; k++) {
            assert_int_equal(seen[k], 1);
        }
    }
}

static void
test_sorting_keeps_equals_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"x/b", "a/b", "x/a", "c", "a/b", "", "x/c", "a/a", "a/b"};
    enum { N = 9 };
    for (int by_name = 0; by_name < 2; by_name++) {
        vip_paths paths = {0};
        size_t order[N];
        add_all(&paths, names, N);
        vip_paths_sort(&paths, by_name, order);
        for (size_t i = 1; i < N; i++) {
            const vip_path *a = &paths.all[order[i - 1]], *b = &paths.all[order[i]];
            int found = by_name ? strcmp(a->name, b->name) : strcmp(a->path, b->path);
            assert_true(found < 0 || (found == 0 && order[i - 1] < order[i]));
        }
        bool leave[N] = {[0] = true, [5] = true, [8] = true};
        vip_paths_remove(&paths, leave);
        assert_int_equal(paths.n, N - 3);
        assert_string_equal(paths.all[0].path, "a/b");
        assert_string_equal(paths.all[5].path, "a/a");
        vip_paths_free(&paths);
    }
}

static void
test_no_memory_is_a_clean_failure(void **state)
{
    char path[SCRATCH_PATH], name[16];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "%d.wav", i);
        scratch_write(scratch_path(path, state, name), "", 0);
    }
    vipann_status status = VIPANN_E_MEMORY;
    for (long n = 0; status != VIPANN_OK; n++) {
        vip_paths paths = {0};
        vipann_error error;
        int notes = 0;
        failing_after(n);
        status = vip_paths_add(&paths, *state, true, count_note, &notes, &error);
        failing_after(-1);
        assert_true(status == VIPANN_OK ? paths.n == 100 : status == VIPANN_E_MEMORY);
        vip_paths_free(&paths);
        assert_true(n < 1000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_are_the_last_part_or_relative_to_the_folder, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(test_shards_share_all_and_have_nothing_in_common),
        cmocka_unit_test(test_sorting_keeps_equals_in_order),
        cmocka_unit_test_setup_teardown(test_no_memory_is_a_clean_failure, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
