/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model.c -- see model.h for the contract; writing is in write.c. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/hash.h>
#include <base/memory.h>
#include <base/status.h>

#include "loader.h"
#include "metadata.h"
#include "safetensors.h"

/* ----------------------------------------------------------------------------------------------------- life of a model */

/* Zeros for every tensor that has numbers; false if memory is short. */
static bool
new_values(const vip_model *model, float **values)
{
    bool complete = true;
    for (int i = 0; i < model->n_tensors && complete; i++) {
        if (model->shapes[i].kind != VIP_BN_COUNT) {
            values[i] = vip_alloc(vip_tensor_size(&model->shapes[i]), sizeof *values[i]);
            complete = values[i] != NULL;
        }
    }
    return complete;
}

vip_model *
vip_model_new(vip_arch arch, uint32_t width, uint32_t classes, vip_padding padding)
{
    vip_model *model = vip_alloc(1, sizeof *model);
    if (model == NULL) {
        return NULL;
    }
    vip_network_fill(&model->network, arch, width, classes, padding);
    model->n_tensors = vip_network_tensors(&model->network, model->shapes);
    model->frontend.mels = VIP_MELS;
    model->name = vip_copy_string("");
    model->labels = vip_alloc(classes, sizeof *model->labels);
    if (!vip_metadata_defaults(model) || model->name == NULL || model->labels == NULL ||
        !new_values(model, model->values)) {
        vip_model_free(model);
        return NULL;
    }
    return model;
}

bool
vip_model_make_ensemble(vip_model *model, uint32_t members)
{
    model->posterior = VIPANN_ENSEMBLE;
    model->others = vip_alloc(members - 1, sizeof *model->others);
    model->members = model->others == NULL ? 0 : members;
    bool complete = model->others != NULL;
    for (uint32_t m = 1; m < members && complete; m++) {
        complete = new_values(model, model->others[m - 1]);
    }
    return complete;
}

float *const *
vip_model_values(const vip_model *model, uint32_t member)
{
    return member == 0 ? model->values : model->others[member - 1];
}

void
vip_model_drop_tensors(vip_model *model)
{
    for (int i = 0; i < VIP_MAX_TENSORS; i++) {
        vip_free(model->values[i]);
        vip_free(model->rho[i]);
        model->values[i] = NULL;
        model->rho[i] = NULL;
        for (uint32_t m = 1; model->others != NULL && m < model->members; m++) {
            vip_free(model->others[m - 1][i]);
        }
    }
    vip_free(model->others);
    model->others = NULL;
}

static void
drop_prototypes(vip_sum *sum)
{
    vip_free(sum->centre);
    vip_free(sum->prototypes);
    sum->centre = sum->prototypes = NULL;
    sum->n_prototypes = 0;
}

bool
vip_model_make_prototypes(vip_model *model, uint32_t count)
{
    vip_sum *sum = &model->calibration.sum;
    drop_prototypes(sum);
    sum->centre = vip_alloc(model->network.features, sizeof *sum->centre);
    sum->prototypes = vip_alloc(vip_product(count, model->network.features), sizeof *sum->prototypes);
    if (sum->centre == NULL || sum->prototypes == NULL) {
        drop_prototypes(sum);
        return false;
    }
    sum->n_prototypes = count;
    return true;
}

void
vip_model_prototype_shapes(const vip_model *model, vip_tensor_shape *mean, vip_tensor_shape *prototypes)
{
    const uint32_t features = model->network.features;
    *mean = (vip_tensor_shape){"unknown.mean", VIP_BN_MEAN, 1, {features}};
    *prototypes =
        (vip_tensor_shape){"unknown.prototypes", VIP_LINEAR_WEIGHT, 2, {model->calibration.sum.n_prototypes, features}};
}

void
vip_model_free(vip_model *model)
{
    if (model == NULL) {
        return;
    }
    vip_model_drop_tensors(model);
    for (uint32_t i = 0; model->labels != NULL && i < model->network.classes; i++) {
        vip_free(model->labels[i]);
    }
    vip_free(model->labels);
    vip_free(model->calibration.temperature);
    vip_free(model->calibration.offset);
    vip_free(model->calibration.thresholds);
    vip_free(model->calibration.data);
    drop_prototypes(&model->calibration.sum);
    vip_free(model->name);
    vip_free(model->preset);
    vip_free(model->provenance);
    vip_free(model->license);
    vip_free(model);
}

