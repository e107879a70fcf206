/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench.c -- `vipann-train bench`: how fast a network is trained here, as one JSON line. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/data/keyed_order.h>
#include <offline_trainer/grad/loss.h>
#include <offline_trainer/grad/net.h>
#include <offline_trainer/optim/optim.h>
#include <offline_trainer/posterior/kl.h>

#include <base/memory.h>
#include <base/status.h>
#include <bayes/keyed.h>
#include <common/clock.h>
#include <common/jsonl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *const ARCHS[] = {"resnet22", "resnet38", "resnet54", NULL};
static const char *const POSTERIORS[] = {"deterministic", "dropout", "flipout", NULL};
static const char *const SIGNS[] = {"channel", "element", NULL};
static const char *const PRECISIONS[] = {"f32", "bf16", NULL};

static const vip_option ARCH = {"arch", VIP_OPTION_CHOICE, NULL,        0, 0, ARCHS, "resnet22",
                                NULL,   "The network",     "Its depth."};
static const vip_option WIDTH = {"width",       VIP_OPTION_WHOLE,
                                 "W",           1,
                                 VIP_MAX_WIDTH, NULL,
                                 "16",          NULL,
                                 "The network", "Base width; 64 is the published one."};
static const vip_option CLASSES = {"classes",
                                   VIP_OPTION_WHOLE,
                                   "N",
                                   1,
                                   VIP_MAX_CLASSES,
                                   NULL,
                                   "527",
                                   NULL,
                                   "The network",
                                   "Classes of its one output, any number of which may be heard."};
static const vip_option POSTERIOR = {
    "posterior",   VIP_OPTION_CHOICE,      NULL, 0, 0, POSTERIORS, "deterministic", NULL,
    "The network", "What is random in it."};
static const vip_option SIGN = {"signs",       VIP_OPTION_CHOICE,    NULL, 0, 0, SIGNS, "channel", NULL,
                                "The network", "Of Flipout's noise."};
static const vip_option BATCH = {"batch",    VIP_OPTION_WHOLE,   "N", 1, 4096, NULL, "32", NULL,
                                 "The work", "Clips in a batch."};
static const vip_option FRAMES = {"frames",   VIP_OPTION_WHOLE,   "N", 32, 3000, NULL, "301", NULL,
                                  "The work", "Frames of a clip."};
static const vip_option STEPS = {"steps",    VIP_OPTION_WHOLE,
                                 "N",        1,
                                 100000,     NULL,
                                 "5",        NULL,
                                 "The work", "Steps that are timed, behind one that is not; medians are told."};
static const vip_option PRECISION = {
    "precision", VIP_OPTION_CHOICE,
    NULL,        0,
    0,           PRECISIONS,
    "f32",       NULL,
    "The work",  "What convolutions multiply; bf16 is rounded and computed in f32, for what it does to learning."};
static const vip_option THREADS = {"threads",  VIP_OPTION_WHOLE,           "N", 1, 256, NULL, NULL, "all cores",
                                   "The work", "How many threads compute."};
static const vip_option *const OPTIONS[] = {&ARCH,  &WIDTH,  &CLASSES, &POSTERIOR, &SIGN,
                                            &BATCH, &FRAMES, &STEPS,   &PRECISION, &THREADS};

const vip_command VIP_BENCH_COMMAND = {
    .name = "vipann-train bench",
    .operands = "",
    .summary = "Says how fast a network is trained on this machine.",
    .details = "A step is forward, loss, backward, and a step of Adam, on random frames. One JSON line: medians of CPU "
               "and wall "
               "time of a step, clips per second by wall time, and the most memory that the program had.",
    .examples = "vipann-train bench --arch resnet54 --posterior dropout",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
};

typedef struct {
    const vip_arguments *arguments;
    vip_parameters *parameters;
    vip_net *net;
    vip_prior *prior;
    vip_optimiser *optimiser;
    uint32_t rows, frames, classes;
    float *logmel, *targets;
    uint32_t *draws;
} rig;

static int
chosen(const rig *r, const vip_option *option)
{
    return vip_argument(r->arguments, option)->word;
}

static void
make_data(rig *r)
{
    const size_t n = (size_t)r->rows * r->frames * VIP_MELS;
    for (size_t i = 0; i < n; i++) {
        uint32_t words[4];
        vip_choice_words(1, VIP_CHOICE_ROW, i, 0, 0, words);
        r->logmel[i] = -45 + 20 * (vip_uniform(words[0]) - 0.5f);
    }
    for (size_t i = 0; i < (size_t)r->rows * r->classes; i += 50) {
        r->targets[i] = 1; /* one class in fifty is heard */
    }
}

