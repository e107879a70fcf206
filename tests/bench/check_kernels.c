/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check_kernels.c -- every kernel of every variant against its definition, bit for bit; with --bench how fast it is.
 *
 *   check_kernels [--bench] [--tiles] [--kernels NAME]
 *
 * One line per kernel, then `N passed, N failed, N skipped`. --bench writes one JSON object per measurement to standard
 * output and a table to standard error; --tiles adds each tile's time for each shape, which is what the choice of tiles
 * is judged by. */
#include "kernel_problem.h"
#include "kernel_timing.h"

#include <base/philox.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const vip_kernels *const variants[] = {&vip_kernels_avx512, &vip_kernels_avx2, &vip_kernels_c};

static int passed, failed, skipped;

static void
tell(bool right, const char *variant, const char *kernel, unsigned cases, const char *wrong)
{
    *(right ? &passed : &failed) += 1;
    printf("%-6s %-24s %5u cases %s%s\n", variant, kernel, cases, right ? "ok" : "FAILED: ", right ? "" : wrong);
}

/* ----------------------------------------------------------------------------------------------------- convolutions */

/* Shapes with something at their edge; many more are drawn. */
static const problem_shape shapes[] = {
    {.in_blocks = 1, .out_blocks = 1, .kernel = 1, .columns = 1, .members = 1, .bins = 1},
    {.in_blocks = 1, .out_blocks = 1, .kernel = 3, .columns = 1, .members = 1, .bins = 1, .flipout = true},
    {.in_blocks = 1, .out_blocks = 1, .kernel = 1, .columns = 4, .members = 1, .bins = 64, .relu = true},
    {.in_blocks = 1, .out_blocks = 1, .kernel = 3, .columns = 4, .members = 1, .bins = 64, .relu = true, .pool = true},
    {.in_blocks = 2, .out_blocks = 8, .kernel = 3, .columns = 1, .members = 8, .bins = 2, .relu = true, .keep = true},
    {.in_blocks = 2,
     .out_blocks = 9,
     .kernel = 3,
     .columns = 1,
     .members = 7,
     .bins = 2,
     .flipout = true,
     .keep = true},
    {.in_blocks = 5, .out_blocks = 9, .kernel = 1, .columns = 1, .members = 5, .bins = 1, .member_bias = true},
    {.in_blocks = 5, .out_blocks = 9, .kernel = 1, .columns = 1, .members = 5, .bins = 1, .flipout = true},
    {.in_blocks = 1, .out_blocks = 2, .kernel = 1, .columns = 300, .members = 1, .bins = 2}, /* more than one chunk */
    {.in_blocks = 1, .out_blocks = 2, .kernel = 1, .columns = 130, .members = 3, .bins = 2, .pool = true},
    {.in_blocks = 70, .out_blocks = 2, .kernel = 3, .columns = 2, .members = 2, .bins = 2},
    {.in_blocks = 70, .out_blocks = 3, .kernel = 3, .columns = 1, .members = 3, .bins = 2, .flipout = true},
    {.in_blocks = 70, .out_blocks = 3, .kernel = 3, .columns = 1, .members = 3, .bins = 2, .half = true},
    {.in_blocks = 4, .out_blocks = 4, .kernel = 3, .columns = 2, .members = 8, .bins = 4, .half = true, .scale = true},
};

enum { DRAWN = 750, MOST_WORK = 3000, MOST_TILES = 64 };

/* Of weights: floats, halves, pairs with signs. */
enum { FORMS = 3 };

