/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_pass.c -- holds the pass to its invariants; for those of its work see test_pass_work.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "failing.h"
#include "listener.h"
#include "numbers.h"

enum { FRAMES = SOUND_FRAMES, COLUMNS = FRAMES / VIP_COLUMN_FRAMES, WINDOW = 3 };

/* Answers for every column after a push of the whole sound. */
static float *
hear_whole(const float *frames, listener_options options, uint32_t window)
{
    options.max_frames = FRAMES;
    options.max_window = window;
    listener l = listener_new(&options);
    hearing h = {frames, FRAMES, NULL, window, options.members, new_answers(COLUMNS, options.members), 0};
    hear(l.pass, &h, 0, FRAMES);
    hear_end(l.pass, &h);
    assert_int_equal(h.columns, COLUMNS);
    listener_free(&l);
    return h.answers;
}

static size_t
answer_bytes(uint32_t members)
{
    return members * TINY_CLASSES * sizeof(float);
}

static void
test_pieces_of_any_size_give_the_bits_of_the_whole(void **state) /* S1, S3 */
{
    const float *frames = *state;
    static const size_t longest[] = {1, 7, 31, 32, 33, 150};
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (uint32_t window = 0; window <= WINDOW; window += WINDOW) {
            listener_options options = kind_of(kind);
            float *whole = hear_whole(frames, options, window);
            for (size_t i = kind % 2; i < LENGTH(longest); i += 2) {
                options.max_frames = (uint32_t)longest[i];
                options.max_window = window;
                listener l = listener_new(&options);
                uint32_t random = 5;
                hearing h = {frames, longest[i],      i < 2 ? NULL : &random,
                             window, options.members, new_answers(COLUMNS, options.members),
                             0};
                hear(l.pass, &h, 0, FRAMES);
                hear_end(l.pass, &h);
                assert_int_equal(h.columns, COLUMNS);
                assert_memory_equal(h.answers, whole, COLUMNS * answer_bytes(options.members));
                listener_free(&l);
                free(h.answers);
            }
            free(whole);
        }
    }
}

/* The clip pass of the first n frames: the answer over `window` columns. */
static void
answer_clip(listener *l, const float *frames, size_t n, uint32_t window, uint32_t members, float *out)
{
    vip_pass_reset(l->pass, 0);
    vip_pass_push(l->pass, frames, (uint32_t)n);
    vip_pass_finish(l->pass, true);
    vip_pass_answer(l->pass, vip_pass_columns(l->pass), window, members, out);
}

static void
test_the_edge_is_the_clip_pass_of_what_was_heard(void **state) /* S2 */
{
    const float *frames = *state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (uint32_t window = 0; window <= WINDOW; window += WINDOW) {
            const uint32_t members = kind_of(kind).members;
            float answer[4 * TINY_CLASSES], expected[4 * TINY_CLASSES];
            listener_options options = kind_of(kind);
            options.max_frames = 60;
            options.max_window = window;
            listener stream = listener_new(&options);
            options.max_frames = FRAMES;
            listener clip = listener_new(&options);
            uint32_t random = 9;
            for (size_t heard = 0; heard < FRAMES - 60;) {
                const uint32_t n = 1 + next_random(&random) % 60;
                vip_pass_push(stream.pass, frames + heard * VIP_MELS, n);
                heard += n;
                vip_pass_finish(stream.pass, false);
                assert_int_equal(vip_pass_provisional(stream.pass), heard / VIP_COLUMN_FRAMES);
                if (heard >= VIP_COLUMN_FRAMES) {
                    vip_pass_answer(stream.pass, vip_pass_provisional(stream.pass), window, members, answer);
                    answer_clip(&clip, frames, heard, window, members, expected);
                    assert_memory_equal(answer, expected, answer_bytes(members));
                }
            }
            listener_free(&stream);
            listener_free(&clip);
        }
    }
}

