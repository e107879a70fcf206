/* SPDX-License-Identifier: GPL-3.0-or-later */
/* library.c -- models of this process: opened once, shared, described. See vipann.h for the contract. */
#include "library.h"

#include <base/memory.h>
#include <base/status.h>
#include <decide/rules.h>
#include <kernels/kernels.h>
#include <nn/pass.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* The models in use. The lock is held while a file is read, so that two who want the same file read it once. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static vipann_model *registry;

const char *
vipann_version(void)
{
    return VIPANN_VERSION; /* from the Makefile */
}

const char *
vipann_kernels(void)
{
    const vip_kernels *kernels = vip_kernels_choose(NULL);
    return kernels == NULL ? "none" : kernels->name;
}

double
vip_column_seconds(const vip_model *model)
{
    return VIP_COLUMN_FRAMES * (double)model->frontend.hop / model->frontend.sample_rate;
}

/* --------------------------------------------------------------------------------------------- opening and closing */

static void
free_model(vipann_model *model)
{
    if (model != NULL) {
        for (uint32_t m = 1; model->sets != NULL && m < model->file->members; m++) {
            vip_weights_free(model->sets[m]);
        }
        vip_free(model->sets);
        vip_weights_free(model->weights);
        vip_model_free(model->file);
        vip_free(model);
    }
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static vipann_model *
find(const struct stat *identity, const char *sha256, const char *name)
{
    for (vipann_model *m = registry; m != NULL; m = m->next) {
        if (strcmp(m->file->name, name) == 0 &&
            (sha256 != NULL ? strcmp(m->file->sha256, sha256) == 0 : same_file(&m->identity, identity))) {
            return m;
        }
    }
    return NULL;
}

/* Packs the tensors; false: memory is short. */
static bool
pack(vipann_model *model)
{
    const vip_model *file = model->file;
    model->weights = vip_weights_new(file, file->values, NULL);
    if (model->weights == NULL || file->posterior != VIPANN_ENSEMBLE) {
        return model->weights != NULL;
    }
    model->sets = vip_alloc(file->members, sizeof *model->sets);
    bool complete = model->sets != NULL;
    for (uint32_t m = 0; m < file->members && complete; m++) {
        model->sets[m] = m == 0 ? model->weights : vip_weights_new(file, vip_model_values(file, m), NULL);
        complete = model->sets[m] != NULL;
    }
    return complete;
}

/* Reads and packs a file that nobody has open. */
static vipann_model *
load(const char *path, const struct stat *identity, vipann_error *error)
{
    vipann_model *model = vip_alloc(1, sizeof *model);
    if (model == NULL) {
        (void)vip_fail_memory(error, "the model");
        return NULL;
    }
    model->references = 1;
    model->identity = *identity;
    model->file = vip_model_read(path, error);
    if (model->file == NULL) {
        free_model(model);
        return NULL;
    }
    model->n_weights = vip_network_weights(&model->file->network);
    if (!pack(model)) {
        (void)vip_fail_memory(error, "the model's weights");
        free_model(model);
        return NULL;
    }
    if (model->file->posterior != VIPANN_MEANFIELD) {
        vip_model_drop_tensors(model->file);
    }
    return model;
}

/* A file's name without folder and extension, as models bear it. */
static void
name_of(const char *path, char *name, size_t size)
{
    static const char extension[] = ".safetensors";
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t n = strlen(base), tail = sizeof extension - 1;
    n -= n > tail && strcmp(base + n - tail, extension) == 0 ? tail : 0;
    n = n < size ? n : size - 1;
    memcpy(name, base, n);
    name[n] = '\0';
}

static vipann_model *
open_locked(const char *path, vipann_error *error)
{
    struct stat identity;
    if (stat(path, &identity) != 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%.120s: cannot be opened: %s; check the path of the model", path,
                       strerror(errno));
        return NULL;
    }
    char name[256];
    name_of(path, name, sizeof name);
    vipann_model *known = find(&identity, NULL, name);
    if (known == NULL) {
        vipann_model *model = load(path, &identity, error);
        if (model == NULL) {
            return NULL;
        }
        known = find(NULL, model->file->sha256, model->file->name); /* the same content elsewhere */
        if (known == NULL) {
            model->next = registry;
            registry = model;
            return model;
        }
        free_model(model);
    }
    known->references++;
    return known;
}

