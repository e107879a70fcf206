/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loader.c -- see loader.h for the contract. */
#include "loader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "metadata.h"
#include <base/half.h>

/* ------------------------------------------------------------------------------------------------ names and shapes */

static bool
may_be_stochastic(vip_tensor_kind kind)
{
    return kind == VIP_CONV_WEIGHT || kind == VIP_LINEAR_WEIGHT || kind == VIP_LINEAR_BIAS;
}

/* How a tensor is called in a file: "NAME", of an ensemble's member "member.2.NAME". Returns out. */
enum { STORED_NAME = sizeof((vip_tensor_shape *)0)->name + sizeof "member.64." };
static const char *
stored_name(const vip_loader *loader, uint32_t member, const char *name, char out[STORED_NAME])
{
    if (loader->model->posterior == VIPANN_ENSEMBLE) {
        (void)snprintf(out, STORED_NAME, "member.%u.%s", (unsigned)member, name);
    } else {
        (void)snprintf(out, STORED_NAME, "%s", name);
    }
    return out;
}

/* The stored tensor of that name, now claimed, or NULL. */
static const vip_stored *
claim(vip_loader *loader, const char *name, const char *suffix)
{
    char full[STORED_NAME + sizeof ".rho"];
    (void)snprintf(full, sizeof full, "%s%s", name, suffix);
    vip_stored *stored = vip_container_find(&loader->container, full);
    if (stored != NULL) {
        stored->claimed = true;
    }
    return stored;
}

/* Type and shape; stored may be NULL. */
static vipann_status
check_tensor(const vip_loader *loader, const vip_stored *stored, const vip_tensor_shape *shape, vipann_error *error)
{
    if (stored == NULL) {
        return VIPANN_OK;
    }
    bool is_count = shape->kind == VIP_BN_COUNT;
    if (is_count != (stored->dtype == VIP_I64)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s: type %s, expected %s", loader->file, stored->name,
                        vip_dtype_name(stored->dtype), is_count ? "I64" : "F32, F16 or BF16");
    }
    uint64_t expected[4];
    bool equal = stored->rank == shape->rank;
    for (int i = 0; i < shape->rank; i++) {
        expected[i] = shape->shape[i];
        equal = equal && stored->shape[i] == expected[i];
    }
    if (!equal) {
        const vip_network *network = &loader->model->network;
        char found[VIP_SHAPE_TEXT], wanted[VIP_SHAPE_TEXT];
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: tensor %s: shape %s, expected %s for %s of width %u with %u labels", loader->file,
                        stored->name, vip_shape_text(stored->shape, stored->rank, found),
                        vip_shape_text(expected, shape->rank, wanted), vip_arch_name(network->arch),
                        (unsigned)network->width, (unsigned)network->classes);
    }
    return VIPANN_OK;
}

static vipann_status
refuse_missing(const vip_loader *loader, const char *name, vipann_error *error)
{
    const vip_model *model = loader->model;
    if (model->posterior == VIPANN_ENSEMBLE) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: tensor %s is missing; vipann.posterior says that there are %u members", loader->file, name,
                        (unsigned)model->members);
    }
    return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s is missing; %s needs it", loader->file, name,
                    vip_arch_name(model->network.arch));
}

/* One tensor of the table: NAME, or in a mean-field model NAME.mu and NAME.rho. */
static vipann_status
match_tensor(vip_loader *loader, uint32_t member, int i, vipann_error *error)
{
    const vip_tensor_shape *shape = &loader->model->shapes[i];
    char name[STORED_NAME];
    const vip_stored *plain = claim(loader, stored_name(loader, member, shape->name, name), ""), *mu = NULL,
                     *rho = NULL;
    if (loader->model->posterior == VIPANN_MEANFIELD && may_be_stochastic(shape->kind)) {
        mu = claim(loader, shape->name, ".mu");
        rho = claim(loader, shape->name, ".rho");
    }
    if ((mu == NULL) != (rho == NULL)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s.%s is missing; %s.%s is there", loader->file,
                        shape->name, mu == NULL ? "mu" : "rho", shape->name, mu == NULL ? "rho" : "mu");
    }
    if (plain != NULL && mu != NULL) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s is there beside %s.mu, expected one of them",
                        loader->file, shape->name, shape->name);
    }
    if (plain == NULL && mu == NULL && shape->kind != VIP_BN_COUNT) {
        return refuse_missing(loader, name, error);
    }
    loader->values[member][i] = plain != NULL ? plain : mu;
    loader->rho[i] = rho;
    vipann_status status = check_tensor(loader, loader->values[member][i], shape, error);
    return status == VIPANN_OK ? check_tensor(loader, rho, shape, error) : status;
}

