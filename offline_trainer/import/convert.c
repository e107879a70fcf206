/* SPDX-License-Identifier: GPL-3.0-or-later */
/* convert.c -- see convert.h for the contract. */
#include "convert.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>
#include <frontend/logmel.h>
#include <offline_trainer/data/frontends.h>

static const float MEL_TOLERANCE = 1e-4f;
static const char MEL_MATRIX[] = "logmel_extractor.melW";

enum { NAME = sizeof((vip_tensor_shape *)0)->name + 16, SHAPE_TEXT = 24 * VIP_PICKLE_RANK };

/* Where a tensor of the network comes from. */
typedef struct {
    vip_torch_entry *plain, *mu, *rho; /* plain, or mu and rho, or nothing: then it is the trunk's */
} slot;

typedef struct {
    vip_torch *torch;
    const vip_convert_options *options;
    vip_converted *converted;
    const char *file;
    vip_model *model;
    vip_network network;
    int n_tensors;
    vip_tensor_shape shapes[VIP_MAX_TENSORS];
    slot slots[VIP_MAX_TENSORS];
    vip_frontend_spec frontend;
    vipann_error *error;
} conversion;

/* ----------------------------------------------------------------------------------------------------------- shapes */

static const char *
shape_text(const vip_pickled_tensor *tensor, char out[SHAPE_TEXT])
{
    size_t used = 1;
    (void)snprintf(out, SHAPE_TEXT, "[");
    for (uint32_t i = 0; i < tensor->rank; i++) {
        used += (size_t)snprintf(out + used, SHAPE_TEXT - used, i == 0 ? "%" PRIu64 : ",%" PRIu64, tensor->shape[i]);
    }
    (void)snprintf(out + used, SHAPE_TEXT - used, "]");
    return out;
}

/* The entry of that name, now claimed; NULL: there is none. */
static vip_torch_entry *
claim(const conversion *c, const char *name)
{
    vip_torch_entry *entry = vip_torch_find(c->torch, name);
    if (entry != NULL) {
        entry->claimed = true;
    }
    return entry;
}

static bool
has(const conversion *c, const char *name)
{
    return vip_torch_find(c->torch, name) != NULL;
}

/* ---------------------------------------------------------------------------------------------------------- network */

/* The tensor that says how wide the network is and how many classes it has. */
static vipann_status
read_head(const conversion *c, uint32_t *width, uint32_t *classes)
{
    const vip_torch_entry *head = vip_torch_find(c->torch, "fc_audioset.weight");
    head = head == NULL ? vip_torch_find(c->torch, "fc_audioset.mu_weight") : head;
    if (head == NULL || head->tensor == NULL) {
        return vip_fail(c->error, VIPANN_E_FORMAT,
                        "%.80s: there is no tensor fc_audioset.weight or fc_audioset.mu_weight: this is no network of "
                        "PANNs or VI-PANN",
                        c->file);
    }
    const uint64_t *shape = head->tensor->shape;
    char text[SHAPE_TEXT];
    if (head->tensor->rank != 2 || shape[0] < 1 || shape[0] > VIP_MAX_CLASSES || shape[1] < 32 || shape[1] % 32 != 0 ||
        shape[1] / 32 > VIP_MAX_WIDTH) {
        return vip_fail(
            c->error, VIPANN_E_FORMAT,
            "%.80s: tensor %s: shape %.60s, expected [classes,32 * width] with at most %d classes and width "
            "%d",
            c->file, head->name, shape_text(head->tensor, text), VIP_MAX_CLASSES, VIP_MAX_WIDTH);
    }
    *classes = (uint32_t)shape[0];
    *width = (uint32_t)(shape[1] / 32);
    return VIPANN_OK;
}

