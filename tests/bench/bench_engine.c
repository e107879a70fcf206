/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_engine.c -- what a second of sound costs: front-end, hops of a stream, clips; beside the processor's peak and
 * PyTorch.
 *
 * bench_engine [--quick|NETWORK]: JSON lines on standard output, the same as a table on standard error. All times are
 * CPU time of one thread, medians. The floor of a pass is its multiply-adds at the rate of a probe of multiply-adds in registers that
 * runs before and after each repetition, so that the ratio holds on a machine whose clock drifts. PyTorch is measured in
 * the same run where python3-torch and the reference networks (VIPANN_SHARED, ../shared) are there. Never fails on
 * time. --quick leaves out the network of width 64 and PyTorch; NETWORK, such as resnet54:64, measures
 * that one alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/half.h>
#include <base/memory.h>
#include <frontend/frontend.h>
#include <library.h>
#include <nn/pass.h>

#include "../data/random_model.h"
#include "kernel_peak.h"
#include "times.h"

enum { CLASSES = 527, MOST_REPEATS = 25, CLIP_FRAMES = 1001, CLIP_PIECE = 32 * VIP_COLUMN_FRAMES };

/* Operations per second of multiply-adds in registers at this moment, over about a millisecond. */
static double
probe(void)
{
    enum { TRIES = 3, TURNS = 6000 };
    double rates[TRIES];
    for (int i = 0; i < TRIES; i++) {
        double begin = cpu_seconds();
        double flop = peak_work(vipann_kernels(), TURNS);
        rates[i] = flop / (cpu_seconds() - begin);
    }
    return median(rates, TRIES);
}

/* Times work(state) that takes `operations`; medians over repetitions, each between two probes. effort is what could have
 * been done in the time at the rate of the probes: two things are compared by it, so that the clock's drift between
 * them does not count. */
typedef struct {
    double seconds, floor_seconds, ratio, peak, effort;
} timing;

static timing
measure(void (*work)(void *), void *state, double operations, int calls)
{
    double seconds[MOST_REPEATS], floors[MOST_REPEATS], ratios[MOST_REPEATS], peaks[MOST_REPEATS];
    size_t n = 0;
    double spent = 0;
    while (n < MOST_REPEATS && (n < 5 || spent < 1.0)) {
        const double before = probe(), begin = cpu_seconds();
        for (int i = 0; i < calls; i++) {
            work(state);
        }
        const double each = (cpu_seconds() - begin) / calls, after = probe();
        peaks[n] = (before + after) / 2; /* the clock drifts */
        seconds[n] = each;
        floors[n] = operations / peaks[n];
        ratios[n] = each / floors[n];
        spent += each * calls;
        n++;
    }
    const double ratio = median(ratios, n);
    return (timing){median(seconds, n), median(floors, n), ratio, median(peaks, n), ratio * operations};
}

/* ------------------------------------------------------------------------------------------------------- front-end */

typedef struct {
    vip_frontend *frontend;
    const float *sound;
    size_t samples;
} logmel_work;

static void
logmel_second(void *state)
{
    logmel_work *w = state;
    float frames[64 * VIP_MELS];
    vip_frontend_reset(w->frontend);
    for (size_t done = 0; done < w->samples;) {
        size_t n = vip_frontend_space(w->frontend);
        n = n < w->samples - done ? n : w->samples - done;
        vip_frontend_feed(w->frontend, w->sound + done, n);
        done += n;
        while (vip_frontend_read(w->frontend, frames, 64) > 0) {
        }
    }
}

static float *
make_noise(size_t samples)
{
    float *x = vip_alloc(samples, sizeof *x);
    for (size_t i = 0; x != NULL && i < samples; i++) {
        x[i] = (float)(0.1 * (vip_random_uniform(7, 0, (uint32_t)i, 0) - 0.5));
    }
    return x;
}

