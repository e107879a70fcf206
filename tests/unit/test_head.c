/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_head.c -- holds pooling and the dense layers to their formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <bayes/keyed.h>
#include <nn/head.h>

#include "failing.h"
#include "listener.h"
#include "numbers.h"

enum { FEATURES = 32 * TINY_WIDTH, MEMBERS = 3, COLUMNS = 20, SPARE = 12, SEED = 21 };

static vip_model *model;
static vip_weights *weights;

static int
make_network(void **state)
{
    (void)state;
    model = tiny_model(VIP_RESNET22, VIP_SAME, VIPANN_DETERMINISTIC);
    weights = vip_weights_new(model, model->values, NULL);
    return weights == NULL;
}

static int
drop_network(void **state)
{
    (void)state;
    vip_weights_free(weights);
    vip_model_free(model);
    return 0;
}

/* Rates of dropout before fc1 and before the head. */
static vip_head_masks
masks_of(float fc1, float last)
{
    return (vip_head_masks){.fc1_threshold = vip_keep_threshold(fc1),
                            .head_threshold = vip_keep_threshold(last),
                            .fc1_scale = vip_keep_scale(fc1),
                            .head_scale = vip_keep_scale(last),
                            .fc1_site = model->network.sites[model->network.fc1_site].id,
                            .head_site = model->network.sites[model->network.head_site].id,
                            .seed = SEED};
}

static vip_head *
new_head(uint32_t window, uint32_t stored, const vip_head_masks *masks)
{
    const vip_member_weights same = {.shared = weights};
    return vip_head_new(vip_kernels_choose(NULL), &model->network, &same, masks, window, SPARE, stored, MEMBERS);
}

static float
feature(int64_t column, uint32_t member, uint32_t channel)
{
    return (float)((column * 7 + member * 3 + channel * 5) % 11) / 4;
}

static void
write_column(vip_head *head, int64_t column, uint32_t stored)
{
    float *to = vip_head_column(head, column);
    for (uint32_t m = 0; m < stored; m++) {
        for (uint32_t c = 0; c < FEATURES; c++) {
            to[m * FEATURES + c] = feature(column, m, c);
        }
    }
}

static const float *
tensor(const char *name)
{
    return model->values[vip_model_tensor(model, name)];
}

/* The formulas in double: max + mean over columns begin .. end - 1, dropout, fc1, ReLU, dropout, head. */
static void
expect(int64_t begin, int64_t end, uint32_t member, uint32_t masks_of_member, float fc1, float last, double *logits)
{
    double x[FEATURES], h[FEATURES];
    unsigned char keep[FEATURES];
    const vip_head_masks masks = masks_of(fc1, last);
    vip_keyed_keep(SEED, masks.fc1_site, masks_of_member, 0, fc1, keep, FEATURES);
    for (uint32_t c = 0; c < FEATURES; c++) {
        double max = -INFINITY, sum = 0;
        for (int64_t j = begin; j < end; j++) {
            max = fmax(max, (double)feature(j, member, c));
            sum += (double)feature(j, member, c);
        }
        x[c] = keep[c] ? (max + sum / (double)(end - begin)) / (1 - (double)fc1) : 0;
    }
    vip_keyed_keep(SEED, masks.head_site, masks_of_member, 0, last, keep, FEATURES);
    for (uint32_t o = 0; o < FEATURES; o++) {
        h[o] = (double)tensor("fc1.bias")[o];
        for (uint32_t c = 0; c < FEATURES; c++) {
            h[o] += (double)tensor("fc1.weight")[o * FEATURES + c] * x[c];
        }
        h[o] = keep[o] && h[o] > 0 ? h[o] / (1 - (double)last) : 0;
    }
    for (uint32_t o = 0; o < TINY_CLASSES; o++) {
        logits[o] = (double)tensor("fc_audioset.bias")[o];
        for (uint32_t c = 0; c < FEATURES; c++) {
            logits[o] += (double)tensor("fc_audioset.weight")[o * FEATURES + c] * h[c];
        }
    }
}

static void
test_an_answer_is_max_and_mean_of_the_window_through_the_dense_layers(void **state)
{
    (void)state;
    static const struct {
        uint32_t window; /* of the head; 0: endless */
        uint32_t stored;
        float fc1, last;
    } table[] = {{5, 1, 0, 0}, {5, MEMBERS, 0, 0}, {0, MEMBERS, 0, 0}, {5, 1, 0.5f, 0}, {0, MEMBERS, 0.25f, 0.5f}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        const vip_head_masks masks = masks_of(table[i].fc1, table[i].last);
        vip_head *head = new_head(table[i].window, table[i].stored, &masks);
        assert_non_null(head);
        for (int64_t end = 1; end <= COLUMNS; end++) {
            vip_head_commit(head, end - 4, MEMBERS);
            write_column(head, end - 1, table[i].stored);
            for (uint32_t window = table[i].window == 0 ? 0 : 1; window <= 5; window += window == 0 ? 1 : 2) {
                float logits[MEMBERS * TINY_CLASSES];
                vip_head_answer(head, end, window, MEMBERS, logits);
                const int64_t begin = window == 0 || end < window ? 0 : end - window;
                for (uint32_t m = 0; m < MEMBERS; m++) {
                    double expected[TINY_CLASSES];
                    expect(begin, end, table[i].stored == 1 ? 0 : m, m, table[i].fc1, table[i].last, expected);
                    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
                        assert_true(fabs((double)logits[m * TINY_CLASSES + k] - expected[k]) < 2e-5);
                    }
                }
            }
        }
        vip_head_free(head);
    }
}