/* Which network has blocks of these names; -1: none has. */
static int
find_arch(const conversion *c)
{
    if (has(c, "resnet.layer1.0.conv3.weight") || has(c, "resnet.layer1.0.conv3.mu_kernel")) {
        return VIP_RESNET54;
    }
    if (has(c, "resnet.layer1.2.conv1.weight") || has(c, "resnet.layer1.2.conv1.mu_kernel")) {
        return VIP_RESNET38;
    }
    return has(c, "resnet.layer1.0.conv1.weight") || has(c, "resnet.layer1.0.conv1.mu_kernel") ? VIP_RESNET22 : -1;
}

static vipann_status
find_network(conversion *c)
{
    uint32_t width = 0, classes = 0;
    vipann_status status = read_head(c, &width, &classes);
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_model *trunk = c->options->trunk;
    const int arch = find_arch(c);
    c->converted->head_only = arch < 0;
    if (arch < 0 && trunk == NULL) {
        return vip_fail(
            c->error, VIPANN_E_ARG,
            "%.80s: has no tensor of a resnet, so it is the head of a network; name the model whose head it "
            "is to be with --trunk",
            c->file);
    }
    if (arch >= 0 && trunk != NULL) {
        return vip_fail(c->error, VIPANN_E_ARG, "%.80s: is a whole network; leave --trunk out", c->file);
    }
    if (trunk != NULL && (trunk->network.width != width || trunk->posterior == VIPANN_ENSEMBLE)) {
        return vip_fail(c->error, VIPANN_E_ARG, "%.80s: a head for width %u; the trunk has width %u%s", c->file,
                        (unsigned)width, (unsigned)trunk->network.width,
                        trunk->posterior == VIPANN_ENSEMBLE ? " and is an ensemble, expected one network" : "");
    }
    vip_network_fill(&c->network, trunk != NULL ? trunk->network.arch : (vip_arch)arch, width, classes,
                     trunk != NULL ? trunk->network.padding : c->options->padding);
    c->n_tensors = vip_network_tensors(&c->network, c->shapes);
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------- names and shapes */

static vipann_status
check_tensor(const conversion *c, const vip_torch_entry *entry, const vip_tensor_shape *shape)
{
    if (entry == NULL) {
        return VIPANN_OK;
    }
    if (entry->tensor == NULL) {
        return vip_fail(c->error, VIPANN_E_FORMAT, "%.80s: %.80s is no tensor", c->file, entry->name);
    }
    const vip_element element = vip_torch_element(c->torch, entry);
    if (shape->kind != VIP_BN_COUNT && element > VIP_ELEMENT_BFLOAT) {
        return vip_fail(c->error, VIPANN_E_FORMAT,
                        "%.80s: tensor %s: elements of %s, expected float, double, half or bfloat16", c->file,
                        entry->name, vip_element_name(element));
    }
    bool equal = entry->tensor->rank == shape->rank;
    for (uint32_t i = 0; equal && i < shape->rank; i++) {
        equal = entry->tensor->shape[i] == shape->shape[i];
    }
    if (equal) {
        return VIPANN_OK;
    }
    vip_pickled_tensor expected = {.rank = shape->rank};
    for (uint32_t i = 0; i < shape->rank; i++) {
        expected.shape[i] = shape->shape[i];
    }
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];
    return vip_fail(c->error, VIPANN_E_FORMAT,
                    "%.60s: tensor %s: shape %.40s, expected %s for %s of width %u with %u classes", c->file,
                    entry->name, shape_text(entry->tensor, found), shape_text(&expected, wanted),
                    vip_arch_name(c->network.arch), (unsigned)c->network.width, (unsigned)c->network.classes);
}

/* What VI-PANN calls the mu or the rho of a tensor: conv1.weight is conv1.mu_kernel, fc1.bias is fc1.mu_bias. */
static void
bayesian_name(const vip_tensor_shape *shape, const char *part, char out[NAME])
{
    const size_t module = (size_t)(strrchr(shape->name, '.') - shape->name) + 1;
    memcpy(out, shape->name, module);
    (void)snprintf(out + module, NAME - module, "%s_%s", part,
                   shape->kind == VIP_CONV_WEIGHT ? "kernel" : shape->name + module);
}

