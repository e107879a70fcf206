/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_schedule.c -- holds the arithmetic of columns to the figures of the reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <nn/schedule.h>

#include "listener.h"
#include "numbers.h"

enum { CLASSES = 527, HEARD = 1001 };

static vip_network network;

static int64_t
columns(const int64_t *levels)
{
    return levels[network.n_steps];
}

/* Calls check for every network, small, in both paddings. */
static void
for_each_network(void (*check)(void))
{
    for (int arch = 0; arch < VIP_N_ARCHS; arch++) {
        for (int padding = VIP_SAME; padding <= VIP_CAUSAL; padding++) {
            vip_network_fill(&network, (vip_arch)arch, 1, 2, (vip_padding)padding);
            check();
        }
    }
}

/* A column is final when the frames behind it that it sees are there: not before, not later. */
static void
check_columns_per_frames(void)
{
    const int64_t ahead = vip_network_look_ahead(&network, NULL);
    vip_schedule at = {{0}, {0}};
    for (int64_t heard = 1; heard <= HEARD; heard++) {
        vip_schedule_push(&network, &at, 1);
        assert_int_equal(columns(at.end), heard < ahead ? 0 : (heard - ahead) / VIP_COLUMN_FRAMES);
        vip_schedule ended = at;
        vip_schedule_finish(&network, &ended, false);
        assert_int_equal(columns(ended.tail), heard / VIP_COLUMN_FRAMES);
        assert_memory_equal(ended.end, at.end, sizeof at.end);
        vip_schedule_finish(&network, &ended, true);
        assert_memory_equal(ended.end, ended.tail, sizeof ended.end);
    }
}

static void
test_a_column_is_final_with_the_last_frame_it_sees(void **state)
{
    (void)state;
    for_each_network(check_columns_per_frames);
}

/* The published figures: frames until the first answer that waits for its context. */
static void
test_the_first_centred_column_comes_as_late_as_in_the_reference(void **state)
{
    (void)state;
    static const struct {
        vip_arch arch;
        vip_padding padding;
        int64_t frames;
    } table[] = {{VIP_RESNET22, VIP_SAME, 218},  {VIP_RESNET38, VIP_SAME, 334},  {VIP_RESNET54, VIP_SAME, 216},
                 {VIP_RESNET22, VIP_CAUSAL, 32}, {VIP_RESNET38, VIP_CAUSAL, 32}, {VIP_RESNET54, VIP_CAUSAL, 32}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_network_fill(&network, table[i].arch, 1, 2, table[i].padding);
        vip_schedule at = {{0}, {0}};
        vip_schedule_push(&network, &at, table[i].frames - 1);
        assert_int_equal(columns(at.end), 0);
        vip_schedule_push(&network, &at, 1);
        assert_int_equal(columns(at.end), 1);
    }
}

static void
check_pieces(void)
{
    vip_schedule whole = {{0}, {0}}, pieces = {{0}, {0}};
    uint32_t random = 1;
    for (int64_t heard = 0; heard < HEARD;) {
        int64_t n = 1 + next_random(&random) % 90;
        n = n < HEARD - heard ? n : HEARD - heard;
        vip_schedule_push(&network, &pieces, n);
        heard += n;
        if (next_random(&random) % 2 == 0) {
            vip_schedule_finish(&network, &pieces, false);
        }
    }
    vip_schedule_push(&network, &whole, HEARD);
    assert_memory_equal(pieces.end, whole.end, sizeof whole.end);
}

static void
test_pieces_and_the_whole_end_at_the_same_columns(void **state) /* S3 */
{
    (void)state;
    for_each_network(check_pieces);
}

static void
check_end_of_causal(void)
{
    vip_schedule at = {{0}, {0}};
    for (int heard = 0; network.padding == VIP_CAUSAL && heard < 200; heard += 13) {
        vip_schedule_push(&network, &at, 13);
        vip_schedule_finish(&network, &at, false);
        assert_memory_equal(at.tail, at.end, sizeof at.end);
    }
}

static void
test_the_end_of_a_sound_adds_nothing_to_a_causal_network(void **state) /* S6 */
{
    (void)state;
    for_each_network(check_end_of_causal);
}

/* Plays the rule of the buffers: room from the oldest column still needed, before a push, up to the newest provisional
 * one behind it and one column of padding. */