static void
test_answers_at_the_edge_leave_the_stream_as_it_was(void **state) /* S3 */
{
    const float *frames = *state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        listener_options options = kind_of(kind);
        float *whole = hear_whole(frames, options, WINDOW), answer[4 * TINY_CLASSES];
        options.max_window = WINDOW;
        listener l = listener_new(&options);
        hearing h = {frames, VIP_COLUMN_FRAMES, NULL, WINDOW, options.members, new_answers(COLUMNS, options.members),
                     0};
        for (size_t heard = 0; heard < FRAMES; heard += 25) {
            hear(l.pass, &h, heard, heard + 25 < FRAMES ? heard + 25 : FRAMES);
            for (int again = 0; again < 2 && heard > VIP_COLUMN_FRAMES; again++) {
                vip_pass_finish(l.pass, false);
                vip_pass_answer(l.pass, vip_pass_provisional(l.pass), WINDOW, options.members, answer);
            }
        }
        hear_end(l.pass, &h);
        assert_memory_equal(h.answers, whole, COLUMNS * answer_bytes(options.members));
        listener_free(&l);
        free(h.answers);
        free(whole);
    }
}

static void
test_a_member_does_not_depend_on_how_many_there_are(void **state) /* S4 */
{
    const float *frames = *state;
    enum { MOST = 8 };
    for (size_t kind = 0; kind < KINDS; kind++) {
        listener_options options = kind_of(kind);
        options.members = MOST;
        float *all = hear_whole(frames, options, WINDOW);
        static const uint32_t fewer[] = {1, 2, 3};
        for (size_t i = 0; i < LENGTH(fewer); i++) {
            const uint32_t members = options.members = fewer[i];
            float *few = hear_whole(frames, options, WINDOW);
            for (size_t column = 0; column < COLUMNS; column++) {
                assert_memory_equal(few + column * members * TINY_CLASSES, all + column * MOST * TINY_CLASSES,
                                    answer_bytes(members));
            }
            free(few);
        }
        free(all);
    }
}

/* Members leave and come back; those that are settled are as if they had always been there, the others are not yet. */
static void
test_a_member_that_joins_later_counts_once_it_has_settled(void **state) /* S4 */
{
    (void)state;
    enum { MOST = 4, LONG = 1500, LONG_COLUMNS = LONG / VIP_COLUMN_FRAMES, SHORT_WINDOW = 2 };
    static const struct {
        size_t frame;
        uint32_t members;
    } changes[] = {{0, 2}, {130, 4}, {480, 1}, {545, 3}, {900, 4}};
    float *sound = random_frames(2, LONG);
    static const size_t which[] = {0, 1, FLIPOUT_KIND, EXPLICIT_KIND, ENSEMBLE_KIND, CAUSAL_ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        options.members = MOST;
        options.max_window = SHORT_WINDOW;
        listener always = listener_new(&options), changing = listener_new(&options);
        float expected[MOST * TINY_CLASSES], answer[MOST * TINY_CLASSES];
        size_t next = 0, unsettled = 0;
        uint32_t most_settled = 0;
        for (size_t heard = 0; heard < LONG; heard += 5) {
            if (next < LENGTH(changes) && heard == changes[next].frame) {
                vip_pass_set_members(changing.pass, changes[next++].members);
            }
            vip_pass_push(always.pass, sound + heard * VIP_MELS, 5);
            vip_pass_push(changing.pass, sound + heard * VIP_MELS, 5);
            const int64_t end = vip_pass_columns(always.pass);
            assert_int_equal(end, vip_pass_columns(changing.pass));
            if (end == 0) {
                continue;
            }
            const uint32_t running = changes[next - 1].members;
            const uint32_t settled = vip_pass_settled(changing.pass, end, SHORT_WINDOW);
            assert_true(settled >= 1 && settled <= running);
            most_settled = settled > most_settled ? settled : most_settled;
            vip_pass_answer(always.pass, end, SHORT_WINDOW, MOST, expected);
            vip_pass_answer(changing.pass, end, SHORT_WINDOW, running, answer);
            assert_memory_equal(answer, expected, answer_bytes(settled));
            unsettled += settled < running && memcmp(answer, expected, answer_bytes(running)) != 0;
        }
        assert_int_equal(most_settled, MOST);
        assert_true(unsettled > 0);
        listener_free(&always);
        listener_free(&changing);
    }
    free(sound);
}