/* A random shape, small enough for the definition, which is slow. */
static problem_shape
draw_shape(uint64_t *state)
{
    static const uint32_t members[] = {1, 2, 3, 4, 5, 8};
    problem_shape s;
    do {
        s = (problem_shape){.in_blocks = 1 + random_word(state) % 5,
                            .out_blocks = 1 + random_word(state) % 5,
                            .kernel = random_word(state) % 2 ? 3 : 1,
                            .columns = 1 + random_word(state) % 5,
                            .members = members[random_word(state) % LENGTH(members)],
                            .bins = 1u << random_word(state) % 7,
                            .scale = random_word(state) % 2,
                            .pool = random_word(state) % 4 == 0,
                            .relu = random_word(state) % 2,
                            .residual = random_word(state) % 2,
                            .keep = random_word(state) % 2,
                            .member_bias = random_word(state) % 2,
                            .shared_input = random_word(state) % 4 == 0};
        const uint32_t form = random_word(state) % FORMS;
        s.half = form == 1;
        s.flipout = form == 2;
        if (random_word(state) % 8 == 0) {
            s.out_blocks += 4; /* for tiles of many blocks */
        }
        if (s.pool) {
            s.columns += s.columns % 2;
            s.bins = s.bins < 2 ? 2 : s.bins;
        }
    } while (s.in_blocks * s.out_blocks * s.kernel * s.kernel * s.columns * s.members * s.bins > MOST_WORK);
    return s;
}

static bool
fits(const vip_tile *tile, const problem_shape *s)
{
    return tile->bins <= s->bins && tile->blocks <= s->out_blocks &&
           (!s->pool || (tile->runs % 2 == 0 && tile->bins % 2 == 0));
}

static void
describe(const problem_shape *s, char *text, size_t size)
{
    (void)snprintf(text, size, "%ux%u %u->%u blocks, %u columns, %u members, %u bins%s%s%s%s%s%s%s%s%s", s->kernel,
                   s->kernel, s->in_blocks, s->out_blocks, s->columns, s->members, s->bins,
                   s->flipout ? ", flipout" : "", s->half ? ", half" : "", s->scale ? ", scale" : "",
                   s->pool ? ", pool" : "", s->relu ? ", relu" : "", s->residual ? ", residual" : "",
                   s->keep ? ", keep" : "", s->member_bias ? ", bias per member" : "",
                   s->shared_input ? ", shared input" : "");
}

/* What became of one tile, or of the choice among all, in one form. */
typedef struct {
    unsigned cases;
    bool wrong;
    char first_wrong[200];
} outcome;

typedef struct {
    const vip_kernels *kernels; /* NULL: not checked */
    outcome tiles[MOST_TILES][FORMS], choice[FORMS];
} checked_variant;

static checked_variant checked[LENGTH(variants)];

static void
judge(problem *p, const vip_kernels *kernels, outcome *o)
{
    o->cases++;
    if (!problem_holds(p, kernels) && !o->wrong) {
        o->wrong = true;
        describe(&p->shape, o->first_wrong, sizeof o->first_wrong);
    }
}

/* One shape with every variant, by every tile that fits and by the one that is chosen. false: memory is short. */
static bool
check_shape(const problem_shape *shape, uint64_t *state)
{
    const int form = shape->half ? 1 : shape->flipout ? 2 : 0;
    problem p;
    bool made = problem_init(&p, shape, state) && problem_define(&p, true) && problem_define(&p, false);
    for (size_t v = 0; made && v < LENGTH(checked); v++) {
        checked_variant *c = &checked[v];
        for (size_t t = 0; c->kernels != NULL && c->kernels->tiles[t].runs > 0 && t < MOST_TILES; t++) {
            const vip_tile one[2] = {c->kernels->tiles[t], {0}};
            vip_kernels alone = *c->kernels;
            alone.tiles = one;
            if (fits(&one[0], shape)) {
                judge(&p, &alone, &c->tiles[t][form]);
            }
        }
        if (c->kernels != NULL) {
            judge(&p, c->kernels, &c->choice[form]);
        }
    }
    problem_free(&p);
    return made;
}