/* What the distance of the sum is measured with. How many prototypes there are is up to the file. */
static vipann_status
match_prototypes(vip_loader *loader, vipann_error *error)
{
    vip_model *model = loader->model;
    vip_tensor_shape mean, prototypes;
    if (!model->calibration.has_unknown[VIPANN_SCORE_SUM] || !model->calibration.sum.has[VIPANN_PART_DISTANCE]) {
        return VIPANN_OK;
    }
    vip_model_prototype_shapes(model, &mean, &prototypes);
    loader->centre = claim(loader, mean.name, "");
    loader->prototypes = claim(loader, prototypes.name, "");
    if (loader->centre == NULL || loader->prototypes == NULL) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: tensor %s is missing; the score of vipann.calibration has a part distance, which needs it",
                        loader->file, loader->centre == NULL ? mean.name : prototypes.name);
    }
    const vip_stored *stored = loader->prototypes;
    const uint64_t count = stored->rank == 2 ? stored->shape[0] : 0;
    if (stored->rank == 2 && (count < 1 || count > VIP_MAX_PROTOTYPES)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s: %" PRIu64 " prototypes, expected 1 to %d", loader->file,
                        stored->name, count, VIP_MAX_PROTOTYPES);
    }
    prototypes.shape[0] = (uint32_t)count;
    vipann_status status = check_tensor(loader, loader->centre, &mean, error);
    return status == VIPANN_OK ? check_tensor(loader, stored, &prototypes, error) : status;
}

static bool
ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), n_end = strlen(end);
    return n > n_end && strcmp(name + n - n_end, end) == 0;
}

static vipann_status
refuse_unclaimed(const vip_loader *loader, const char *name, vipann_error *error)
{
    const vip_model *model = loader->model;
    char reason[80] = "";
    if (strcmp(name, "unknown.mean") == 0 || strcmp(name, "unknown.prototypes") == 0) {
        (void)snprintf(reason, sizeof reason, ", as vipann.calibration has no score with a distance");
    } else if (model->posterior != VIPANN_MEANFIELD && (ends_with(name, ".mu") || ends_with(name, ".rho"))) {
        (void)snprintf(reason, sizeof reason, ", as vipann.posterior is not meanfield");
    } else if (model->posterior != VIPANN_ENSEMBLE && strncmp(name, "member.", 7) == 0) {
        (void)snprintf(reason, sizeof reason, ", as vipann.posterior is not ensemble");
    } else if (model->posterior == VIPANN_ENSEMBLE) {
        (void)snprintf(reason, sizeof reason, "; vipann.posterior says members 0 to %u", (unsigned)model->members - 1);
    }
    return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %.80s does not belong to %s%s", loader->file, name,
                    vip_arch_name(model->network.arch), reason);
}

static vipann_status
check_unclaimed(const vip_loader *loader, vipann_error *error)
{
    for (size_t i = 0; i < loader->container.n; i++) {
        if (!loader->container.tensors[i].claimed) {
            return refuse_unclaimed(loader, loader->container.tensors[i].name, error);
        }
    }
    return VIPANN_OK;
}

static vipann_status
match_tensors(vip_loader *loader, vipann_error *error)
{
    vip_model *model = loader->model;
    model->n_tensors = vip_network_tensors(&model->network, model->shapes);
    loader->members = model->posterior == VIPANN_ENSEMBLE ? model->members : 1;
    loader->values = vip_alloc(loader->members, sizeof *loader->values);
    if (loader->values == NULL) {
        return vip_fail_memory(error, "reading a model");
    }
    bool stochastic = false;
    for (uint32_t m = 0; m < loader->members; m++) {
        for (int i = 0; i < model->n_tensors; i++) {
            vipann_status status = match_tensor(loader, m, i, error);
            if (status != VIPANN_OK) {
                return status;
            }
            stochastic = stochastic || loader->rho[i] != NULL;
        }
    }
    if (model->posterior == VIPANN_MEANFIELD && !stochastic) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: vipann.posterior is meanfield, but no tensor is stored as NAME.mu and NAME.rho",
                        loader->file);
    }
    vipann_status status = match_prototypes(loader, error);
    return status == VIPANN_OK ? check_unclaimed(loader, error) : status;
}

