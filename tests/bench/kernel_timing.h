/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_timing.h -- how fast the kernels are on the shapes of real networks, against the processor's peak.
 *
 * A network's convolutions run in their order, each with its own weights, so that weights are as far away as they are
 * in a real pass, and on common activations, which a real pass has just written. A step's time is the median over repetitions, and steps of one shape are added up. CPU time of the
 * process. On a shared machine only the ratio to the peak means anything: it is probed before each repetition. */
#ifndef TESTS_BENCH_KERNEL_TIMING_H
#define TESTS_BENCH_KERNEL_TIMING_H

#include <stdlib.h>

#include <model/network.h>

#include "kernel_peak.h"
#include "kernel_problem.h"
#include "times.h"

enum { MOST_REPEATS = 41, LEAST_REPEATS = 3 };

static const struct {
    const char *name;
    vip_arch arch;
    uint32_t width, columns, members; /* columns: of 32 frames */
    bool flipout;
} passes[] = {
    {"resnet22 w16", VIP_RESNET22, 16, 1, 1, false},  {"resnet22 w16", VIP_RESNET22, 16, 1, 4, false},
    {"resnet22 w16", VIP_RESNET22, 16, 1, 8, false},  {"resnet22 w16", VIP_RESNET22, 16, 1, 8, true},
    {"resnet22 w16", VIP_RESNET22, 16, 10, 1, false}, {"resnet54 w16", VIP_RESNET54, 16, 1, 8, false},
    {"resnet54 w16", VIP_RESNET54, 16, 1, 8, true},   {"resnet54 w64", VIP_RESNET54, 64, 1, 1, false},
    {"resnet54 w64", VIP_RESNET54, 64, 1, 8, false},  {"resnet54 w64", VIP_RESNET54, 64, 1, 8, true},
    {"resnet54 w64", VIP_RESNET54, 64, 10, 1, false},
};

/* GFLOP/s that the processor does at this moment; it takes some ten microseconds. */
static double
probe(const char *variant)
{
    enum { TURNS = 8000 };
    double begin = cpu_seconds();
    double flop = peak_work(variant, TURNS);
    return flop / (cpu_seconds() - begin) * 1e-9;
}

typedef struct {
    problem_shape shape;
    problem work;
    double flop, seconds, times[MOST_REPEATS];
    bool counted; /* already among the steps of its shape */
} timed_step;

static bool
same_shape(const problem_shape *a, const problem_shape *b)
{
    return a->in_blocks == b->in_blocks && a->out_blocks == b->out_blocks && a->kernel == b->kernel &&
           a->columns == b->columns && a->members == b->members && a->bins == b->bins && a->pool == b->pool &&
           a->residual == b->residual;
}

/* Layers that nn/weights.c keeps as halves: those whose weights come from beyond the caches. */
static bool
is_half(uint32_t in, uint32_t out, uint32_t kernel, bool flipout)
{
    return !flipout && (size_t)in * out * kernel * kernel >= (size_t)64 << 10;
}

/* The shapes of a network's convolutions and dense layers; the stem is common to all members. Returns their number. */
static int
list_steps(const vip_network *network, uint32_t columns, uint32_t members, bool flipout, timed_step *steps)
{
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *step = &network->steps[i];
        const bool unfolded = step->source == VIP_INPUT, stem = step->source == VIP_INPUT || step->bins == VIP_MELS;
        steps[i].shape = (problem_shape){.in_blocks = (step->in + VIP_BLOCK - 1) / VIP_BLOCK,
                                         .out_blocks = (step->out + VIP_BLOCK - 1) / VIP_BLOCK,
                                         .kernel = unfolded ? 1 : step->kernel,
                                         .columns = columns * 32 * step->bins / VIP_MELS,
                                         .members = stem && !flipout ? 1 : members,
                                         .bins = step->bins,
                                         .flipout = flipout,
                                         .half = is_half(step->in, step->out, step->kernel, flipout),
                                         .scale = is_half(step->in, step->out, step->kernel, flipout),
                                         .pool = step->pool,
                                         .relu = step->relu,
                                         .residual = step->residual != VIP_NONE,
                                         .keep = step->site != VIP_NONE && !flipout};
    }
    for (int i = 0; i < 2; i++) {
        const uint32_t out = i == 0 ? network->features : network->classes;
        steps[network->n_steps + i].shape = (problem_shape){.in_blocks = network->features / VIP_BLOCK,
                                                            .out_blocks = (out + VIP_BLOCK - 1) / VIP_BLOCK,
                                                            .kernel = 1,
                                                            .columns = 1,
                                                            .members = members,
                                                            .bins = 1,
                                                            .flipout = flipout,
                                                            .half = is_half(network->features, out, 1, flipout)};
    }
    return network->n_steps + 2;
}