static void
check_convolutions(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < LENGTH(shapes) + DRAWN; i++) {
        const problem_shape shape = i < LENGTH(shapes) ? shapes[i] : draw_shape(&state);
        if (!check_shape(&shape, &state)) {
            tell(false, "all", "convolution", 0, "not enough memory");
        }
    }
    static const char *const forms[FORMS] = {"", " half", " flipout"};
    for (size_t v = 0; v < LENGTH(checked); v++) {
        const checked_variant *c = &checked[v];
        for (int form = 0; c->kernels != NULL && form < FORMS; form++) {
            for (size_t t = 0; c->kernels->tiles[t].runs > 0; t++) {
                const vip_tile *tile = &c->kernels->tiles[t];
                char name[40];
                (void)snprintf(name, sizeof name, "tile %ux%ux%u%s", tile->runs, tile->bins, tile->blocks, forms[form]);
                const outcome *o = &c->tiles[t][form];
                tell(o->cases > 0 && !o->wrong, c->kernels->name, name, o->cases, o->first_wrong);
            }
            char name[40];
            (void)snprintf(name, sizeof name, "convolve%s", forms[form]);
            const outcome *o = &c->choice[form];
            tell(!o->wrong, c->kernels->name, name, o->cases, o->first_wrong);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------------ masks */

/* Whether element e is kept, by the definition. */
static bool
is_kept(uint64_t seed, uint32_t site, uint32_t member, uint32_t column, uint32_t threshold, size_t e)
{
    const uint32_t counter[4] = {(uint32_t)(e / 8), column, (uint32_t)VIP_KEYED_DROPOUT << 24 | site, member};
    uint32_t words[4];
    vip_philox(seed, counter, words);
    return (words[e % 8 / 2] >> (e % 2 * 16) & 0xffff) >= threshold;
}

static const uint32_t thresholds[] = {0, 1, 6554, 32768, 65535, 65536};

static void
check_keep(const vip_kernels *kernels)
{
    enum { MOST = 200, GUARD = 8 };
    static const uint64_t seed = 0x0123456789abcdefu;
    unsigned cases = 0;
    char wrong[80] = "";
    for (size_t t = 0; t < LENGTH(thresholds); t++) {
        uint16_t expected[MOST] = {0};
        for (size_t e = 0; e < MOST * VIP_BLOCK; e++) {
            bool kept = is_kept(seed, 0x52, 7, 0xfffffff0u, thresholds[t], e);
            expected[e / VIP_BLOCK] |= (uint16_t)((kept ? 1u : 0u) << (e % VIP_BLOCK));
        }
        for (size_t n = 1; n <= MOST; n++) {
            uint16_t words[MOST + GUARD], guard[GUARD];
            memset(words, 0x5a, sizeof words);
            memset(guard, 0x5a, sizeof guard);
            kernels->keep(seed, 0x52, 7, 0xfffffff0u, thresholds[t], words, n);
            cases++;
            if (memcmp(words, expected, n * sizeof *words) != 0 || memcmp(words + n, guard, sizeof guard) != 0) {
                (void)snprintf(wrong, sizeof wrong, "%zu words at threshold %u", n, thresholds[t]);
            }
        }
    }
    tell(*wrong == '\0', kernels->name, "keep", cases, wrong);
}

static void
check_keep_column(const vip_kernels *kernels)
{
    static const uint32_t channels[] = {1, 3, 8, 15, 16, 17, 24, 32, 40, 127, 128, 512};
    enum { MOST = 512 / VIP_BLOCK * 32 };
    unsigned cases = 0;
    char wrong[80] = "";
    for (size_t k = 0; k < LENGTH(channels); k++) {
        for (uint32_t bins = 1; bins <= 32; bins *= 2) {
            const uint32_t blocks = (channels[k] + VIP_BLOCK - 1) / VIP_BLOCK;
            uint16_t words[MOST + 1], expected[MOST + 1];
            memset(words, 0x5a, sizeof words);
            memset(expected, 0x5a, sizeof expected);
            memset(expected, 0, (size_t)bins * blocks * sizeof *expected);
            for (size_t e = 0; e < (size_t)bins * channels[k]; e++) {
                size_t bin = e / channels[k], channel = e % channels[k];
                bool kept = is_kept(3, 0x11, 2, 5, 13107, e);
                expected[bin * blocks + channel / VIP_BLOCK] |= (uint16_t)((kept ? 1u : 0u) << (channel % VIP_BLOCK));
            }
            vip_keep_column(kernels, 3, 0x11, 2, 5, 13107, channels[k], bins, words);
            cases++;
            if (memcmp(words, expected, sizeof words) != 0) {
                (void)snprintf(wrong, sizeof wrong, "%u channels, %u bins", channels[k], bins);
            }
        }
    }
    tell(*wrong == '\0', kernels->name, "keep_column", cases, wrong);
}

static void
check_drop(const vip_kernels *kernels)
{
    enum { MOST = 9, STEPS = 3 };
    uint64_t state = 2;
    unsigned cases = 0;
    char wrong[80] = "";
    for (size_t n = 1; n <= MOST; n++) {
        for (size_t step = 1; step <= STEPS; step++) {
            float x[MOST * VIP_BLOCK], y[(MOST + 1) * VIP_BLOCK], expected[(MOST + 1) * VIP_BLOCK];
            uint16_t keep[MOST * STEPS];
            for (size_t i = 0; i < LENGTH(y); i++) {
                y[i] = expected[i] = random_sample(&state);
                x[i % LENGTH(x)] = random_sample(&state);
                keep[i % LENGTH(keep)] = (uint16_t)random_word(&state);
            }
            for (size_t i = 0; i < n * VIP_BLOCK; i++) {
                expected[i] = keep[i / VIP_BLOCK * step] >> (i % VIP_BLOCK) & 1 ? x[i] * 1.1f : 0;
            }
            kernels->drop(x, keep, step, 1.1f, n, y);
            kernels->drop(x, keep, step, 1.1f, n, x); /* in place */
            cases++;
            if (memcmp(y, expected, sizeof y) != 0 || memcmp(x, expected, n * VIP_BLOCK * sizeof *x) != 0) {
                (void)snprintf(wrong, sizeof wrong, "%zu blocks, step %zu", n, step);
            }
        }
    }
    tell(*wrong == '\0', kernels->name, "drop", cases, wrong);
}

/* The published test vectors of Philox4x32-10 (Random123, kat_vectors). */
static void
check_philox(void)
{
    static const struct {
        uint64_t seed;
        uint32_t counter[4], words[4];
    } known[] = {
        {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX,
         {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822u,
         {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    bool right = true;
    for (size_t i = 0; i < LENGTH(known); i++) {
        uint32_t words[4];
        vip_philox(known[i].seed, known[i].counter, words);
        right = right && memcmp(words, known[i].words, sizeof words) == 0;
    }
    tell(right, "all", "philox", (unsigned)LENGTH(known), "not the published words");
}

static void
check_all(const char *only)
{
    for (size_t v = 0; v < LENGTH(variants); v++) {
        if (only != NULL && strcmp(only, variants[v]->name) != 0) {
            continue;
        }
        checked[v].kernels = vip_kernels_find(variants[v]->name);
        if (checked[v].kernels == NULL) {
            printf("%-6s skipped: not compiled in, or not for this processor\n", variants[v]->name);
            skipped++;
        }
    }
    check_philox();
    for (size_t v = 0; v < LENGTH(checked); v++) {
        if (checked[v].kernels != NULL) {
            check_keep(checked[v].kernels);
            check_keep_column(checked[v].kernels);
            check_drop(checked[v].kernels);
        }
    }
    check_convolutions();
}

int
main(int argc, char **argv)
{
    bool bench = false, tiles = false;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) {
            bench = true;
        } else if (strcmp(argv[i], "--tiles") == 0) {
            bench = tiles = true;
        } else if (strcmp(argv[i], "--kernels") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else {
            (void)fprintf(stderr, "usage: check_kernels [--bench] [--tiles] [--kernels avx512|avx2|c]\n");
            return 2;
        }
    }
    if (!bench) {
        check_all(only);
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
        return failed > 0 ? 1 : 0;
    }
    for (size_t v = 0; v < LENGTH(variants); v++) {
        const vip_kernels *kernels = vip_kernels_find(variants[v]->name);
        if (kernels != NULL && (only == NULL || strcmp(only, kernels->name) == 0)) {
            time_variant(kernels, tiles);
        }
    }
    return 0;
}
