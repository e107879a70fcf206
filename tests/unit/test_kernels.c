/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kernels.c -- holds the promises of kernels.h. Every tile by itself is checked by tests/bench/check_kernels.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <base/philox.h>
#include <tests/bench/kernel_problem.h>

#include "failing.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const char *const names[] = {"avx512", "avx2", "c"};

static const problem_shape shapes[] = {
    {.in_blocks = 1, .out_blocks = 1, .kernel = 1, .columns = 7, .members = 1, .bins = 64, .relu = true},
    {.in_blocks = 2,
     .out_blocks = 3,
     .kernel = 3,
     .columns = 5,
     .members = 3,
     .bins = 4,
     .residual = true,
     .keep = true},
    {.in_blocks = 1, .out_blocks = 2, .kernel = 3, .columns = 6, .members = 2, .bins = 8, .pool = true, .keep = true},
    {.in_blocks = 2,
     .out_blocks = 5,
     .kernel = 3,
     .columns = 3,
     .members = 8,
     .bins = 2,
     .flipout = true,
     .relu = true},
    {.in_blocks = 3, .out_blocks = 9, .kernel = 1, .columns = 1, .members = 5, .bins = 1, .member_bias = true},
    {.in_blocks = 1, .out_blocks = 1, .kernel = 3, .columns = 4, .members = 3, .bins = 16, .shared_input = true},
};

static void
test_each_variant_computes_the_definition_and_writes_nothing_else(void **state) /* K1, K4 */
{
    (void)state;
    uint64_t seed = 7;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        problem p;
        assert_true(problem_init(&p, &shapes[i], &seed));
        assert_true(problem_define(&p, true));
        assert_true(problem_define(&p, false));
        for (size_t k = 0; k < LENGTH(names); k++) {
            const vip_kernels *kernels = vip_kernels_find(names[k]);
            assert_true(kernels == NULL || problem_holds(&p, kernels));
        }
        problem_free(&p);
    }
}

/* Computes columns from .. to-1 of the problem alone. */
static void
convolve_columns(const vip_kernels *kernels, const problem *p, uint32_t from, uint32_t to)
{
    const uint32_t shrink = p->shape.pool ? 2 : 1;
    const size_t y_column = from / shrink;
    vip_conv conv = p->conv;
    vip_region region = p->region;
    conv.x += from * conv.x_column;
    conv.y += y_column * region.y_column;
    conv.residual = conv.residual == NULL ? NULL : conv.residual + from * region.residual_column;
    conv.keep =
        conv.keep == NULL ? NULL : conv.keep + y_column * region.members * (region.bins / shrink) * conv.out_blocks;
    region.columns = to - from;
    vip_convolve(kernels, &conv, &region);
}

/* Computes one member of the problem alone. */
static void
convolve_member(const vip_kernels *kernels, const problem *p, uint32_t member)
{
    vip_conv conv = p->conv;
    vip_region region = p->region;
    conv.x += member * region.x_member;
    conv.y += member * region.y_member;
    conv.bias += member * conv.bias_member;
    conv.residual = conv.residual == NULL ? NULL : conv.residual + member * region.residual_member;
    if (conv.sign_in != NULL) {
        conv.sign_in += (size_t)member * conv.in_blocks * VIP_BLOCK;
        conv.sign_out += (size_t)member * conv.out_blocks;
    }
    region.members = 1;
    vip_convolve(kernels, &conv, &region);
}

static void
assert_cuts_do_not_show(const vip_kernels *kernels, problem *p)
{
    const size_t bytes = p->y.n * sizeof(float);
    float *whole = vip_alloc(p->y.n, sizeof *whole);
    assert_non_null(whole);
    vip_convolve(kernels, &p->conv, &p->region);
    memcpy(whole, p->y.memory, bytes);
    const uint32_t step = p->shape.pool ? 2 : 1;
    for (uint32_t cut = step; cut < p->shape.columns; cut += step) {
        memcpy(p->y.memory, p->y.copy, bytes);
        convolve_columns(kernels, p, 0, cut);
        convolve_columns(kernels, p, cut, p->shape.columns);
        assert_memory_equal(p->y.memory, whole, bytes);
    }
    if (!p->shape.keep) { /* masks are laid out for all members */
        memcpy(p->y.memory, p->y.copy, bytes);
        for (uint32_t m = 0; m < p->shape.members; m++) {
            convolve_member(kernels, p, m);
        }
        assert_memory_equal(p->y.memory, whole, bytes);
    }
    vip_free(whole);
}

static void
test_outputs_do_not_depend_on_how_the_region_is_cut(void **state) /* K2 */
{
    (void)state;
    uint64_t seed = 8;
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        problem p;
        assert_true(problem_init(&p, &shapes[i], &seed));
        for (size_t k = 0; k < LENGTH(names); k++) {
            const vip_kernels *kernels = vip_kernels_find(names[k]);
            if (kernels != NULL) {
                assert_cuts_do_not_show(kernels, &p);
            }
        }
        problem_free(&p);
    }
}