vipann_model *
vipann_model_open(const char *path, vipann_error *error)
{
    if (path == NULL) {
        (void)vip_fail(error, VIPANN_E_ARG, "no path of a model was given");
        return NULL;
    }
    (void)pthread_mutex_lock(&registry_lock);
    vipann_model *model = open_locked(path, error);
    (void)pthread_mutex_unlock(&registry_lock);
    return model;
}

vipann_model *
vipann_model_ref(vipann_model *model)
{
    (void)pthread_mutex_lock(&registry_lock);
    model->references++;
    (void)pthread_mutex_unlock(&registry_lock);
    return model;
}

void
vipann_model_unref(vipann_model *model)
{
    if (model == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&registry_lock);
    bool last = --model->references == 0;
    for (vipann_model **link = &registry; last && *link != NULL; link = &(*link)->next) {
        if (*link == model) {
            *link = model->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&registry_lock);
    if (last) {
        free_model(model);
    }
}

/* ----------------------------------------------------------------------------------------------------- description */

void
vipann_model_describe(const vipann_model *model, vipann_model_info *info)
{
    const vip_model *file = model->file;
    const vip_calibration *calibration = &file->calibration;
    const bool causal = file->network.padding == VIP_CAUSAL;
    *info = (vipann_model_info){
        .name = file->name,
        .sha256 = file->sha256,
        .arch = vip_arch_name(file->network.arch),
        .padding = causal ? "causal" : "same",
        .frontend = file->frontend.name,
        .preset = file->preset,
        .provenance = file->provenance,
        .license = file->license,
        .calibration_data = calibration->present ? calibration->data : "",
        .task = file->task,
        .posterior = file->posterior,
        .width = file->network.width,
        .classes = file->network.classes,
        .members = file->members,
        .weights = model->n_weights,
        .sample_rate = file->frontend.sample_rate,
        .n_fft = file->frontend.n_fft,
        .hop = file->frontend.hop,
        .mels = file->frontend.mels,
        .fmin = file->frontend.fmin,
        .fmax = file->frontend.fmax,
        .column_seconds = vip_column_seconds(file),
        .look_ahead_seconds =
            vip_network_look_ahead(&file->network, NULL) * vip_column_seconds(file) / VIP_COLUMN_FRAMES,
        .causal = causal,
        .has_calibration = calibration->present,
        .temperature = calibration->present ? (double)calibration->temperature[0] : 1,
        .temperature_deterministic = calibration->present ? (double)calibration->temperature_deterministic : 1,
        .calibration_members = calibration->members,
        .calibration_window_columns = calibration->window_columns,
    };
    memcpy(info->has_unknown, calibration->has_unknown, sizeof info->has_unknown);
    memcpy(info->unknown, calibration->unknown, sizeof info->unknown);
    memcpy(info->has_part, calibration->sum.has, sizeof info->has_part);
    info->prototypes = calibration->sum.n_prototypes;
}

const char *
vipann_score_name(vipann_score score)
{
    return (int)score >= 0 && score < VIPANN_N_SCORES ? VIP_SCORE_KEYS[score] : NULL;
}

const char *
vipann_part_name(vipann_part part)
{
    return (int)part >= 0 && part < VIPANN_N_PARTS ? VIP_PART_NAMES[part] : NULL;
}

const char *
vipann_model_label(const vipann_model *model, uint32_t i)
{
    return i < model->file->network.classes ? model->file->labels[i] : NULL;
}

double
vipann_model_threshold(const vipann_model *model, uint32_t i)
{
    const vip_calibration *calibration = &model->file->calibration;
    bool stated = calibration->present && calibration->thresholds != NULL && i < model->file->network.classes;
    return stated ? (double)calibration->thresholds[i] : -1.0;
}

/* Where a model states no threshold. One of exclusive classes always has the largest share, also of sounds that are none
 * of them: below this, false events come more than twice as often (tests/events). */
static const double EXCLUSIVE_THRESHOLD = 0.8, INDEPENDENT_THRESHOLD = 0.5;

vipann_rules *
vipann_rules_new(const vipann_model *model, vipann_error *error)
{
    return vip_model_rules(model->file, error);
}

vipann_rules *
vip_model_rules(const vip_model *model, vipann_error *error)
{
    const float *thresholds = model->calibration.present ? model->calibration.thresholds : NULL;
    const double otherwise = model->task == VIPANN_MULTICLASS ? EXCLUSIVE_THRESHOLD : INDEPENDENT_THRESHOLD;
    return vip_rules_new(model->labels, thresholds, otherwise, model->network.classes, error);
}

/* --------------------------------------------------------------------------------------------------------- options */

static uint32_t
clamp(uint32_t value, uint32_t most) /* a model file may state more than an engine can do */
{
    return value < most ? value : most;
}

/* The most members that the model can have. */
static uint32_t
most_passes(const vipann_model *model)
{
    return model->file->posterior == VIPANN_ENSEMBLE ? model->file->members : VIPANN_MAX_PASSES;
}

void
vipann_options_default(vipann_options *options, const vipann_model *model)
{
    const vip_calibration *calibration = &model->file->calibration;
    const uint32_t most = most_passes(model);
    const uint32_t usual = model->file->posterior == VIPANN_ENSEMBLE ? most : 8;
    const uint32_t members = clamp(calibration->members > 0 ? calibration->members : usual, most);
    const uint32_t window =
        clamp(calibration->window_columns > 0 ? calibration->window_columns : 15, VIPANN_MAX_WINDOW_COLUMNS);
    *options = (vipann_options){
        .rate = 48000,
        .channels = 1,
        .channel = -1,
        .passes = model->file->posterior == VIPANN_DETERMINISTIC ? 0 : members,
        .members = VIPANN_FLIPOUT,
        .seed = 1,
        .hop_columns = 1,
        .window_columns = window,
        .latency = VIPANN_CENTRED,
        .piece_columns = 1,
        .max_block = 8192,
        .ring_seconds = 4,
    };
}

vipann_status
vip_options_check(const vipann_model *model, const vipann_options *o, vipann_error *error)
{
    const struct {
        const char *name;
        double value, least, most;
    } ranges[] = {
        {"rate", o->rate, 8000, 384000},
        {"channels", o->channels, 1, VIPANN_MAX_CHANNELS},
        {"channel", o->channel, -1, (double)o->channels - 1},
        {"passes", o->passes, 0, VIPANN_MAX_PASSES},
        {"max_passes", o->max_passes, 0, VIPANN_MAX_PASSES},
        {"members", o->members, VIPANN_FLIPOUT, VIPANN_EXPLICIT},
        {"hop_columns", o->hop_columns, 1, VIPANN_MAX_HOP_COLUMNS},
        {"window_columns", o->window_columns, 0, VIPANN_MAX_WINDOW_COLUMNS},
        {"max_window_columns", o->max_window_columns, 0, VIPANN_MAX_WINDOW_COLUMNS},
        {"horizon_seconds", o->horizon_seconds, 0, 3600},
        {"latency", o->latency, VIPANN_CENTRED, VIPANN_EDGE},
        {"piece_columns", o->piece_columns, 1, VIPANN_MAX_PIECE_COLUMNS},
        {"max_block", o->max_block, 1, 65536},
        {"ring_seconds", o->ring_seconds, 0.1, 60},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most)) { /* NaN is out of range */
            return vip_fail(error, VIPANN_E_ARG, "option %s is %g; it must be between %g and %g", ranges[i].name,
                            ranges[i].value, ranges[i].least, ranges[i].most);
        }
    }
    const uint32_t asked = o->passes > o->max_passes ? o->passes : o->max_passes;
    if (asked > most_passes(model)) {
        return vip_fail(error, VIPANN_E_ARG, "option %s is %u; %.80s is an ensemble of %u members: ask for at most %u",
                        o->passes == asked ? "passes" : "max_passes", (unsigned)asked, model->file->name,
                        (unsigned)model->file->members, (unsigned)model->file->members);
    }
    return VIPANN_OK;
}