int
vip_model_tensor(const vip_model *model, const char *name)
{
    for (int i = 0; i < model->n_tensors; i++) {
        if (strcmp(model->shapes[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ------------------------------------------------------------------------------------------------------------ reading */

/* Where the name without folders begins. */
static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

enum { SHOWN = 64, SHOWN_PATH = 160 }; /* bytes of a name in a message, which has to say more than the name */

/* The name, or its end if it is long; returns out. */
static const char *
shown(const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    (void)snprintf(out, size, "%s%s", n < size ? "" : "...", n < size ? name : name + n - (size - sizeof "..."));
    return out;
}

/* The name of a file without folders and suffix; NULL if memory is short. */
static char *
model_name(const char *path)
{
    static const char suffix[] = ".safetensors";
    char *name = vip_copy_string(base_name(path));
    size_t n = name == NULL ? 0 : strlen(name);
    if (n > strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0) {
        name[n - strlen(suffix)] = '\0';
    }
    return name;
}

/* What follows once the loader has begun: the numbers and the names. The model, or NULL. file: the whole of it. */
static vip_model *
finish(vip_loader *loader, const char *path, const unsigned char *file, size_t header_bytes, size_t file_bytes,
       vipann_error *error)
{
    if (vip_loader_finish(loader, file + VIP_LENGTH_BYTES + header_bytes, error) != VIPANN_OK) {
        return NULL;
    }
    vip_model *model = loader->model;
    model->name = model_name(path);
    if (model->name == NULL) {
        vip_fail_memory(error, "reading a model");
        return NULL;
    }
    vip_sha256(file, file_bytes, model->sha256);
    loader->model = NULL;
    return model;
}

static vipann_status
check_size(const char *name, uint64_t bytes, vipann_error *error)
{
    return bytes >= VIP_LENGTH_BYTES
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_FORMAT,
                          "%s: a file of %llu bytes, expected at least %d: this is not a model file", name,
                          (unsigned long long)bytes, VIP_LENGTH_BYTES);
}

vip_model *
vip_model_parse(const char *name, const unsigned char *data, size_t bytes, vipann_error *error)
{
    char text[SHOWN];
    const char *file = shown(base_name(name), text, sizeof text);
    size_t header_bytes;
    if (check_size(file, bytes, error) != VIPANN_OK ||
        vip_container_length(file, data, bytes, &header_bytes, error) != VIPANN_OK) {
        return NULL;
    }
    vip_loader loader;
    vip_model *model = NULL;
    if (vip_loader_begin(&loader, file, (const char *)data + VIP_LENGTH_BYTES, header_bytes,
                         bytes - VIP_LENGTH_BYTES - header_bytes, error) == VIPANN_OK) {
        model = finish(&loader, name, data, header_bytes, bytes, error);
    }
    vip_loader_end(&loader);
    return model;
}

/* Exactly bytes from the file; a shorter file is one that somebody else is changing. */
static vipann_status
read_bytes(int file, const char *path, unsigned char *out, size_t bytes, vipann_error *error)
{
    while (bytes > 0) {
        char text[SHOWN_PATH];
        ssize_t n = read(file, out, bytes < (1 << 30) ? bytes : 1 << 30);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return vip_fail(error, VIPANN_E_IO, "%s: cannot be read: %s", shown(path, text, sizeof text),
                            n < 0 ? strerror(errno) : "it became shorter meanwhile; try again");
        }
        out += n;
        bytes -= (size_t)n;
    }
    return VIPANN_OK;
}

/* The header first, so that only a file that is a model so far is read wholly. */
static vip_model *
read_open_file(int file, const char *path, uint64_t file_bytes, vipann_error *error)
{
    char text[SHOWN];
    const char *name = shown(base_name(path), text, sizeof text);
    unsigned char length[VIP_LENGTH_BYTES];
    size_t header_bytes;
    if (check_size(name, file_bytes, error) != VIPANN_OK ||
        read_bytes(file, path, length, sizeof length, error) != VIPANN_OK ||
        vip_container_length(name, length, file_bytes, &header_bytes, error) != VIPANN_OK) {
        return NULL;
    }
    size_t before_data = VIP_LENGTH_BYTES + header_bytes;
    unsigned char *header = vip_alloc(before_data, 1), *whole = NULL;
    vip_model *model = NULL;
    vip_loader loader = {.model = NULL};
    if (header == NULL) {
        vip_fail_memory(error, "reading a model");
        goto end;
    }
    memcpy(header, length, sizeof length);
    if (read_bytes(file, path, header + VIP_LENGTH_BYTES, header_bytes, error) != VIPANN_OK ||
        vip_loader_begin(&loader, name, (const char *)header + VIP_LENGTH_BYTES, header_bytes, file_bytes - before_data,
                         error) != VIPANN_OK) {
        goto end;
    }
    whole = file_bytes <= SIZE_MAX ? vip_alloc((size_t)file_bytes, 1) : NULL;
    if (whole == NULL) {
        vip_fail_memory(error, "reading a model");
        goto end;
    }
    memcpy(whole, header, before_data);
    if (read_bytes(file, path, whole + before_data, (size_t)file_bytes - before_data, error) == VIPANN_OK) {
        model = finish(&loader, path, whole, header_bytes, (size_t)file_bytes, error);
    }

end:
    vip_loader_end(&loader);
    vip_free(whole);
    vip_free(header);
    return model;
}

vip_model *
vip_model_read(const char *path, vipann_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe must not make anybody wait */
    struct stat about;
    char text[SHOWN_PATH];
    if (file < 0 || fstat(file, &about) != 0) {
        vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s", shown(path, text, sizeof text), strerror(errno));
        if (file >= 0) {
            (void)close(file);
        }
        return NULL;
    }
    vip_model *model = NULL;
    if (!S_ISREG(about.st_mode)) {
        vip_fail(error, VIPANN_E_IO, "%s: is not a regular file; name a model file", shown(path, text, sizeof text));
    } else {
        model = read_open_file(file, path, (uint64_t)about.st_size, error);
    }
    (void)close(file);
    return model;
}
