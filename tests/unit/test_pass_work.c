/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_pass_work.c -- holds the pass to doing nothing twice, by counting what its kernels are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"

enum { FRAMES = SOUND_FRAMES, WINDOW = 3 };

/* Kernels that count pixels per layer, known by its weights. Tiles are bare functions, so the counts are the file's. */
enum { MOST_TILES = 2 };
static const listener *counted;
static uint64_t pixels[VIP_MAX_LAYERS];

/* Whether the weights are those of a layer, be it of a member's own. */
static bool
belongs_to(const float *w, int layer)
{
    bool found = w == counted->weights->layers[layer].w;
    for (int m = 0; counted->sets != NULL && counted->sets[m] != NULL && !found; m++) {
        found = w == counted->sets[m]->layers[layer].w;
    }
    return found;
}

static void
count(const vip_conv *conv, const vip_run *runs, uint32_t out_block, const vip_tile *tile)
{
    for (int layer = 0; layer < counted->weights->n_layers && out_block == 0; layer++) {
        if (belongs_to(conv->w, layer)) {
            for (int i = 0; i < tile->runs; i++) { /* a tile with too few runs has its last ones twice */
                pixels[layer] += i > 0 && !conv->pool && runs[i].y == runs[i - 1].y ? 0 : tile->bins;
            }
        }
    }
}

static void
tile_0(const vip_conv *conv, const vip_run *runs, uint32_t out_block)
{
    count(conv, runs, out_block, &vip_kernels_c.tiles[0]);
    vip_kernels_c.tiles[0].plain(conv, runs, out_block);
}

static void
tile_1(const vip_conv *conv, const vip_run *runs, uint32_t out_block)
{
    count(conv, runs, out_block, &vip_kernels_c.tiles[1]);
    vip_kernels_c.tiles[1].plain(conv, runs, out_block);
}

static vip_tile counting_tiles[MOST_TILES + 1];
static vip_kernels counting_kernels;

static const vip_kernels *
counting(void)
{
    for (int i = 0; i < MOST_TILES; i++) {
        assert_true(vip_kernels_c.tiles[i].runs > 0);
        counting_tiles[i] = vip_kernels_c.tiles[i];
        counting_tiles[i].plain = i == 0 ? tile_0 : tile_1;
    }
    assert_int_equal(vip_kernels_c.tiles[MOST_TILES].runs, 0);
    counting_kernels = vip_kernels_c;
    counting_kernels.tiles = counting_tiles;
    return &counting_kernels;
}

/* Pixels per layer of a stream in columns, of so many of the members; edge: with an answer at each. */
static void
count_running(const float *frames, listener_options options, uint32_t members, bool edge, uint64_t out[VIP_MAX_LAYERS])
{
    options.kernels = counting();
    options.max_window = WINDOW;
    listener l = listener_new(&options);
    counted = &l;
    memset(pixels, 0, sizeof pixels);
    vip_pass_set_members(l.pass, members);
    for (size_t heard = 0; heard + VIP_COLUMN_FRAMES <= FRAMES; heard += VIP_COLUMN_FRAMES) {
        vip_pass_push(l.pass, frames + heard * VIP_MELS, VIP_COLUMN_FRAMES);
        if (edge) {
            vip_pass_finish(l.pass, false);
        }
    }
    memcpy(out, pixels, sizeof pixels);
    listener_free(&l);
}

static void
count_stream(const float *frames, listener_options options, bool edge, uint64_t out[VIP_MAX_LAYERS])
{
    count_running(frames, options, options.members, edge, out);
}

static void
test_what_members_share_is_computed_once(void **state) /* S7 */
{
    const float *frames = *state;
    static const size_t which[] = {0, 2, 4};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        uint64_t one[VIP_MAX_LAYERS], four[VIP_MAX_LAYERS];
        bool shared[VIP_MAX_STEPS];
        options.members = 1;
        count_stream(frames, options, true, one);
        options.members = 4;
        count_stream(frames, options, true, four);
        vip_model *model = tiny_model(options.arch, options.padding, options.posterior);
        vip_schedule_shared(&model->network, model->rates, false, shared);
        for (int step = 0; step < model->network.n_steps; step++) {
            assert_true(one[step] > 0 && four[step] == (shared[step] ? 1 : 4) * one[step]);
        }
        assert_true(shared[0] && (which[i] == 4) == shared[model->network.n_steps - 1]);
        vip_model_free(model);
    }
}

static void
test_centred_computes_no_column_twice(void **state) /* S6 */
{
    const float *frames = *state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (kind == FLIPOUT_KIND) {
            continue; /* has tiles of its own */
        }
        listener_options options = kind_of(kind);
        uint64_t stream[VIP_MAX_LAYERS];
        count_stream(frames, options, false, stream);
        vip_model *model = tiny_model(options.arch, options.padding, options.posterior);
        const vip_network *network = &model->network;
        bool shared[VIP_MAX_STEPS];
        vip_schedule_shared(network, model->rates, kind >= EXPLICIT_KIND, shared);
        vip_schedule at = {{0}, {0}};
        vip_schedule_push(network, &at, FRAMES / VIP_COLUMN_FRAMES * VIP_COLUMN_FRAMES);
        for (int i = 0; i < network->n_steps; i++) {
            const vip_step *step = &network->steps[i];
            const uint64_t columns = (uint64_t)at.end[i + 1] * (step->pool ? 2 : 1);
            assert_true(stream[i] == columns * step->bins * (shared[i] ? 1 : options.members));
        }
        vip_model_free(model);
    }
}

/* Room for members costs memory, not time. */
static void
test_members_that_do_not_run_are_not_computed(void **state)
{
    const float *frames = *state;
    static const size_t which[] = {1, ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        listener_options options = kind_of(which[i]);
        uint64_t alone[VIP_MAX_LAYERS], one_of_three[VIP_MAX_LAYERS];
        options.members = 1;
        count_stream(frames, options, true, alone);
        options.members = 3;
        count_running(frames, options, 1, true, one_of_three);
        assert_memory_equal(alone, one_of_three, sizeof alone);
    }
}

static void
test_an_answer_at_the_edge_costs_a_causal_network_nothing(void **state) /* S6 */
{
    const float *frames = *state;
    static const size_t which[] = {1, 3, CAUSAL_ENSEMBLE_KIND};
    for (size_t i = 0; i < LENGTH(which); i++) {
        uint64_t centred[VIP_MAX_LAYERS], edge[VIP_MAX_LAYERS];
        count_stream(frames, kind_of(which[i]), false, centred);
        count_stream(frames, kind_of(which[i]), true, edge);
        assert_memory_equal(centred, edge, sizeof edge);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_members_share_is_computed_once),
        cmocka_unit_test(test_centred_computes_no_column_twice),
        cmocka_unit_test(test_members_that_do_not_run_are_not_computed),
        cmocka_unit_test(test_an_answer_at_the_edge_costs_a_causal_network_nothing),
    };
    return cmocka_run_group_tests(tests, make_frames, free_frames);
}