static double
flop_of(const problem_shape *s)
{
    return 2.0 * VIP_BLOCK_WEIGHTS * s->in_blocks * s->out_blocks * s->kernel * s->kernel * s->columns * s->members *
           s->bins;
}

/* Lets all steps read and write the largest of their activations. */
static void
share_activations(timed_step *steps, int n)
{
    const problem *x = &steps[0].work, *y = x, *residual = x;
    for (int i = 1; i < n; i++) {
        const problem *p = &steps[i].work;
        x = p->x.n > x->x.n ? p : x;
        y = p->y.n > y->y.n ? p : y;
        residual = p->residual.n > residual->residual.n ? p : residual;
    }
    for (int i = 0; i < n; i++) {
        problem *p = &steps[i].work;
        p->conv.x = x->x.memory + (p->conv.x - p->x.memory);
        p->conv.y = y->y.memory + (p->conv.y - p->y.memory);
        if (p->conv.residual != NULL) {
            p->conv.residual = residual->residual.memory + (p->conv.residual - p->residual.memory);
        }
    }
}

/* Runs all steps some times, at least LEAST_REPEATS and until a second is over; returns the peak meanwhile. */
static double
time_steps(const vip_kernels *kernels, timed_step *steps, int n)
{
    double peaks[MOST_REPEATS];
    size_t repeats = 0;
    for (double begin = cpu_seconds(); repeats < MOST_REPEATS; repeats++) {
        if (repeats >= LEAST_REPEATS && cpu_seconds() - begin > 1) {
            break;
        }
        peaks[repeats] = probe(kernels->name);
        for (int i = 0; i < n; i++) {
            double start = cpu_seconds();
            vip_convolve(kernels, &steps[i].work.conv, &steps[i].work.region);
            steps[i].times[repeats] = cpu_seconds() - start;
        }
    }
    for (int i = 0; i < n; i++) {
        steps[i].seconds = median(steps[i].times, repeats);
    }
    return median(peaks, repeats);
}

/* One result: a JSON line, and a line of the table. */
static void
report(const char *variant, const char *network, const problem_shape *s, const char *what, int count, double flop,
       double seconds, double peak)
{
    const double rate = flop / seconds * 1e-9;
    printf("{\"kernels\":\"%s\",\"network\":\"%s\",\"columns\":%u,\"members\":%u,\"flipout\":%s,\"what\":\"%s\","
           "\"count\":%d,\"us\":%.1f,\"gflops\":%.1f,\"peak_gflops\":%.1f,\"of_peak\":%.3f}\n",
           variant, network, s->columns, s->members, s->flipout ? "true" : "false", what, count, seconds * 1e6, rate,
           peak, rate / peak);
    (void)fprintf(stderr, "%-6s %-12s S=%u%-8s %-42s %3d x %9.1f us %7.1f GFLOP/s %5.1f %%\n", variant, network,
                  s->members, s->flipout ? " flipout" : "", what, count, seconds * 1e6 / count, rate,
                  100 * rate / peak);
}

static void
name_shape(const problem_shape *s, char *text, size_t size)
{
    (void)snprintf(text, size, "%ux%u %u->%u, %u columns, %u bins%s%s", s->kernel, s->kernel, s->in_blocks * VIP_BLOCK,
                   s->out_blocks * VIP_BLOCK, s->columns, s->bins, s->pool ? ", pool" : "",
                   s->residual ? ", residual" : "");
}