/* What it computed in an earlier life is gone: before it settles, too, it is one that never ran. */
static void
test_a_member_that_joins_starts_from_zero(void **state) /* S4, S5 */
{
    const float *frames = *state;
    static const size_t which[] = {0, EXPLICIT_KIND, ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        options.max_window = 1;
        listener before = listener_new(&options), never = listener_new(&options);
        float a[4 * TINY_CLASSES], b[4 * TINY_CLASSES];
        size_t compared = 0;
        vip_pass_set_members(never.pass, 1);
        for (size_t heard = 0; heard + 25 <= FRAMES; heard += 25) {
            if (heard == 200) {
                vip_pass_set_members(before.pass, 1);
            } else if (heard == 250) {
                vip_pass_set_members(before.pass, 3);
                vip_pass_set_members(never.pass, 3);
            }
            const int64_t columns = vip_pass_columns(never.pass);
            vip_pass_push(before.pass, frames + heard * VIP_MELS, 25);
            vip_pass_push(never.pass, frames + heard * VIP_MELS, 25);
            if (heard >= 250 && vip_pass_columns(never.pass) > columns) {
                vip_pass_answer(before.pass, columns + 1, 1, 3, a);
                vip_pass_answer(never.pass, columns + 1, 1, 3, b);
                assert_memory_equal(a, b, answer_bytes(3));
                compared++;
            }
        }
        assert_true(compared > 3);
        listener_free(&before);
        listener_free(&never);
    }
}

static void
test_an_endless_window_counts_only_members_that_were_there_from_the_start(void **state) /* S4 */
{
    const float *frames = *state;
    listener_options options = kind_of(0);
    listener l = listener_new(&options);
    vip_pass_set_members(l.pass, 2);
    vip_pass_push(l.pass, frames, VIP_COLUMN_FRAMES);
    vip_pass_set_members(l.pass, 3);
    for (size_t heard = VIP_COLUMN_FRAMES; heard + VIP_COLUMN_FRAMES <= FRAMES; heard += VIP_COLUMN_FRAMES) {
        vip_pass_push(l.pass, frames + heard * VIP_MELS, VIP_COLUMN_FRAMES);
    }
    assert_int_equal(vip_pass_settled(l.pass, vip_pass_columns(l.pass), 1), 2);
    vip_pass_reset(l.pass, 0);
    assert_int_equal(vip_pass_settled(l.pass, 1, 1), 3);
    listener_free(&l);
}

static void
test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(void **state) /* S5 */
{
    const float *frames = *state;
    static const size_t which[] = {0, FLIPOUT_KIND, EXPLICIT_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        float *first = hear_whole(frames, options, WINDOW), *second = hear_whole(frames, options, WINDOW);
        options.seed++;
        float *other = hear_whole(frames, options, WINDOW);
        assert_memory_equal(first, second, COLUMNS * answer_bytes(options.members));
        assert_memory_not_equal(first, other, COLUMNS * answer_bytes(options.members));
        free(first);
        free(second);
        free(other);
    }
}

static void
test_kernels_agree(void **state) /* S5 */
{
    const float *frames = *state;
    static const char *const fused[] = {"avx512", "avx2"};
    for (size_t kind = 0; kind < EXPLICIT_KIND; kind++) {
        listener_options options = kind_of(kind); /* own weights: with the same kernels */
        const size_t n = COLUMNS * options.members * TINY_CLASSES;
        options.kernels = &vip_kernels_c;
        float *plain = hear_whole(frames, options, WINDOW), *bits = NULL;
        for (size_t i = 0; i < LENGTH(fused); i++) {
            options.kernels = vip_kernels_find(fused[i]);
            if (options.kernels == NULL) {
                print_message("this processor has no %s\n", fused[i]);
                continue;
            }
            float *fast = hear_whole(frames, options, WINDOW);
            for (size_t k = 0; k < n; k++) {
                assert_true(fabsf(fast[k] - plain[k]) < 1e-4f);
            }
            if (bits != NULL) {
                assert_memory_equal(fast, bits, n * sizeof *fast);
            }
            free(bits);
            bits = fast;
        }
        free(bits);
        free(plain);
    }
}