bool
vip_has_members(const vipann_model *model, const vipann_options *options)
{
    return options->passes > 0 && model->file->posterior != VIPANN_DETERMINISTIC;
}

uint32_t
vip_most_members(const vipann_model *model, const vipann_options *options)
{
    const uint32_t most = options->passes > options->max_passes ? options->passes : options->max_passes;
    return vip_has_members(model, options) ? most : 1;
}

uint32_t
vip_longest_window(const vipann_options *o)
{
    const uint32_t most = o->window_columns > o->max_window_columns ? o->window_columns : o->max_window_columns;
    return o->window_columns == 0 ? 0 : most > VIPANN_EVENT_COLUMNS ? most : VIPANN_EVENT_COLUMNS;
}

/* The model's weights; members that are drawn from a posterior need its numbers, and weights of their own besides:
 * pairs for all of them, or one set for each. */
static uint64_t
weight_bytes(const vipann_model *model, const vipann_options *options)
{
    uint64_t bytes = model->weights->bytes;
    bytes += (uint64_t)model->file->calibration.sum.n_prototypes * model->file->network.features * sizeof(float);
    for (uint32_t m = 1; model->sets != NULL && m < model->file->members; m++) {
        bytes += model->sets[m]->bytes;
    }
    if (model->file->posterior != VIPANN_MEANFIELD) {
        return bytes;
    }
    bytes += model->n_weights * 2 * sizeof(float); /* mu and rho */
    uint64_t drawn = 2;
    if (options->members == VIPANN_EXPLICIT) {
        drawn = vip_most_members(model, options);
    }
    for (int i = 0; i < model->weights->n_layers && vip_has_members(model, options); i++) {
        const vip_layer *layer = &model->weights->layers[i];
        bytes += drawn * layer->out_blocks * layer->w_block * sizeof(float);
    }
    return bytes;
}