vipann_status
vip_loader_begin(vip_loader *loader, const char *file, const char *header, size_t header_bytes, uint64_t data_bytes,
                 vipann_error *error)
{
    memset(loader, 0, sizeof *loader);
    loader->file = file;
    loader->model = vip_alloc(1, sizeof *loader->model);
    if (loader->model == NULL) {
        return vip_fail_memory(error, "reading a model");
    }
    vipann_status status = vip_container_open(&loader->container, file, header, header_bytes, data_bytes, error);
    if (status == VIPANN_OK) {
        status = vip_metadata_read(loader->model, loader->container.metadata, file, error);
    }
    return status == VIPANN_OK ? match_tensors(loader, error) : status;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* Little-endian, whatever the machine is. */
static uint32_t
word(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint16_t
half_word(const unsigned char *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void
decode(vip_dtype dtype, const unsigned char *bytes, size_t n, float *out)
{
    if (dtype == VIP_F32) {
        for (size_t i = 0; i < n; i++) {
            uint32_t bits = word(bytes + 4 * i);
            memcpy(&out[i], &bits, sizeof bits);
        }
    } else if (dtype == VIP_F16) {
        for (size_t i = 0; i < n; i++) {
            out[i] = vip_half_to_float(half_word(bytes + 2 * i));
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            out[i] = vip_bfloat_to_float(half_word(bytes + 2 * i));
        }
    }
}

static vipann_status
read_values(const vip_loader *loader, const vip_stored *stored, vip_tensor_kind kind, const unsigned char *data,
            float **out, vipann_error *error)
{
    size_t n = 1;
    for (int i = 0; i < stored->rank; i++) {
        n *= (size_t)stored->shape[i]; /* those of the table, and the file has as many bytes: no overflow */
    }
    float *x = vip_alloc(n, sizeof *x);
    if (x == NULL) {
        return vip_fail_memory(error, "the weights of the model");
    }
    *out = x;
    decode(stored->dtype, data + stored->begin, n, x);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s: number %zu is %f, expected finite numbers",
                            loader->file, stored->name, i, (double)x[i]);
        }
        if (kind == VIP_BN_VARIANCE && !(x[i] > 0)) {
            return vip_fail(error, VIPANN_E_FORMAT, "%s: tensor %s: variance %zu is %g, expected more than 0",
                            loader->file, stored->name, i, (double)x[i]);
        }
    }
    return VIPANN_OK;
}

/* The numbers of one member; those of all but member 0 go to where the model keeps the others'. */
static vipann_status
read_member(const vip_loader *loader, uint32_t member, const unsigned char *data, vipann_error *error)
{
    vip_model *model = loader->model;
    float **values = member == 0 ? model->values : model->others[member - 1];
    for (int i = 0; i < model->n_tensors; i++) {
        vip_tensor_kind kind = model->shapes[i].kind;
        vipann_status status = VIPANN_OK;
        if (kind != VIP_BN_COUNT) {
            status = read_values(loader, loader->values[member][i], kind, data, &values[i], error);
        }
        if (status == VIPANN_OK && loader->rho[i] != NULL) {
            status = read_values(loader, loader->rho[i], kind, data, &model->rho[i], error);
        }
        if (status != VIPANN_OK) {
            return status;
        }
    }
    return VIPANN_OK;
}

/* The numbers of the sum's distance. */
static vipann_status
read_prototypes(const vip_loader *loader, const unsigned char *data, vipann_error *error)
{
    vip_sum *sum = &loader->model->calibration.sum;
    if (loader->prototypes == NULL) {
        return VIPANN_OK;
    }
    vipann_status status = read_values(loader, loader->centre, VIP_BN_MEAN, data, &sum->centre, error);
    if (status == VIPANN_OK) {
        status = read_values(loader, loader->prototypes, VIP_LINEAR_WEIGHT, data, &sum->prototypes, error);
    }
    sum->n_prototypes = (uint32_t)loader->prototypes->shape[0];
    return status;
}

vipann_status
vip_loader_finish(vip_loader *loader, const unsigned char *data, vipann_error *error)
{
    if (loader->members > 1) {
        loader->model->others = vip_alloc(loader->members - 1, sizeof *loader->model->others);
        if (loader->model->others == NULL) {
            return vip_fail_memory(error, "the weights of the model");
        }
    }
    vipann_status status = VIPANN_OK;
    for (uint32_t m = 0; m < loader->members && status == VIPANN_OK; m++) {
        status = read_member(loader, m, data, error);
    }
    return status == VIPANN_OK ? read_prototypes(loader, data, error) : status;
}

void
vip_loader_end(vip_loader *loader)
{
    vip_container_close(&loader->container);
    vip_free(loader->values);
    loader->values = NULL;
    vip_model_free(loader->model);
    loader->model = NULL;
}