/* What is pooled, before any dropout, as the mean over the members that were asked for. */
static void
test_the_pooled_vector_is_the_mean_over_the_members_of_the_answer(void **state)
{
    (void)state;
    const vip_head_masks masks = masks_of(0.5f, 0.5f);
    for (uint32_t stored = 1; stored <= MEMBERS; stored += MEMBERS - 1) {
        vip_head *head = new_head(5, stored, &masks);
        for (int64_t end = 1; end <= 8; end++) {
            write_column(head, end - 1, stored);
            for (uint32_t members = 1; members <= MEMBERS; members++) {
                float logits[MEMBERS * TINY_CLASSES], pooled[FEATURES];
                vip_head_answer(head, end, 3, members, logits);
                vip_head_pooled(head, pooled);
                const int64_t begin = end < 3 ? 0 : end - 3;
                const uint32_t n = members < stored ? members : stored;
                for (uint32_t c = 0; c < FEATURES; c++) {
                    double expected = 0;
                    for (uint32_t m = 0; m < n; m++) {
                        double max = 0, sum = 0;
                        for (int64_t j = begin; j < end; j++) {
                            max = fmax(max, (double)feature(j, m, c));
                            sum += (double)feature(j, m, c);
                        }
                        expected += (max + sum / (double)(end - begin)) / n;
                    }
                    assert_near((double)pooled[c], expected, 1e-6);
                }
            }
        }
        vip_head_free(head);
    }
}

/* Whatever is committed when: sums go over the columns in their order, from the first on. */
static void
test_a_window_over_everything_has_the_bits_of_an_endless_one(void **state)
{
    (void)state;
    const vip_head_masks masks = masks_of(0, 0);
    vip_head *endless = new_head(0, MEMBERS, &masks), *window = new_head(COLUMNS, MEMBERS, &masks);
    uint32_t random = 1;
    for (int64_t end = 1; end <= COLUMNS; end++) {
        float a[MEMBERS * TINY_CLASSES], b[MEMBERS * TINY_CLASSES];
        vip_head_commit(endless, end - 1 - next_random(&random) % 8, MEMBERS);
        write_column(endless, end - 1, MEMBERS);
        write_column(window, end - 1, MEMBERS);
        vip_head_answer(endless, end, 0, MEMBERS, a);
        vip_head_answer(window, end, COLUMNS, MEMBERS, b);
        assert_memory_equal(a, b, sizeof a);
    }
    vip_head_free(endless);
    vip_head_free(window);
}

/* The mean of equal columns is the column, for hours: a sum in single precision would lose digits on the way. */
static void
test_an_endless_window_keeps_its_digits(void **state)
{
    (void)state;
    enum { HOURS = 20000 }; /* columns: 1.8 hours */
    const vip_head_masks masks = masks_of(0, 0);
    vip_head *head = new_head(0, 1, &masks);
    float first[TINY_CLASSES], last[TINY_CLASSES];
    for (int64_t end = 1; end <= HOURS; end++) {
        float *column = vip_head_column(head, end - 1);
        for (uint32_t c = 0; c < FEATURES; c++) {
            column[c] = 0.1f;
        }
        if (end == 1) {
            vip_head_answer(head, end, 0, 1, first);
        }
        vip_head_commit(head, end, 1);
    }
    vip_head_answer(head, HOURS, 0, 1, last);
    assert_memory_equal(first, last, sizeof first);
    vip_head_free(head);
}

static void
test_reset_forgets_what_was_committed(void **state) /* S8 */
{
    (void)state;
    const vip_head_masks masks = masks_of(0, 0);
    vip_head *head = new_head(0, 1, &masks);
    float first[TINY_CLASSES], again[TINY_CLASSES];
    write_column(head, 0, 1);
    vip_head_answer(head, 1, 0, 1, first);
    vip_head_commit(head, 1, 1);
    write_column(head, 1, 1);
    vip_head_commit(head, 2, 1);
    vip_head_reset(head);
    write_column(head, 0, 1);
    vip_head_answer(head, 1, 0, 1, again);
    assert_memory_equal(first, again, sizeof first);
    vip_head_free(head);
}

static void
test_memory_that_fails_anywhere_gives_no_head_and_no_leak(void **state)
{
    (void)state;
    const vip_head_masks masks = masks_of(0, 0);
    vip_head *head = NULL;
    long n = 0;
    for (; head == NULL; n++) {
        failing_after(n);
        head = new_head(4, MEMBERS, &masks);
        failing_after(-1);
    }
    assert_true(n > 5);
    vip_head_free(head);
    vip_head_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_max_and_mean_of_the_window_through_the_dense_layers),
        cmocka_unit_test(test_the_pooled_vector_is_the_mean_over_the_members_of_the_answer),
        cmocka_unit_test(test_a_window_over_everything_has_the_bits_of_an_endless_one),
        cmocka_unit_test(test_an_endless_window_keeps_its_digits),
        cmocka_unit_test(test_reset_forgets_what_was_committed),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_head_and_no_leak),
    };
    return cmocka_run_group_tests(tests, make_network, drop_network);
}