static void
bench_logmel(void)
{
    static const vip_frontend_spec specs[] = {{"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10},
                                              {"panns32k", 32000, 1024, 320, VIP_MELS, 50, 14000, 1e-10}};
    static const double rates[] = {0, 48000}; /* 0: the model's own */
    for (size_t i = 0; i < 4; i++) {
        const vip_frontend_spec *spec = &specs[i / 2];
        const double rate = rates[i % 2] > 0 ? rates[i % 2] : spec->sample_rate;
        const size_t samples = (size_t)rate;
        float *sound = make_noise(samples);
        logmel_work work = {vip_frontend_new(spec, rate, NULL), sound, samples};
        if (sound == NULL || work.frontend == NULL) {
            exit(1);
        }
        const timing t = measure(logmel_second, &work, 1, 20);
        printf("{\"what\":\"logmel\",\"frontend\":\"%s\",\"rate\":%.0f,\"cpu_ms_per_s\":%.4f}\n", spec->name, rate,
               t.seconds * 1e3);
        fprintf(stderr, "log-mel %s from %6.0f Hz: %.3f ms per second of sound\n", spec->name, rate, t.seconds * 1e3);
        vip_frontend_free(work.frontend);
        vip_free(sound);
    }
}

typedef struct {
    vip_resampler *resampler;
    const float *sound;
    float *resampled;
    size_t samples;
} resample_work;

static void
resample_second(void *state)
{
    enum { BLOCK = 1024 }; /* what a stream takes from its ring at once */
    resample_work *w = state;
    for (size_t done = 0; done < w->samples; done += BLOCK) {
        const size_t n = w->samples - done < BLOCK ? w->samples - done : BLOCK;
        (void)vip_resampler_push(w->resampler, w->sound + done, n, w->resampled);
    }
}

static void
bench_resample(void)
{
    static const double rates[] = {22050, 44100, 48000, 96000, 192000}, models[] = {16000, 32000};
    enum { RATES = sizeof rates / sizeof *rates, MODELS = sizeof models / sizeof *models };
    for (size_t i = 0; i < RATES * MODELS; i++) {
        const double from = rates[i / MODELS], to = models[i % MODELS];
        const size_t samples = (size_t)from;
        float *sound = make_noise(samples);
        resample_work work = {vip_resampler_new(from, to), sound, NULL, samples};
        if (sound == NULL || work.resampler == NULL) {
            exit(1);
        }
        work.resampled = vip_alloc(vip_resampler_most(work.resampler, samples), sizeof(float));
        if (work.resampled == NULL) {
            exit(1);
        }
        const timing t = measure(resample_second, &work, 1, 20);
        printf("{\"what\":\"resample\",\"from\":%.0f,\"to\":%.0f,\"cpu_ms_per_s\":%.4f}\n", from, to, t.seconds * 1e3);
        fprintf(stderr, "resampling from %6.0f to %5.0f Hz: %.3f ms per second of sound\n", from, to, t.seconds * 1e3);
        vip_resampler_free(work.resampler);
        vip_free(work.resampled);
        vip_free(sound);
    }
}

/* ----------------------------------------------------------------------------------------------------------- hops */

typedef struct {
    vipann_engine *engine;
    vipann_reader *reader;
    vipann_result *result;
    const float *sound; /* of one hop */
    uint32_t samples;
    unsigned answers;
} hop_work;

static void
one_hop(void *state)
{
    hop_work *w = state;
    const float *channel = w->sound;
    (void)vipann_push(w->engine, &channel, w->samples);
    while (vipann_pump(w->engine) > 0) {
    }
    w->answers += vipann_latest(w->reader, w->result);
}

typedef struct {
    vip_padding padding;
    vipann_latency latency;
    const char *name;
} mode;

static const mode modes[] = {
    {VIP_CAUSAL, VIPANN_CENTRED, "causal"}, {VIP_SAME, VIPANN_CENTRED, "centred"}, {VIP_SAME, VIPANN_EDGE, "edge"}};

/* Makes the handle of a model that no file holds take on a padding and a posterior. */
static void
set_form(vipann_model *model, vip_padding padding, vipann_posterior posterior)
{
    vip_model *file = model->file;
    vip_network_fill(&file->network, file->network.arch, file->network.width, CLASSES, padding);
    file->posterior = posterior;
    for (int i = 0; i < file->network.n_sites; i++) {
        file->rates[i] = posterior == VIPANN_DROPOUT ? file->network.sites[i].training_rate : 0;
    }
}

/* Returns the effort of one hop of one column. */
static double
bench_hop(vipann_model *model, const mode *m, uint32_t passes, const float *sound)
{
    vipann_options o;
    vipann_error error;
    vipann_options_default(&o, model);
    o.rate = model->file->frontend.sample_rate;
    o.passes = passes;
    o.latency = m->latency;
    hop_work work = {.engine = vipann_engine_new(model, &o, &error), .sound = sound, .samples = 32 * 160};
    if (work.engine == NULL) {
        fprintf(stderr, "bench_engine: %s\n", error.text);
        exit(1);
    }
    work.reader = vipann_reader_new(work.engine, VIPANN_LATEST, NULL);
    work.result = vipann_result_new(model);
    enum { WARM = 18 }; /* columns: the look-ahead and the window are full */
    for (int i = 0; i < WARM; i++) {
        one_hop(&work);
    }
    vipann_cost cost;
    (void)vipann_model_cost(model, &o, &cost, NULL);
    const double operations = 2 * cost.macs_per_second * vip_column_seconds(model->file);
    const bool small = model->file->network.width < 64;
    const timing t = measure(one_hop, &work, operations, small ? 10 : 1);
    const vip_network *network = &model->file->network;
    const char *posterior = model->file->posterior == VIPANN_DROPOUT ? "dropout" : "meanfield";
    printf("{\"what\":\"hop\",\"arch\":\"%s\",\"width\":%u,\"posterior\":\"%s\",\"mode\":\"%s\",\"passes\":%u,"
           "\"hop_s\":0.32,\"cpu_ms\":%.4f,\"floor_ms\":%.4f,\"ratio\":%.3f,\"peak_gflops\":%.1f,\"memory_mb\":%.1f}\n",
           vip_arch_name(network->arch), network->width, posterior, m->name, passes, t.seconds * 1e3,
           t.floor_seconds * 1e3, t.ratio, t.peak * 1e-9, (double)cost.memory_bytes * 1e-6);
    fprintf(stderr,
            "%-8s w%-3u %-9s %-7s S=%u: %9.3f ms a hop of 0.32 s, floor %9.3f, ratio %.2f, %5.1f %% of a core\n",
            vip_arch_name(network->arch), network->width, posterior, m->name, passes, t.seconds * 1e3,
            t.floor_seconds * 1e3, t.ratio, t.seconds / 0.32 * 100);
    (void)fflush(stdout);
    vipann_result_free(work.result);
    vipann_engine_free(work.engine);
    return t.effort;
}

/* ----------------------------------------------------------------------------------------------------------- clips */

typedef struct {
    vip_pass *pass;
    const float *frames;
    float *logits;
} clip_work;

static void
one_clip(void *state)
{
    clip_work *w = state;
    vip_pass_reset(w->pass, 0);
    for (uint32_t done = 0; done < CLIP_FRAMES; done += CLIP_PIECE) {
        const uint32_t n = CLIP_FRAMES - done < CLIP_PIECE ? CLIP_FRAMES - done : CLIP_PIECE;
        vip_pass_push(w->pass, w->frames + (size_t)done * VIP_MELS, n);
    }
    vip_pass_finish(w->pass, true);
    vip_pass_answer(w->pass, vip_pass_columns(w->pass), 0, 1, w->logits);
}

/* Returns the effort of a deterministic pass over 10 s. */
static double
bench_clip(vipann_model *model)
{
    const vip_network *network = &model->file->network;
    const vip_pass_options options = {
        .kernels = vip_kernels_choose(NULL), .max_members = 1, .max_frames = CLIP_PIECE, .max_window = 0};
    float *frames = vip_alloc((size_t)CLIP_FRAMES * VIP_MELS, sizeof *frames);
    float logits[CLASSES];
    for (size_t i = 0; i < (size_t)CLIP_FRAMES * VIP_MELS; i++) {
        frames[i] = (float)(-45 + 10 * vip_random_normal(3, 0, (uint32_t)i));
    }
    clip_work work = {vip_pass_new(network, model->weights, &options), frames, logits};
    if (work.pass == NULL) {
        exit(1);
    }
    one_clip(&work);
    uint64_t macs = vip_dense_macs(network);
    for (int i = 0; i < network->n_steps; i++) {
        const vip_step *s = &network->steps[i];
        macs += (uint64_t)(CLIP_FRAMES / (64 / s->bins)) * vip_step_macs(s);
    }
    const timing t = measure(one_clip, &work, 2 * (double)macs, 1);
    printf("{\"what\":\"clip\",\"arch\":\"%s\",\"width\":%u,\"frames\":%d,\"cpu_ms\":%.3f,\"floor_ms\":%.3f,"
           "\"ratio\":%.3f,\"peak_gflops\":%.1f}\n",
           vip_arch_name(network->arch), network->width, CLIP_FRAMES, t.seconds * 1e3, t.floor_seconds * 1e3, t.ratio,
           t.peak * 1e-9);
    fprintf(stderr, "%-8s w%-3u clip of 10 s, one pass: %.2f ms, floor %.2f, ratio %.2f\n",
            vip_arch_name(network->arch), network->width, t.seconds * 1e3, t.floor_seconds * 1e3, t.ratio);
    (void)fflush(stdout);
    vip_pass_free(work.pass);
    vip_free(frames);
    return t.effort;
}

/* --------------------------------------------------------------------------------------------------------- PyTorch */

/* The number behind "key": in a flat JSON line; 0 if it is not there or null. */
static double
number_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at == NULL ? 0 : strtod(at + strlen(key) + 3, NULL); /* behind the quote, the colon and a blank */
}