/* The names that a tensor may have. */
static vipann_status
match(conversion *c, int i)
{
    const vip_tensor_shape *shape = &c->shapes[i];
    char mu[NAME], rho[NAME];
    bayesian_name(shape, "mu", mu);
    bayesian_name(shape, "rho", rho);
    slot *s = &c->slots[i];
    s->plain = claim(c, shape->name);
    if (shape->kind <= VIP_LINEAR_BIAS) {
        s->mu = claim(c, mu);
        s->rho = claim(c, rho);
    }
    if ((s->mu == NULL) != (s->rho == NULL) || (s->mu != NULL && s->plain != NULL)) {
        return vip_fail(c->error, VIPANN_E_FORMAT, "%.80s: expected either %s, or %s and %s, found %s", c->file,
                        shape->name, mu, rho,
                        s->plain != NULL ? "both"
                        : s->mu != NULL  ? "no rho"
                                         : "no mu");
    }
    const bool in_trunk = c->converted->head_only && strncmp(shape->name, "fc", 2) != 0;
    if (s->plain == NULL && s->mu == NULL && shape->kind != VIP_BN_COUNT && !in_trunk) {
        return vip_fail(c->error, VIPANN_E_FORMAT, "%.80s: tensor %s is missing; %s needs it", c->file, shape->name,
                        vip_arch_name(c->network.arch));
    }
    c->converted->bayesian_convs += s->mu != NULL && shape->kind == VIP_CONV_WEIGHT;
    c->converted->bayesian_linears += s->mu != NULL && shape->kind != VIP_CONV_WEIGHT;
    vipann_status status = check_tensor(c, s->plain, shape);
    status = status == VIPANN_OK ? check_tensor(c, s->mu, shape) : status;
    return status == VIPANN_OK ? check_tensor(c, s->rho, shape) : status;
}

/* Tensors of the published files that a model has no use for: the front-end's, and what older versions of
 * bayesian-torch stored beside mu and rho. */
static bool
is_leftover(const char *name)
{
    static const char *const modules[] = {"spectrogram_extractor.", "logmel_extractor."};
    static const char *const leaves[] = {"eps_", "prior_"};
    const char *dot = strrchr(name, '.');
    bool left = false;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        left = left || strncmp(name, modules[i], strlen(modules[i])) == 0 ||
               (dot != NULL && strncmp(dot + 1, leaves[i], strlen(leaves[i])) == 0);
    }
    return left;
}

/* Small tensors may be spread out over a huge shape by strides of 0: so what the model will take is compared with what
 * the file has, before any memory is asked for. */
static vipann_status
check_bytes(const conversion *c)
{
    uint64_t bytes = 0;
    for (int i = 0; i < c->n_tensors; i++) {
        const vip_torch_entry *of[] = {c->slots[i].plain, c->slots[i].mu, c->slots[i].rho};
        for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
            bytes += of[k] == NULL
                         ? 0
                         : vip_tensor_size(&c->shapes[i]) * vip_element_bytes(vip_torch_element(c->torch, of[k]));
        }
    }
    return bytes <= c->torch->source.size
               ? VIPANN_OK
               : vip_fail(c->error, VIPANN_E_FORMAT,
                          "%.80s: its tensors would take %" PRIu64 " bytes, but the file has only %" PRIu64, c->file,
                          bytes, c->torch->source.size);
}