static void
test_kernels_allocate_nothing(void **state) /* K5 */
{
    (void)state;
    uint64_t seed = 9;
    for (size_t k = 0; k < LENGTH(names); k++) {
        const vip_kernels *kernels = vip_kernels_find(names[k]);
        problem p;
        assert_true(problem_init(&p, &shapes[1], &seed));
        if (kernels != NULL) {
            uint16_t keep[64];
            failing_after(0);
            vip_convolve(kernels, &p.conv, &p.region);
            vip_keep_column(kernels, 1, 2, 3, 4, 6554, 24, 2, keep);
            kernels->drop(p.x.memory, keep, 1, 1.0f, 1, p.x.memory);
            long asked = failing_count();
            failing_after(-1);
            assert_int_equal(asked, 0);
        }
        problem_free(&p);
    }
}

static void
test_environment_forces_a_variant(void **state) /* K6 */
{
    (void)state;
    for (size_t k = 0; k < LENGTH(names); k++) {
        const vip_kernels *found = vip_kernels_find(names[k]);
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(setenv("VIPANN_KERNELS", names[k], 1), 0);
        assert_ptr_equal(vip_kernels_choose(&error), found);
        assert_int_equal(error.status, found == NULL ? VIPANN_E_ARG : VIPANN_OK);
    }
    assert_non_null(vip_kernels_find("c")); /* runs anywhere */
    assert_int_equal(unsetenv("VIPANN_KERNELS"), 0);
}

static void
test_environment_that_names_no_variant_is_refused(void **state) /* K6 */
{
    (void)state;
    static const char *const refused[] = {"sse", "AVX2", "avx2 ", "c,avx2"};
    for (size_t i = 0; i < LENGTH(refused); i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_int_equal(setenv("VIPANN_KERNELS", refused[i], 1), 0);
        assert_null(vip_kernels_choose(&error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        assert_non_null(strstr(error.text, refused[i]));
        assert_null(vip_kernels_choose(NULL));
    }
    assert_int_equal(unsetenv("VIPANN_KERNELS"), 0);
    assert_null(vip_kernels_find("sse"));
}

static void
test_unset_or_empty_environment_takes_the_first_that_runs(void **state) /* K6 */
{
    (void)state;
    const vip_kernels *first = NULL;
    for (size_t k = 0; k < LENGTH(names) && first == NULL; k++) {
        first = vip_kernels_find(names[k]);
    }
    assert_int_equal(unsetenv("VIPANN_KERNELS"), 0);
    assert_ptr_equal(vip_kernels_choose(NULL), first);
    assert_int_equal(setenv("VIPANN_KERNELS", "", 1), 0);
    assert_ptr_equal(vip_kernels_choose(NULL), first);
    assert_int_equal(unsetenv("VIPANN_KERNELS"), 0);
}

static void
test_threshold_and_scale_of_a_rate(void **state) /* K3 */
{
    (void)state;
    static const struct {
        float rate, scale;
        uint32_t threshold;
    } table[] = {{0.0f, 1.0f, 0}, {0.1f, 1.0f / 0.9f, 6554}, {0.2f, 1.25f, 13107}, {0.5f, 2.0f, 32768}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_int_equal(vip_keep_threshold(table[i].rate), table[i].threshold);
        assert_float_equal(vip_keep_scale(table[i].rate), table[i].scale, 1e-7);
    }
}

/* Element e of the mask, by the definition. */
static bool
is_kept(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, uint32_t e)
{
    const uint32_t counter[4] = {e / 8, column, (uint32_t)VIP_KEYED_DROPOUT << 24 | site, member};
    uint32_t words[4];
    vip_philox(seed, counter, words);
    return (words[e % 8 / 2] >> (e % 2 * 16) & 0xffff) >= threshold;
}

static void
test_masks_are_the_definition_at_every_threshold(void **state) /* K3 */
{
    (void)state;
    static const uint32_t thresholds[] = {0, 1, 13107, 65535, 65536};
    static const uint32_t channels[] = {1, 16, 24, 127};
    enum { BINS = 4, MOST = 8 * BINS };
    for (size_t i = 0; i < LENGTH(names) * LENGTH(thresholds) * LENGTH(channels); i++) {
        const vip_kernels *kernels = vip_kernels_find(names[i % LENGTH(names)]);
        const uint32_t threshold = thresholds[i / LENGTH(names) % LENGTH(thresholds)];
        const uint32_t n = channels[i / LENGTH(names) / LENGTH(thresholds)], blocks = (n + VIP_BLOCK - 1) / VIP_BLOCK;
        uint16_t keep[MOST];
        if (kernels == NULL) {
            continue;
        }
        vip_keep_column(kernels, 0xfedcba9876543210u, 0x52, 7, UINT32_MAX, threshold, n, BINS, keep);
        for (uint32_t bin = 0; bin < BINS; bin++) {
            for (uint32_t c = 0; c < blocks * VIP_BLOCK; c++) {
                bool kept = c < n && is_kept(0xfedcba9876543210u, 0x52, 7, UINT32_MAX, threshold, bin * n + c);
                assert_int_equal(keep[bin * blocks + c / VIP_BLOCK] >> (c % VIP_BLOCK) & 1, kept);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_variant_computes_the_definition_and_writes_nothing_else),
        cmocka_unit_test(test_outputs_do_not_depend_on_how_the_region_is_cut),
        cmocka_unit_test(test_kernels_allocate_nothing),
        cmocka_unit_test(test_environment_forces_a_variant),
        cmocka_unit_test(test_environment_that_names_no_variant_is_refused),
        cmocka_unit_test(test_unset_or_empty_environment_takes_the_first_that_runs),
        cmocka_unit_test(test_threshold_and_scale_of_a_rate),
        cmocka_unit_test(test_masks_are_the_definition_at_every_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