static void
test_a_causal_network_has_the_same_bits_at_the_edge(void **state) /* S6 */
{
    const float *frames = *state;
    static const size_t which[] = {1, 3, FLIPOUT_KIND, CAUSAL_ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        options.max_window = WINDOW;
        listener l = listener_new(&options);
        float centred[4 * TINY_CLASSES], edge[4 * TINY_CLASSES];
        for (size_t heard = 0; heard + 32 <= FRAMES; heard += 32) {
            vip_pass_push(l.pass, frames + heard * VIP_MELS, 32);
            const int64_t columns = vip_pass_columns(l.pass);
            assert_int_equal(columns, heard / 32 + 1);
            vip_pass_answer(l.pass, columns, WINDOW, options.members, centred);
            vip_pass_finish(l.pass, false);
            assert_int_equal(vip_pass_provisional(l.pass), columns);
            vip_pass_answer(l.pass, columns, WINDOW, options.members, edge);
            assert_memory_equal(centred, edge, answer_bytes(options.members));
        }
        listener_free(&l);
    }
}

static void
test_reset_returns_to_the_first_state(void **state) /* S8 */
{
    const float *frames = *state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        listener_options options = kind_of(kind);
        options.max_frames = 50;
        listener l = listener_new(&options);
        float *answers[2];
        for (int again = 0; again < 2; again++) {
            hearing h = {frames, 50, NULL, 0, options.members, new_answers(COLUMNS, options.members), 0};
            hear(l.pass, &h, 0, FRAMES);
            hear_end(l.pass, &h);
            answers[again] = h.answers;
            vip_pass_reset(l.pass, 40); /* leaves traces, if any */
            vip_pass_set_members(l.pass, 1);
            vip_pass_push(l.pass, frames + 70 * VIP_MELS, 37);
            vip_pass_finish(l.pass, false);
            vip_pass_reset(l.pass, 0);
            assert_int_equal(vip_pass_columns(l.pass), 0);
            assert_int_equal(vip_pass_provisional(l.pass), 0);
            assert_int_equal(vip_pass_frames(l.pass), 0);
        }
        assert_memory_equal(answers[0], answers[1], COLUMNS * answer_bytes(options.members));
        free(answers[0]);
        free(answers[1]);
        listener_free(&l);
    }
}

/* After a gap the network starts anew at a later column: what it forgot does not matter once it is out of sight, and
 * the masks are those of the columns' absolute numbers. */
static void
test_a_pass_that_starts_later_meets_one_that_always_ran(void **state)
{
    (void)state;
    enum { FIRST = 3, LONG = 32 * 24 };
    float *sound = random_frames(3, LONG);
    for (size_t kind = 0; kind < 2; kind++) {
        listener_options options = kind_of(kind);
        options.max_window = 1;
        listener always = listener_new(&options), later = listener_new(&options);
        uint32_t back;
        (void)vip_network_look_ahead(&always.model->network, &back);
        const int64_t same_from = FIRST + (back + 31) / 32;
        float expected[4 * TINY_CLASSES], answer[4 * TINY_CLASSES];
        vip_pass_reset(later.pass, FIRST);
        size_t compared = 0, different = 0;
        for (size_t heard = 0; heard < LONG; heard += 32) {
            vip_pass_push(always.pass, sound + heard * VIP_MELS, 32);
            if (heard < FIRST * 32) {
                continue;
            }
            vip_pass_push(later.pass, sound + heard * VIP_MELS, 32);
            const int64_t end = vip_pass_columns(later.pass);
            if (end == 0) {
                continue;
            }
            vip_pass_answer(always.pass, FIRST + end, 1, options.members, expected);
            vip_pass_answer(later.pass, end, 1, options.members, answer);
            const bool same = memcmp(answer, expected, answer_bytes(options.members)) == 0;
            if (FIRST + end - 1 >= same_from) {
                assert_true(same);
                compared++;
            } else {
                different += !same;
            }
        }
        assert_true(compared > 3 && different > 0);
        listener_free(&always);
        listener_free(&later);
    }
    free(sound);
}