/* Each tile's time for a shape, in one line: what choose_tile should have known. */
static void
time_tiles(const vip_kernels *kernels, timed_step *steps, int n, int first)
{
    for (const vip_tile *tile = kernels->tiles; tile->runs > 0; tile++) {
        const problem_shape *s = &steps[first].shape;
        if (tile->bins > s->bins || tile->blocks > s->out_blocks ||
            (s->pool && (tile->runs % 2 != 0 || tile->bins % 2 != 0))) {
            continue;
        }
        const vip_tile one[2] = {*tile, {0}};
        vip_kernels alone = *kernels;
        alone.tiles = one;
        double times[MOST_REPEATS], peaks[MOST_REPEATS];
        size_t repeats = 0;
        for (double begin = cpu_seconds(); repeats < MOST_REPEATS && (repeats < 3 || cpu_seconds() - begin < 0.02);) {
            for (int i = 0; i < n && repeats < MOST_REPEATS; i++) {
                if (same_shape(s, &steps[i].shape)) {
                    peaks[repeats] = probe(kernels->name);
                    double start = cpu_seconds();
                    vip_convolve(&alone, &steps[i].work.conv, &steps[i].work.region);
                    times[repeats++] = cpu_seconds() - start;
                }
            }
        }
        (void)fprintf(stderr, " %ux%ux%u %.0f%%", tile->runs, tile->bins, tile->blocks,
                      100e-9 * flop_of(s) / median(times, repeats) / median(peaks, repeats));
    }
    (void)fputc('\n', stderr);
}

static void
report_steps(const vip_kernels *kernels, const char *network, timed_step *steps, int n, bool tiles, double peak)
{
    double flop = 0, seconds = 0;
    for (int i = 0; i < n; i++) {
        flop += steps[i].flop;
        seconds += steps[i].seconds;
        if (steps[i].counted) {
            continue;
        }
        int count = 0;
        double shape_seconds = 0;
        for (int k = i; k < n; k++) {
            if (same_shape(&steps[k].shape, &steps[i].shape)) {
                steps[k].counted = true;
                shape_seconds += steps[k].seconds;
                count++;
            }
        }
        char what[80];
        name_shape(&steps[i].shape, what, sizeof what);
        report(kernels->name, network, &steps[i].shape, what, count, count * steps[i].flop, shape_seconds, peak);
        if (tiles) {
            time_tiles(kernels, steps, n, i);
        }
    }
    const problem_shape whole = {
        .columns = 0, .members = steps[n - 1].shape.members, .flipout = steps[0].shape.flipout};
    report(kernels->name, network, &whole, "all convolutions and dense layers", 1, flop, seconds, peak);
}

static void
time_pass(const vip_kernels *kernels, size_t pass, bool tiles)
{
    static vip_network network;
    vip_network_fill(&network, passes[pass].arch, passes[pass].width, 527, VIP_CAUSAL);
    timed_step *steps = vip_alloc((size_t)network.n_steps + 2, sizeof *steps);
    if (steps == NULL) {
        (void)fprintf(stderr, "not enough memory\n");
        return;
    }
    const int n = list_steps(&network, passes[pass].columns, passes[pass].members, passes[pass].flipout, steps);
    uint64_t state = 1;
    bool made = true;
    for (int i = 0; made && i < n; i++) {
        steps[i].flop = flop_of(&steps[i].shape);
        made = problem_init(&steps[i].work, &steps[i].shape, &state);
    }
    char name[40];
    (void)snprintf(name, sizeof name, "%s%s", passes[pass].name, passes[pass].columns > 1 ? " clip" : "");
    if (made) {
        share_activations(steps, n);
        const double peak = time_steps(kernels, steps, n);
        report_steps(kernels, name, steps, n, tiles, peak);
    } else {
        (void)fprintf(stderr, "%s: not enough memory\n", name);
    }
    for (int i = 0; i < n; i++) {
        problem_free(&steps[i].work);
    }
    vip_free(steps);
}

/* Nanoseconds per word of 16 bits. */
static void
time_masks(const vip_kernels *kernels)
{
    enum { WORDS = 4096, REPEATS = 41 };
    static uint16_t words[WORDS];
    double times[REPEATS];
    for (uint32_t i = 0; i < REPEATS; i++) {
        double start = cpu_seconds();
        kernels->keep(1, 0x11, 0, i, 6554, words, WORDS);
        times[i] = cpu_seconds() - start;
    }
    const double ns = median(times, REPEATS) * 1e9 / WORDS;
    printf("{\"kernels\":\"%s\",\"what\":\"masks\",\"ns_per_word\":%.2f}\n", kernels->name, ns);
    (void)fprintf(stderr, "%-6s masks: %.2f ns per word of 16 bits\n", kernels->name, ns);
}

static void
time_variant(const vip_kernels *kernels, bool tiles)
{
    time_masks(kernels);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        time_pass(kernels, i, tiles);
    }
}

#endif /* TESTS_BENCH_KERNEL_TIMING_H */