static vipann_status
match_tensors(conversion *c)
{
    for (int i = 0; i < c->n_tensors; i++) {
        vipann_status status = match(c, i);
        if (status != VIPANN_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < c->torch->n; i++) {
        const vip_torch_entry *entry = &c->torch->entries[i];
        if (!entry->claimed && !is_leftover(entry->name) && (entry->tensor != NULL || c->torch->nested)) {
            return vip_fail(c->error, VIPANN_E_FORMAT, "%.80s: %s %.80s does not belong to %s", c->file,
                            entry->tensor != NULL ? "tensor" : "entry", entry->name, vip_arch_name(c->network.arch));
        }
        c->converted->left_out += !entry->claimed;
    }
    return check_bytes(c);
}

/* -------------------------------------------------------------------------------------------------------- front-end */

/* Whether the stored matrix, [bins][mels], is that of the front-end. */
static vipann_status
compare_mel(const conversion *c, const vip_torch_entry *matrix, const vip_frontend_spec *spec, bool *equal)
{
    const size_t bins = spec->n_fft / 2 + 1, n = bins * VIP_MELS;
    const vip_pickled_tensor *tensor = matrix->tensor;
    *equal = tensor != NULL && tensor->rank == 2 && tensor->shape[0] == bins && tensor->shape[1] == VIP_MELS &&
             vip_torch_element(c->torch, matrix) <= VIP_ELEMENT_BFLOAT;
    if (!*equal) {
        return VIPANN_OK;
    }
    float *ours = vip_alloc(n, sizeof *ours), *theirs = vip_alloc(n, sizeof *theirs);
    vipann_status status = VIPANN_OK;
    if (ours == NULL || theirs == NULL) {
        status = vip_fail_memory(c->error, "reading a checkpoint");
    } else {
        vip_torch_want want = {.entry = matrix, .out = theirs};
        vip_mel_filters(spec, ours);
        status = vip_torch_load(c->torch, &want, 1, c->error);
    }
    for (size_t i = 0; i < n && status == VIPANN_OK; i++) {
        *equal = *equal && fabsf(theirs[i] - ours[i % VIP_MELS * bins + i / VIP_MELS]) <= MEL_TOLERANCE;
    }
    vip_free(ours);
    vip_free(theirs);
    return status;
}

/* The published front-end whose mel matrix the file has; VIP_FRONTEND_OF_FILE: it has none, or another one. */
static vipann_status
recognise(const conversion *c, const vip_torch_entry *matrix, int *found)
{
    *found = VIP_FRONTEND_OF_FILE;
    vipann_status status = VIPANN_OK;
    for (int i = 0; matrix != NULL && VIP_FRONTEND_NAMES[i] != NULL && status == VIPANN_OK; i++) {
        bool equal = false;
        status = compare_mel(c, matrix, vip_frontend_named(VIP_FRONTEND_NAMES[i]), &equal);
        *found = equal ? i : *found;
    }
    return status;
}

static vipann_status
find_frontend(conversion *c)
{
    const vip_torch_entry *matrix = vip_torch_find(c->torch, MEL_MATRIX);
    int found, asked = c->options->frontend;
    vipann_status status = recognise(c, matrix, &found);
    if (status != VIPANN_OK) {
        return status;
    }
    c->converted->recognised = found != VIP_FRONTEND_OF_FILE;
    if (asked == VIP_FRONTEND_OF_FILE && found == VIP_FRONTEND_OF_FILE) {
        if (c->options->trunk != NULL && matrix == NULL) {
            c->frontend = c->options->trunk->frontend;
            return VIPANN_OK;
        }
        return vip_fail(c->error, VIPANN_E_ARG, "%.80s: %s; name its front-end with --frontend panns16k or panns32k",
                        c->file, matrix == NULL ? "has no mel matrix" : "its mel matrix is none of those we know");
    }
    if (asked != VIP_FRONTEND_OF_FILE && found != VIP_FRONTEND_OF_FILE && asked != found) {
        return vip_fail(c->error, VIPANN_E_ARG, "%.80s: its mel matrix is that of %s, not of %s; leave --frontend out",
                        c->file, VIP_FRONTEND_NAMES[found], VIP_FRONTEND_NAMES[asked]);
    }
    c->frontend = *vip_frontend_named(VIP_FRONTEND_NAMES[found == VIP_FRONTEND_OF_FILE ? asked : found]);
    return VIPANN_OK;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* Posterior, and where the trunk has dropout, its rates: a model is of one kind, so weights with a posterior put out the
 * masks. */
static vipann_status
set_posterior(conversion *c)
{
    vip_model *model = c->model;
    const vip_model *trunk = c->options->trunk;
    bool bayesian = c->converted->bayesian_convs + c->converted->bayesian_linears > 0;
    for (int i = 0; i < c->n_tensors; i++) {
        bayesian = bayesian || model->rho[i] != NULL;
    }
    model->posterior = bayesian ? VIPANN_MEANFIELD : VIPANN_DETERMINISTIC;
    model->prior_mu = 0; /* what the published code trains against */
    model->prior_sigma = 1;
    if (trunk != NULL && trunk->posterior == VIPANN_DROPOUT && !bayesian) {
        vip_free(model->preset);
        model->preset = vip_copy_string(trunk->preset);
        model->posterior = VIPANN_DROPOUT;
        memcpy(model->rates, trunk->rates, sizeof model->rates);
    }
    return model->preset == NULL ? vip_fail_memory(c->error, "the model") : VIPANN_OK;
}

/* Room for rho; what the trunk has is copied. False if memory is short. */
static bool
make_rho(conversion *c, int i)
{
    const vip_model *trunk = c->options->trunk;
    const slot *s = &c->slots[i];
    const size_t n = vip_tensor_size(&c->shapes[i]);
    const bool from_trunk = trunk != NULL && s->plain == NULL && s->mu == NULL;
    if (from_trunk && trunk->values[i] != NULL) {
        memcpy(c->model->values[i], trunk->values[i], n * sizeof(float));
    }
    if (s->rho == NULL && !(from_trunk && trunk->rho[i] != NULL)) {
        return true;
    }
    c->model->rho[i] = vip_alloc(n, sizeof(float));
    if (c->model->rho[i] != NULL && from_trunk) {
        memcpy(c->model->rho[i], trunk->rho[i], n * sizeof(float));
    }
    return c->model->rho[i] != NULL;
}

static vipann_status
load(conversion *c)
{
    vip_torch_want wants[2 * VIP_MAX_TENSORS];
    size_t n = 0;
    c->model = vip_model_new(c->network.arch, c->network.width, c->network.classes, c->network.padding);
    if (c->model == NULL) {
        return vip_fail_memory(c->error, "the model");
    }
    for (int i = 0; i < c->n_tensors; i++) {
        if (c->shapes[i].kind == VIP_BN_COUNT) {
            continue; /* a model does not say how often it was trained */
        }
        if (!make_rho(c, i)) {
            return vip_fail_memory(c->error, "the model");
        }
        const slot *s = &c->slots[i];
        if (s->plain != NULL || s->mu != NULL) {
            wants[n++] = (vip_torch_want){.entry = s->plain != NULL ? s->plain : s->mu, .out = c->model->values[i]};
        }
        if (s->rho != NULL) {
            wants[n++] = (vip_torch_want){.entry = s->rho, .out = c->model->rho[i]};
        }
    }
    c->model->task = c->options->task;
    c->model->frontend = c->frontend;
    vipann_status status = set_posterior(c);
    return status == VIPANN_OK ? vip_torch_load(c->torch, wants, n, c->error) : status;
}

vip_model *
vip_convert(vip_torch *torch, const vip_convert_options *options, vip_converted *converted, vipann_error *error)
{
    conversion *c = vip_alloc(1, sizeof *c);
    if (c == NULL) {
        (void)vip_fail_memory(error, "reading a checkpoint");
        return NULL;
    }
    *converted = (vip_converted){0};
    *c = (conversion){
        .torch = torch, .options = options, .converted = converted, .file = torch->source.name, .error = error};
    vipann_status status = find_network(c);
    status = status == VIPANN_OK ? match_tensors(c) : status;
    status = status == VIPANN_OK ? find_frontend(c) : status;
    status = status == VIPANN_OK ? load(c) : status;
    vip_model *model = c->model;
    if (status != VIPANN_OK) {
        vip_model_free(model);
        model = NULL;
    }
    vip_free(c);
    return model;
}