vipann_status
vipann_model_cost(const vipann_model *model, const vipann_options *options, vipann_cost *cost, vipann_error *error)
{
    vipann_status status = vip_options_check(model, options, error);
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_model *file = model->file;
    const bool members = vip_has_members(model, options);
    const bool own = members && file->posterior != VIPANN_DROPOUT;
    const float *rates = members && file->posterior == VIPANN_DROPOUT ? file->rates : NULL;
    bool shared_steps[VIP_MAX_STEPS];
    uint64_t shared, per_member;
    vip_schedule_shared(&file->network, rates, own, shared_steps);
    vip_schedule_macs(&file->network, options->hop_columns, options->latency == VIPANN_EDGE, shared_steps, &shared,
                      &per_member);
    const double count = members ? options->passes : 1;
    const double hop_seconds = options->hop_columns * vip_column_seconds(file);
    const vip_pass_options pass = {.rates = rates,
                                   .sets = own ? (const vip_weights *const *)model->sets : NULL,
                                   .max_members = vip_most_members(model, options),
                                   .max_frames = options->piece_columns * VIP_COLUMN_FRAMES,
                                   .max_window = vip_longest_window(options)};
    const size_t pass_bytes = vip_pass_measure(&file->network, &pass, own);
    if (pass_bytes == 0) {
        return vip_fail_memory(error, "counting what an engine costs");
    }
    cost->macs_per_second = ((double)shared + count * (double)per_member) / hop_seconds;
    cost->memory_bytes = weight_bytes(model, options) + pass_bytes;
    return VIPANN_OK;
}