static double
least(double a, double b)
{
    return a <= 0 || (b > 0 && b < a) ? b : a;
}

/* Runs torch_time.py for the network, prints its line, and compares: clip with the better eager layout; our hops with
 * PyTorch going over the whole window for each of the members at each hop, in the best of its ways, without dropout. clip
 * and hops are efforts. */
static void
compare_torch(const vip_network *network, double clip, uint32_t members, const double *hops)
{
    const char *shared = getenv("VIPANN_SHARED");
    const char *python = getenv("PYTHON"); /* Debian's, which python3-torch belongs to, whatever comes first in PATH */
    char command[512], line[1024];
    (void)snprintf(command, sizeof command, "%s tests/bench/torch_time.py '%s/reference' %s %u %d %d",
                   python == NULL ? "/usr/bin/python3" : python, shared == NULL ? "../shared" : shared,
                   vip_arch_name(network->arch), network->width, CLIP_FRAMES, network->width < 64 ? 3 : 1);
    const double before = probe();
    FILE *pipe = popen(command, "r");
    const bool read = pipe != NULL && fgets(line, sizeof line, pipe) != NULL;
    if (pipe != NULL) {
        (void)pclose(pipe);
    }
    if (!read) {
        fprintf(stderr, "PyTorch: not measured; it needs python3-torch and the reference networks (VIPANN_SHARED)\n");
        return;
    }
    (void)fputs(line, stdout);
    const double per_ms = (before + probe()) / 2 * 1e-3; /* effort of a millisecond of PyTorch */
    const double eager = least(number_of(line, "\"eager_ms"), number_of(line, "\"eager_channels_last_ms"));
    const double best = least(eager, number_of(line, "\"traced_ms")) * members;
    printf("{\"what\":\"clip_to_torch_eager\",\"arch\":\"%s\",\"width\":%u,\"ratio\":%.3f}\n",
           vip_arch_name(network->arch), network->width, clip / (eager * per_ms));
    fprintf(stderr, "%-8s w%-3u clip: %.2f of PyTorch's time (eager, its better layout, %.1f ms)\n",
            vip_arch_name(network->arch), network->width, clip / (eager * per_ms), eager);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const double ratio = best * per_ms / hops[i];
        printf("{\"what\":\"torch_rerun_to_hop\",\"arch\":\"%s\",\"width\":%u,\"mode\":\"%s\",\"passes\":%u,"
               "\"torch_ms\":%.2f,\"ratio\":%.2f}\n",
               vip_arch_name(network->arch), network->width, modes[i].name, members, best, ratio);
        fprintf(stderr, "%-8s w%-3u %-7s S=%u: %.1f times less CPU than PyTorch re-running 10 s (its best, %.0f ms)\n",
                vip_arch_name(network->arch), network->width, modes[i].name, members, ratio, best);
    }
}