static void
check_capacity(void)
{
    static const uint32_t longest[] = {1, 3, 32, 100, 500};
    for (size_t i = 0; i < LENGTH(longest); i++) {
        uint32_t capacity[VIP_MAX_LEVELS], most[VIP_MAX_LEVELS] = {0}, random = 7;
        vip_schedule_capacity(&network, longest[i], capacity);
        vip_schedule at = {{0}, {0}};
        for (int push = 0; push < 3000; push++) {
            vip_schedule before = at;
            vip_schedule_push(&network, &at,
                              push % 3 == 0 ? (int64_t)longest[i] : (int64_t)(next_random(&random) % longest[i]) + 1);
            vip_schedule_finish(&network, &at, false);
            for (int level = 0; level <= network.n_steps; level++) {
                int64_t held = at.tail[level] + network.right - vip_schedule_needed(&network, &before, level);
                assert_true(held <= (int64_t)capacity[level]);
                most[level] = (uint32_t)held > most[level] ? (uint32_t)held : most[level];
            }
        }
        for (int level = 0; level <= network.n_steps; level++) {
            assert_true(most[level] == capacity[level]);
        }
    }
}

static void
test_capacity_is_what_pushes_need_and_no_more(void **state)
{
    (void)state;
    for_each_network(check_capacity);
}

/* Millions of multiply-adds, as the reference prints them. */
static const struct {
    vip_arch arch;
    uint32_t width;
    const char *mode;
    uint32_t hop;
    double shared, member;
} work[] = {
    {VIP_RESNET22, 16, "clip", 0, 156.83, 723.00},    {VIP_RESNET22, 16, "centred", 1, 5.01, 23.73},
    {VIP_RESNET22, 16, "edge", 1, 5.32, 82.94},       {VIP_RESNET22, 16, "causal", 1, 5.01, 23.73},
    {VIP_RESNET22, 16, "centred", 2, 10.03, 46.93},   {VIP_RESNET22, 16, "edge", 2, 10.33, 106.14},
    {VIP_RESNET22, 16, "causal", 2, 10.03, 46.93},    {VIP_RESNET54, 16, "clip", 0, 156.83, 1483.15},
    {VIP_RESNET54, 16, "centred", 1, 5.01, 48.11},    {VIP_RESNET54, 16, "edge", 1, 5.32, 152.23},
    {VIP_RESNET54, 16, "causal", 1, 5.01, 48.11},     {VIP_RESNET54, 16, "centred", 2, 10.03, 95.69},
    {VIP_RESNET54, 16, "edge", 2, 10.33, 199.81},     {VIP_RESNET54, 16, "causal", 2, 10.03, 95.69},
    {VIP_RESNET22, 64, "clip", 0, 2398.56, 11564.78}, {VIP_RESNET22, 64, "centred", 1, 76.68, 376.47},
    {VIP_RESNET22, 64, "edge", 1, 81.43, 1323.73},    {VIP_RESNET22, 64, "causal", 1, 76.68, 376.47},
    {VIP_RESNET22, 64, "centred", 2, 153.35, 747.67}, {VIP_RESNET22, 64, "edge", 2, 158.11, 1694.92},
    {VIP_RESNET22, 64, "causal", 2, 153.35, 747.67},  {VIP_RESNET54, 64, "clip", 0, 2398.56, 23727.21},
    {VIP_RESNET54, 64, "centred", 1, 76.68, 766.54},  {VIP_RESNET54, 64, "edge", 1, 81.43, 2432.46},
    {VIP_RESNET54, 64, "causal", 1, 76.68, 766.54},   {VIP_RESNET54, 64, "centred", 2, 153.35, 1527.81},
    {VIP_RESNET54, 64, "edge", 2, 158.11, 3193.73},   {VIP_RESNET54, 64, "causal", 2, 153.35, 1527.81},
};

/* Multiply-adds between two states. The reference pools what it has already computed; so it makes the odd last column
 * in front of a pool as soon as it can, where we make pairs. */
static void
work_between(const vip_schedule *before, const int64_t *end, bool ended, const bool *shared_steps, uint64_t *shared,
             uint64_t *member)
{
    *shared = 0;
    *member = vip_dense_macs(&network);
    for (int i = 0; i < network.n_steps; i++) {
        const vip_step *step = &network.steps[i];
        int64_t made = end[i + 1] - before->end[i + 1];
        if (step->pool) {
            const int64_t right = step->kernel == 3 ? network.right : 0, first = before->end[step->source + 1] - right;
            made = end[step->source + 1] - (ended ? 0 : right) - (first > 0 ? first : 0);
        }
        *(shared_steps[i] ? shared : member) += (uint64_t)made * vip_step_macs(step);
    }
}

static void
assert_millions(uint64_t counted, double printed)
{
    assert_true(fabs((double)counted / 1e6 - printed) < 0.0051); /* two digits behind the point */
}