static vipann_status
make(rig *r, vipann_error *error)
{
    vip_network network;
    vip_stretch stretches[VIP_MAX_SEGMENTS];
    r->rows = (uint32_t)vip_argument(r->arguments, &BATCH)->whole;
    r->frames = (uint32_t)vip_argument(r->arguments, &FRAMES)->whole;
    r->classes = (uint32_t)vip_argument(r->arguments, &CLASSES)->whole;
    vip_network_fill(&network, (vip_arch)vip_arch_find(vip_argument(r->arguments, &ARCH)->text),
                     (uint32_t)vip_argument(r->arguments, &WIDTH)->whole, r->classes, VIP_SAME);
    r->parameters = vip_parameters_new(&network, NULL, chosen(r, &POSTERIOR) == 2, false);
    r->logmel = vip_alloc((size_t)r->rows * r->frames * VIP_MELS, sizeof(float));
    r->targets = vip_alloc((size_t)r->rows * r->classes, sizeof(float));
    r->draws = vip_alloc(r->rows, sizeof *r->draws);
    if (r->parameters == NULL || r->logmel == NULL || r->targets == NULL || r->draws == NULL) {
        return vip_fail_memory(error, "the network to train");
    }
    vip_parameters_init(r->parameters, 1);
    vip_net_options options = {.rows = r->rows,
                               .n_lengths = 1,
                               .lengths = {r->frames},
                               .flipout = (vip_flipout)chosen(r, &SIGN),
                               .precision = (vip_precision)chosen(r, &PRECISION),
                               .seed = 1};
    for (int i = 0; i < network.n_sites && chosen(r, &POSTERIOR) == 1; i++) {
        options.rates[i] = network.sites[i].training_rate;
    }
    r->net = vip_net_new(r->parameters, &options, error);
    if (r->net == NULL) {
        return error->status;
    }
    const vip_optimiser_options adam = vip_optimiser_defaults(VIP_ADAM);
    const size_t n = vip_stretches(r->parameters, false, stretches);
    r->optimiser = vip_optimiser_new(&adam, stretches, n, r->parameters->n_trainable);
    r->prior = chosen(r, &POSTERIOR) == 2 ? vip_prior_new(r->parameters) : NULL;
    if (r->optimiser == NULL || (chosen(r, &POSTERIOR) == 2 && r->prior == NULL)) {
        return vip_fail_memory(error, "the network to train");
    }
    make_data(r);
    return VIPANN_OK;
}

static void
step(rig *r, uint32_t number)
{
    for (uint32_t row = 0; row < r->rows; row++) {
        r->draws[row] = number * r->rows + row;
    }
    const vip_batch batch = {
        .frames = r->frames, .logmel = r->logmel, .draws = r->draws, .eps_draw = number, .momentum = 0.1f};
    vip_net_forward(r->net, &batch, true);
    (void)vip_loss_binary(vip_net_output(r->net, VIP_OUTPUT_LOGITS), r->targets, NULL, r->rows, r->classes, 1,
                          vip_net_output_gradient(r->net, VIP_OUTPUT_LOGITS));
    vip_net_backward(r->net);
    if (r->prior != NULL) {
        (void)vip_kl(r->prior, r->parameters, VIP_KL_SUM, 1e-6);
    }
    vip_optimiser_step(r->optimiser, 1e-4, 1, r->parameters->gradients, r->parameters->values);
}

static int
rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
tell(const rig *r, size_t steps, double *cpu, double *wall)
{
    struct rusage usage;
    qsort(cpu, steps, sizeof *cpu, rising);
    qsort(wall, steps, sizeof *wall, rising);
    vip_json json = {.out = stdout};
    vip_json_object(&json, NULL);
    vip_json_text(&json, "bench", "train");
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const vip_value *value = vip_argument(r->arguments, OPTIONS[i]);
        if (OPTIONS[i]->kind == VIP_OPTION_CHOICE) {
            vip_json_text(&json, OPTIONS[i]->name, value->text);
        } else if (OPTIONS[i] != &THREADS) {
            vip_json_whole(&json, OPTIONS[i]->name, value->whole);
        }
    }
    vip_json_whole(&json, "threads", vip_parallel_count());
    vip_json_number(&json, "cpu_s", cpu[steps / 2], 5);
    vip_json_number(&json, "wall_s", wall[steps / 2], 5);
    vip_json_number(&json, "clips_per_s", r->rows / wall[steps / 2], 5);
    vip_json_whole(&json, "buffers_mb", vip_net_bytes(r->net) >> 20);
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        vip_json_whole(&json, "peak_mb", (uint64_t)usage.ru_maxrss >> 10);
    }
    vip_json_close(&json);
}

static vipann_status
measure(rig *r, vipann_error *error)
{
    const size_t steps = (size_t)vip_argument(r->arguments, &STEPS)->whole;
    const vipann_status good = make(r, error);
    double *cpu = vip_alloc(2 * steps, sizeof *cpu), *wall = cpu + steps;
    if (good == VIPANN_OK && cpu != NULL) {
        step(r, 0);
        for (uint32_t i = 0; i < steps; i++) {
            const double cpu_begin = vip_clock_seconds(CLOCK_PROCESS_CPUTIME_ID),
                         begin = vip_clock_seconds(CLOCK_MONOTONIC);
            step(r, i + 1);
            wall[i] = vip_clock_seconds(CLOCK_MONOTONIC) - begin;
            cpu[i] = vip_clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
        }
        tell(r, steps, cpu, wall);
    }
    vip_free(cpu);
    return good;
}

static int
run_bench(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    rig r = {.arguments = arguments};
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    const vipann_status good = measure(&r, &error);
    vip_net_free(r.net);
    vip_optimiser_free(r.optimiser);
    vip_prior_free(r.prior);
    vip_parameters_free(r.parameters);
    vip_free(r.logmel);
    vip_free(r.targets);
    vip_free(r.draws);
    return vip_command_end(&VIP_BENCH_COMMAND, good, &error);
}

int
vip_bench_run(int argc, char **argv)
{
    return vip_command_line(&VIP_BENCH_COMMAND, argc, argv, NULL, run_bench);
}