/* ------------------------------------------------------------------------------------------------------------ main */

/* Weights that a model file can hold in half precision, as those that are shipped do. */
static void
round_weights(vip_model *file)
{
    for (int i = 0; i < file->n_tensors; i++) {
        const vip_tensor_shape *shape = &file->shapes[i];
        const size_t n = vip_tensor_size(shape);
        const bool layer = shape->kind == VIP_CONV_WEIGHT || shape->kind == VIP_LINEAR_WEIGHT;
        for (size_t e = 0; e < n && layer; e++) {
            file->values[i][e] = vip_half_to_float(vip_float_to_half(file->values[i][e]));
        }
    }
}

/* All hops and clips of one network. */
static void
bench_network(vip_arch arch, uint32_t width, const float *sound, bool torch)
{
    random_model_spec spec = {arch, width, CLASSES, VIP_SAME, VIPANN_MEANFIELD, VIPANN_MULTILABEL, 1};
    vip_model *file = random_model(&spec);
    if (file != NULL) {
        round_weights(file);
        file->name = vip_copy_string("random");
    }
    vip_weights *weights = file == NULL ? NULL : vip_weights_new(file, file->values, NULL);
    if (weights == NULL) {
        fprintf(stderr, "bench_engine: not enough memory\n");
        exit(1);
    }
    vipann_model model = {.references = 1, .file = file, .weights = weights};
    double hops[3] = {0};
    for (int posterior = VIPANN_DROPOUT; posterior <= VIPANN_MEANFIELD; posterior++) {
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
            for (uint32_t passes = 1; passes <= 8; passes += passes == 1 ? 3 : 4) {
                set_form(&model, modes[m].padding, (vipann_posterior)posterior);
                const double effort = bench_hop(&model, &modes[m], passes, sound);
                if (posterior == VIPANN_DROPOUT && passes == 8) {
                    hops[m] = effort;
                } else if (passes == 8) {
                    printf("{\"what\":\"meanfield_to_dropout\",\"arch\":\"%s\",\"width\":%u,\"mode\":\"%s\","
                           "\"passes\":8,\"ratio\":%.3f}\n",
                           vip_arch_name(arch), width, modes[m].name, effort / hops[m]);
                    fprintf(stderr, "%-8s w%-3u %-7s S=8: mean field takes %.2f times what dropout takes\n",
                            vip_arch_name(arch), width, modes[m].name, effort / hops[m]);
                }
            }
        }
    }
    set_form(&model, VIP_SAME, VIPANN_DROPOUT);
    const double clip = bench_clip(&model);
    if (torch) {
        compare_torch(&file->network, clip, 8, hops);
    }
    vip_weights_free(weights);
    vip_model_free(file);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        vip_arch arch;
        uint32_t width;
    } networks[] = {
        {"resnet22:16", VIP_RESNET22, 16}, {"resnet54:16", VIP_RESNET54, 16}, {"resnet54:64", VIP_RESNET54, 64}};
    enum { NETWORKS = sizeof networks / sizeof *networks };
    const bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    int only = -1;
    for (int i = 0; i < NETWORKS && argc == 2 && !quick; i++) {
        only = strcmp(argv[1], networks[i].name) == 0 ? i : only;
    }
    if (argc > 2 || (argc == 2 && !quick && only < 0)) {
        fprintf(stderr, "usage: bench_engine [--quick|resnet22:16|resnet54:16|resnet54:64]\n");
        return 2;
    }
    float *sound = make_noise(32 * 160);
    if (sound == NULL) {
        return 1;
    }
    fprintf(stderr, "kernels: %s; one thread, CPU time, medians\n", vipann_kernels());
    if (only < 0) {
        bench_resample();
        bench_logmel();
    }
    for (int i = 0; i < (quick ? NETWORKS - 1 : NETWORKS); i++) {
        if (only < 0 || only == i) {
            bench_network(networks[i].arch, networks[i].width, sound, !quick);
        }
    }
    vip_free(sound);
    return 0;
}