/* The columns before the newest push, less eight, can still be answered for; in windows and without end. */
static void
test_answers_may_come_late(void **state)
{
    (void)state;
    enum { LATE = 8, LONG = 32 * 40, PIECE = 64 };
    float *sound = random_frames(4, LONG);
    for (uint32_t window = 0; window <= WINDOW; window += WINDOW) {
        for (size_t kind = 0; kind < 2; kind++) {
            listener_options options = kind_of(kind);
            options.max_window = window;
            options.max_frames = PIECE;
            const size_t size = options.members * TINY_CLASSES;
            listener l = listener_new(&options);
            hearing h = {sound, PIECE, NULL, window, options.members, new_answers(LONG / 32, options.members), 0};
            float answer[4 * TINY_CLASSES];
            for (size_t heard = 0; heard < LONG; heard += PIECE) {
                const int64_t before = vip_pass_columns(l.pass);
                hear(l.pass, &h, heard, heard + PIECE);
                vip_pass_finish(l.pass, false);
                for (int64_t end = before > LATE ? before - LATE : 1; end <= vip_pass_columns(l.pass); end++) {
                    vip_pass_answer(l.pass, end, window, options.members, answer);
                    assert_memory_equal(answer, h.answers + (size_t)(end - 1) * size, size * sizeof *answer);
                }
            }
            listener_free(&l);
            free(h.answers);
        }
    }
    free(sound);
}

static void
test_members_without_dropout_give_the_same_numbers(void **state)
{
    const float *frames = *state;
    listener_options options = kind_of(4);
    float *answers = hear_whole(frames, options, WINDOW);
    for (size_t column = 0; column < COLUMNS; column++) {
        const float *row = answers + column * 2 * TINY_CLASSES;
        assert_memory_equal(row, row + TINY_CLASSES, answer_bytes(1));
    }
    free(answers);
}

static void
test_memory_that_fails_anywhere_gives_no_pass_and_no_leak(void **state)
{
    (void)state;
    static const size_t which[] = {0, FLIPOUT_KIND, ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        listener l = listener_new(&options);
        const vip_pass_options plain = {.kernels = vip_kernels_choose(NULL),
                                        .rates = l.model->rates,
                                        .signs = l.signs,
                                        .sets = (const vip_weights *const *)l.sets,
                                        .max_members = options.members,
                                        .max_frames = 32,
                                        .max_window = i == 0 ? 4 : 0};
        long n = 0;
        vip_pass *pass = NULL;
        for (; pass == NULL; n++) {
            failing_after(n);
            pass = vip_pass_new(&l.model->network, l.weights, &plain);
            failing_after(-1);
        }
        assert_true(n > 10);
        vip_pass_free(pass);
        failing_after(0);
        assert_int_equal(vip_pass_measure(&l.model->network, &plain, i > 0), 0);
        failing_after(-1);
        assert_true(vip_pass_measure(&l.model->network, &plain, i > 0) > 0);
        listener_free(&l);
    }
    vip_pass_free(NULL);
}

static void
test_a_push_allocates_nothing(void **state)
{
    const float *frames = *state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        listener_options options = kind_of(kind);
        options.max_window = WINDOW;
        listener l = listener_new(&options);
        float answer[4 * TINY_CLASSES];
        failing_after(0);
        for (size_t heard = 0; heard + 32 <= FRAMES; heard += 32) {
            vip_pass_push(l.pass, frames + heard * VIP_MELS, 32);
            vip_pass_finish(l.pass, false);
            vip_pass_answer(l.pass, vip_pass_provisional(l.pass), WINDOW, options.members, answer);
        }
        assert_int_equal(failing_count(), 0);
        failing_after(-1);
        listener_free(&l);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_of_any_size_give_the_bits_of_the_whole),
        cmocka_unit_test(test_the_edge_is_the_clip_pass_of_what_was_heard),
        cmocka_unit_test(test_answers_at_the_edge_leave_the_stream_as_it_was),
        cmocka_unit_test(test_a_member_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(test_a_member_that_joins_later_counts_once_it_has_settled),
        cmocka_unit_test(test_a_member_that_joins_starts_from_zero),
        cmocka_unit_test(test_an_endless_window_counts_only_members_that_were_there_from_the_start),
        cmocka_unit_test(test_the_same_seed_gives_the_same_bits_and_another_seed_does_not),
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_a_causal_network_has_the_same_bits_at_the_edge),
        cmocka_unit_test(test_reset_returns_to_the_first_state),
        cmocka_unit_test(test_a_pass_that_starts_later_meets_one_that_always_ran),
        cmocka_unit_test(test_answers_may_come_late),
        cmocka_unit_test(test_members_without_dropout_give_the_same_numbers),
        cmocka_unit_test(test_memory_that_fails_anywhere_gives_no_pass_and_no_leak),
        cmocka_unit_test(test_a_push_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, make_frames, free_frames);
}