static void
test_work_is_what_the_reference_counts(void **state)
{
    (void)state;
    float rates[VIP_MAX_SITES];
    bool shared_steps[VIP_MAX_STEPS];
    for (size_t i = 0; i < LENGTH(work); i++) {
        const bool causal = strcmp(work[i].mode, "causal") == 0, edge = strcmp(work[i].mode, "edge") == 0;
        const bool clip = work[i].hop == 0;
        vip_network_fill(&network, work[i].arch, work[i].width, CLASSES, causal ? VIP_CAUSAL : VIP_SAME);
        for (int k = 0; k < network.n_sites; k++) {
            rates[k] = network.sites[k].training_rate;
        }
        vip_schedule_shared(&network, rates, false, shared_steps);
        uint64_t shared, member;
        vip_schedule before = {{0}, {0}}, after;
        vip_schedule_push(&network, &before, clip ? 0 : 20 * VIP_COLUMN_FRAMES);
        after = before;
        vip_schedule_push(&network, &after, clip ? HEARD : work[i].hop * VIP_COLUMN_FRAMES);
        if (clip || edge) {
            vip_schedule_finish(&network, &after, false);
        }
        work_between(&before, after.tail, clip || edge, shared_steps, &shared, &member);
        assert_millions(shared, work[i].shared);
        assert_millions(member, work[i].member);
    }
}

/* What the pass does is what it says, and as much as the reference: at the edge of a network that looks ahead, under
 * 0.3 % more, since the one column of a pair that is final is made again with the provisional other. */
static void
test_the_work_of_a_hop_is_that_of_the_reference(void **state)
{
    (void)state;
    float rates[VIP_MAX_SITES];
    bool shared_steps[VIP_MAX_STEPS];
    for (size_t i = 0; i < LENGTH(work); i++) {
        const bool causal = strcmp(work[i].mode, "causal") == 0;
        vip_network_fill(&network, work[i].arch, work[i].width, CLASSES, causal ? VIP_CAUSAL : VIP_SAME);
        for (int k = 0; k < network.n_sites; k++) {
            rates[k] = network.sites[k].training_rate;
        }
        vip_schedule_shared(&network, rates, false, shared_steps);
        uint64_t shared, member;
        if (work[i].hop > 0 && strcmp(work[i].mode, "edge") == 0) {
            vip_schedule_macs(&network, work[i].hop, true, shared_steps, &shared, &member);
            const double ratio = (double)member / 1e6 / work[i].member;
            assert_millions(shared, work[i].shared);
            assert_true(ratio > 0.999999 && ratio < 1.003);
        }
        for (int edge = 0; work[i].hop > 0 && edge <= causal; edge++) { /* causal: the same in either mode */
            vip_schedule_macs(&network, work[i].hop, causal && edge == 1, shared_steps, &shared, &member);
            if (strcmp(work[i].mode, "edge") != 0) {
                assert_millions(shared, work[i].shared);
                assert_millions(member, work[i].member);
            }
        }
    }
}

/* Everything before the first site that acts is computed once, nothing behind it. */
static void
test_steps_are_shared_up_to_the_first_dropout(void **state) /* S7 */
{
    (void)state;
    static const struct {
        const char *site; /* the only one that acts; NULL: none */
        bool own_weights;
        const char *first_own; /* the convolution from which on members differ; NULL: none does */
    } table[] = {{"stem", false, "resnet.layer1.0.conv1"},
                 {"layer1.0", false, "resnet.layer1.0.conv2"},
                 {"layer3.1", false, "resnet.layer3.1.conv2"},
                 {"pool", false, "conv_block_after1.conv1"},
                 {"after", false, NULL},
                 {"fc1", false, NULL},
                 {NULL, false, NULL},
                 {NULL, true, "conv_block1.conv1"}};
    vip_network_fill(&network, VIP_RESNET22, 1, 2, VIP_SAME);
    for (size_t i = 0; i < LENGTH(table); i++) {
        float rates[VIP_MAX_SITES] = {0};
        bool shared[VIP_MAX_STEPS];
        if (table[i].site != NULL) {
            rates[vip_network_site(&network, table[i].site)] = 0.25f;
        }
        vip_schedule_shared(&network, table[i].site == NULL ? NULL : rates, table[i].own_weights, shared);
        bool own = false;
        for (int k = 0; k < network.n_steps; k++) {
            own = own || (table[i].first_own != NULL && strcmp(network.steps[k].conv, table[i].first_own) == 0);
            const bool detour = strstr(network.steps[k].conv, "downsample") != NULL; /* it may read what is shared */
            assert_true(shared[k] == !own || (detour && !shared[k] == own));
        }
        assert_true(own == (table[i].first_own != NULL));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_column_is_final_with_the_last_frame_it_sees),
        cmocka_unit_test(test_the_first_centred_column_comes_as_late_as_in_the_reference),
        cmocka_unit_test(test_pieces_and_the_whole_end_at_the_same_columns),
        cmocka_unit_test(test_the_end_of_a_sound_adds_nothing_to_a_causal_network),
        cmocka_unit_test(test_capacity_is_what_pushes_need_and_no_more),
        cmocka_unit_test(test_work_is_what_the_reference_counts),
        cmocka_unit_test(test_the_work_of_a_hop_is_that_of_the_reference),
        cmocka_unit_test(test_steps_are_shared_up_to_the_first_dropout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
