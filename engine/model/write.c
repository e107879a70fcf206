/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write.c -- writes a model; see model.h and metadata.h for the contracts. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <base/memory.h>
#include <base/status.h>

#include "loader.h"
#include "metadata.h"
#include <base/half.h>

enum { PIECE = 4096 /* numbers that are encoded at a time */, MAX_NAMES = 100 /* tried beside the file */ };

/* ---------------------------------------------------------------------------------------------------------- metadata */

/* Sets object[key] = value and takes the value over; false if either is missing or memory is short. */
static bool
put(json_t *object, const char *key, json_t *value)
{
    return value != NULL && json_object_set_new(object, key, value) == 0;
}

/* The value as text, to be freed with vip_free; NULL if value is, or if memory is short. */
static char *
text_of(const json_t *value)
{
    size_t bytes = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *text = bytes == 0 ? NULL : vip_alloc(bytes + 1, 1);
    if (text != NULL && json_dumpb(value, text, bytes, JSON_COMPACT) != bytes) {
        vip_free(text);
        text = NULL;
    }
    return text;
}

/* Sets object[key] = the text of the JSON value, which it takes over. */
static bool
put_text_of(json_t *object, const char *key, json_t *value)
{
    char *text = text_of(value);
    bool done = text != NULL && put(object, key, json_string(text));
    json_decref(value);
    vip_free(text);
    return done;
}

/* One number if all are the same, else an array; negative numbers are null where the key allows it. */
static json_t *
per_class(const float *x, uint32_t n, bool nullable)
{
    bool same = !nullable || x[0] >= 0;
    for (uint32_t i = 1; i < n && same; i++) {
        same = x[i] == x[0];
    }
    if (same) {
        return json_real((double)x[0]);
    }
    json_t *array = json_array();
    for (uint32_t i = 0; i < n && array != NULL; i++) {
        json_t *number = nullable && x[i] < 0 ? json_null() : json_real((double)x[i]);
        if (json_array_append_new(array, number) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Each that ends in _object or _array returns an object, or NULL if memory is short or a string is not UTF-8. */
static json_t *
kept_if(bool done, json_t *object)
{
    if (!done) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *
frontend_object(const vip_frontend_spec *spec)
{
    json_t *object = json_object();
    bool done = put(object, "name", json_string(spec->name)) &&
                put(object, "sample_rate", json_real(spec->sample_rate)) &&
                put(object, "n_fft", json_integer(spec->n_fft)) && put(object, "hop", json_integer(spec->hop)) &&
                put(object, "mels", json_integer(spec->mels)) && put(object, "fmin", json_real(spec->fmin)) &&
                put(object, "fmax", json_real(spec->fmax)) && put(object, "amin", json_real(spec->amin));
    return kept_if(done, object);
}

static json_t *
posterior_object(const vip_model *model)
{
    static const char *const kinds[] = {[VIPANN_DETERMINISTIC] = "deterministic",
                                        [VIPANN_DROPOUT] = "dropout",
                                        [VIPANN_MEANFIELD] = "meanfield",
                                        [VIPANN_ENSEMBLE] = "ensemble"};
    json_t *object = json_object();
    bool done = put(object, "kind", json_string(kinds[model->posterior]));
    if (done && model->preset[0] != '\0') {
        done = put(object, "preset", json_string(model->preset));
    }
    if (done && model->posterior == VIPANN_MEANFIELD) {
        json_t *prior = json_object();
        done = put(prior, "mu", json_real(model->prior_mu)) && put(prior, "sigma", json_real(model->prior_sigma));
        done = put(object, "prior", kept_if(done, prior));
    }
    if (done && model->posterior == VIPANN_ENSEMBLE) {
        done = put(object, "members", json_integer(model->members));
    }
    if (done && model->posterior == VIPANN_DROPOUT) {
        json_t *rates = json_object();
        for (int i = 0; i < model->network.n_sites && done; i++) {
            done = model->rates[i] <= 0 || put(rates, model->network.sites[i].name, json_real((double)model->rates[i]));
        }
        done = put(object, "rates", kept_if(done, rates));
    }
    return kept_if(done, object);
}

/* The sum of parts, with its limit. */
static json_t *
sum_object(const vip_sum *sum, double limit)
{
    json_t *object = json_object(), *parts = json_array();
    bool done = object != NULL && parts != NULL;
    for (int i = 0; i < VIPANN_N_PARTS && done; i++) {
        if (sum->has[i]) {
            json_t *part = json_object();
            done = put(part, "name", json_string(VIP_PART_NAMES[i])) && put(part, "mean", json_real(sum->mean[i])) &&
                   put(part, "std", json_real(sum->std[i])) && json_array_append(parts, part) == 0;
            json_decref(part);
        }
    }
    done = done && json_object_set(object, "parts", parts) == 0 && put(object, "limit", json_real(limit));
    json_decref(parts);
    return kept_if(done, object);
}

/* Adds `unknown` to the object if there is a limit. */
static bool
put_unknown(json_t *object, const vip_calibration *calibration)
{
    json_t *unknown = json_object();
    bool done = unknown != NULL;
    for (int i = 0; i < VIPANN_N_SCORES && done; i++) {
        const double limit = calibration->unknown[i];
        done = !calibration->has_unknown[i] ||
               put(unknown, VIP_SCORE_KEYS[i],
                   i == VIPANN_SCORE_SUM ? sum_object(&calibration->sum, limit) : json_real(limit));
    }
    if (done && json_object_size(unknown) > 0) {
        return put(object, "unknown", unknown);
    }
    json_decref(unknown);
    return done;
}

static json_t *
calibration_object(const vip_calibration *c, uint32_t classes)
{
    json_t *object = json_object();
    bool done = put(object, "temperature", per_class(c->temperature, classes, false)) &&
                put(object, "offset", per_class(c->offset, classes, false));
    if (done && c->has_deterministic) {
        done = put(object, "temperature_deterministic", json_real((double)c->temperature_deterministic));
    }
    if (done && c->thresholds != NULL) {
        done = put(object, "thresholds", per_class(c->thresholds, classes, true));
    }
    done = done && put_unknown(object, c);
    if (done && c->members != 0) {
        done = put(object, "members", json_integer(c->members));
    }
    if (done && c->window_columns != 0) {
        done = put(object, "window_columns", json_integer(c->window_columns));
    }
    if (done && c->data[0] != '\0') {
        done = put(object, "data", json_string(c->data));
    }
    return kept_if(done, object);
}

static json_t *
labels_array(const vip_model *model)
{
    json_t *array = json_array();
    bool done = array != NULL;
    for (uint32_t i = 0; i < model->network.classes && done; i++) {
        done = json_array_append_new(array, json_string(model->labels[i])) == 0;
    }
    return kept_if(done, array);
}

json_t *
vip_metadata_write(const vip_model *model)
{
    json_t *object = json_object();
    bool done =
        put(object, "vipann.format", json_sprintf("%d", VIP_FORMAT)) &&
        put(object, "vipann.arch", json_string(vip_arch_name(model->network.arch))) &&
        put(object, "vipann.width", json_sprintf("%u", (unsigned)model->network.width)) &&
        put(object, "vipann.padding", json_string(model->network.padding == VIP_CAUSAL ? "causal" : "same")) &&
        put(object, "vipann.task", json_string(model->task == VIPANN_MULTICLASS ? "multiclass" : "multilabel")) &&
        put_text_of(object, "vipann.frontend", frontend_object(&model->frontend)) &&
        put_text_of(object, "vipann.labels", labels_array(model)) &&
        put_text_of(object, "vipann.posterior", posterior_object(model));
    if (done && model->calibration.present) {
        done =
            put_text_of(object, "vipann.calibration", calibration_object(&model->calibration, model->network.classes));
    }
    if (done && model->provenance[0] != '\0') {
        done = put(object, "vipann.provenance", json_string(model->provenance));
    }
    if (done && model->license[0] != '\0') {
        done = put(object, "vipann.license", json_string(model->license));
    }
    return kept_if(done, object);
}

/* ------------------------------------------------------------------------------------------------- order in the file */

/* An array of numbers and how it is stored. */
typedef struct {
    char name[sizeof((vip_tensor_shape *)0)->name + sizeof "member.64..rho"];
    const vip_tensor_shape *shape;
    const float *x;
    size_t n;
    bool half;
} item;

static uint32_t
members_of(const vip_model *model)
{
    return model->posterior == VIPANN_ENSEMBLE ? model->members : 1;
}

static bool
belongs_to_layer(vip_tensor_kind kind)
{
    return kind == VIP_CONV_WEIGHT || kind == VIP_LINEAR_WEIGHT || kind == VIP_LINEAR_BIAS;
}

static bool
has_prototypes(const vip_model *model)
{
    return model->calibration.present && model->calibration.has_unknown[VIPANN_SCORE_SUM] &&
           model->calibration.sum.has[VIPANN_PART_DISTANCE] && model->calibration.sum.n_prototypes > 0;
}

static void
add_item(item *to, const char *prefix, const vip_tensor_shape *shape, const char *suffix, const float *x, bool half)
{
    (void)snprintf(to->name, sizeof to->name, "%s%s%s", prefix, shape->name, suffix);
    to->shape = shape;
    to->x = x;
    to->half = half && belongs_to_layer(shape->kind);
    to->n = vip_tensor_size(shape);
}

/* The tensors of one member that are stored in two bytes per number (narrow), or those that are in four. */
static size_t
list_member(const vip_model *model, uint32_t member, bool half, bool narrow, item *items)
{
    char prefix[sizeof "member.4294967295."] = "";
    if (model->posterior == VIPANN_ENSEMBLE) {
        (void)snprintf(prefix, sizeof prefix, "member.%u.", (unsigned)member);
    }
    float *const *values = vip_model_values(model, member);
    size_t n = 0;
    for (int i = 0; i < model->n_tensors; i++) {
        const vip_tensor_shape *shape = &model->shapes[i];
        if (shape->kind == VIP_BN_COUNT || (half && belongs_to_layer(shape->kind)) != narrow) {
            continue;
        }
        add_item(&items[n++], prefix, shape, model->rho[i] == NULL ? "" : ".mu", values[i], half);
        if (model->rho[i] != NULL) {
            add_item(&items[n++], prefix, shape, ".rho", model->rho[i], half);
        }
    }
    return n;
}

/* What the distance is measured with; prototypes may be narrow. shapes: of two tensors, which the items refer to. */
static size_t
list_prototypes(const vip_model *model, bool half, bool narrow, const vip_tensor_shape *shapes, item *items)
{
    const vip_sum *sum = &model->calibration.sum;
    size_t n = 0;
    if (has_prototypes(model) && !narrow) {
        add_item(&items[n++], "", &shapes[0], "", sum->centre, false);
    }
    if (has_prototypes(model) && half == narrow) {
        add_item(&items[n++], "", &shapes[1], "", sum->prototypes, half);
    }
    return n;
}

/* Numbers of four bytes first, so that all lie where their width wants them. */
static size_t
list_items(const vip_model *model, bool half, const vip_tensor_shape *shapes, item *items)
{
    size_t n = 0;
    for (int narrow = 0; narrow < 2; narrow++) {
        for (uint32_t m = 0; m < members_of(model); m++) {
            n += list_member(model, m, half, narrow == 1, items + n);
        }
        n += list_prototypes(model, half, narrow == 1, shapes, items + n);
    }
    return n;
}

static json_t *
item_object(const item *what, uint64_t begin, uint64_t end)
{
    json_t *shape = json_array(), *offsets = json_array(), *object = json_object();
    bool done = shape != NULL && offsets != NULL && object != NULL;
    for (int i = 0; i < what->shape->rank && done; i++) {
        done = json_array_append_new(shape, json_integer(what->shape->shape[i])) == 0;
    }
    done = done && json_array_append_new(offsets, json_integer((json_int_t)begin)) == 0 &&
           json_array_append_new(offsets, json_integer((json_int_t)end)) == 0 &&
           put(object, "dtype", json_string(vip_dtype_name(what->half ? VIP_F16 : VIP_F32))) &&
           json_object_set(object, "shape", shape) == 0 && json_object_set(object, "data_offsets", offsets) == 0;
    json_decref(shape);
    json_decref(offsets);
    return kept_if(done, object);
}

/* The header's text, to be freed with vip_free, or NULL; *data_bytes: what follows it. */
static char *
header_text(const vip_model *model, const item *items, size_t n, uint64_t *data_bytes)
{
    json_t *header = json_object();
    bool done = put(header, "__metadata__", vip_metadata_write(model));
    uint64_t at = 0;
    for (size_t i = 0; i < n && done; i++) {
        uint64_t end = at + items[i].n * (items[i].half ? 2 : 4);
        done = put(header, items[i].name, item_object(&items[i], at, end));
        at = end;
    }
    char *text = done ? text_of(header) : NULL;
    json_decref(header);
    *data_bytes = at;
    return text;
}

/* ------------------------------------------------------------------------------------------------------------ writing */

/* What the reader would object to, found before the disk is touched. */
static vipann_status
check_header(const char *header, uint64_t data_bytes, vipann_error *error)
{
    vip_loader loader;
    vipann_status status = vip_loader_begin(&loader, "the model", header, strlen(header), data_bytes, error);
    vip_loader_end(&loader);
    if (status == VIPANN_OK || status == VIPANN_E_MEMORY) {
        return status;
    }
    if (error != NULL) {
        error->status = VIPANN_E_ARG;
    }
    return VIPANN_E_ARG;
}

static vipann_status
check_numbers(const item *items, size_t n, vipann_error *error)
{
    for (size_t k = 0; k < n; k++) {
        const item *what = &items[k];
        for (size_t i = 0; i < what->n; i++) {
            float x = what->x[i];
            if (!isfinite(what->half ? vip_half_to_float(vip_float_to_half(x)) : x)) {
                return vip_fail(error, VIPANN_E_ARG, "the model: tensor %s: number %zu is %g, which %s cannot hold",
                                what->name, i, (double)x, what->half ? "F16" : "a model");
            }
            if (what->shape->kind == VIP_BN_VARIANCE && !(x > 0)) {
                return vip_fail(error, VIPANN_E_ARG, "the model: tensor %s: variance %zu is %g, expected more than 0",
                                what->name, i, (double)x);
            }
        }
    }
    return VIPANN_OK;
}

/* Why there is no header: the library of JSON does not say. */
static vipann_status
explain_no_header(vipann_error *error)
{
    enum { ENOUGH = 1 << 20 }; /* bytes */
    void *block = vip_alloc(ENOUGH, 1);
    vip_free(block);
    return block == NULL ? vip_fail_memory(error, "writing a model")
                         : vip_fail(error, VIPANN_E_ARG,
                                    "the model: a text is missing or not UTF-8, or a number outside the tensors is not "
                                    "finite");
}

static bool
write_bytes(int file, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    while (n > 0) {
        ssize_t written = write(file, at, n);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool
write_item(int file, const item *what)
{
    unsigned char bytes[4 * PIECE];
    for (size_t done = 0; done < what->n; done += PIECE) {
        size_t n = what->n - done < PIECE ? what->n - done : PIECE;
        size_t width = what->half ? 2 : 4;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            if (what->half) {
                bits = vip_float_to_half(what->x[done + i]);
            } else {
                memcpy(&bits, &what->x[done + i], sizeof bits);
            }
            for (size_t k = 0; k < width; k++) {
                bytes[width * i + k] = (unsigned char)(bits >> (8 * k));
            }
        }
        if (!write_bytes(file, bytes, width * n)) {
            return false;
        }
    }
    return true;
}

/* Spaces behind the header let the data begin at a multiple of eight bytes. */
static bool
write_all(int file, const char *header, const item *items, size_t n)
{
    size_t length = strlen(header), padding = (8 - length % 8) % 8;
    unsigned char first[VIP_LENGTH_BYTES];
    for (int i = 0; i < VIP_LENGTH_BYTES; i++) {
        first[i] = (unsigned char)((uint64_t)(length + padding) >> (8 * i));
    }
    bool done = write_bytes(file, first, sizeof first) && write_bytes(file, header, length) &&
                write_bytes(file, "        ", padding);
    for (size_t i = 0; i < n && done; i++) {
        done = write_item(file, &items[i]);
    }
    return done && fsync(file) == 0;
}

/* The name in its folder is as lasting as the file only once the folder is on the disk too. */
static bool
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? vip_copy_string(".") : vip_copy_string(path);
    if (folder == NULL) {
        return false;
    }
    if (slash != NULL) {
        folder[slash == path ? 1 : slash - path] = '\0';
    }
    int file = open(folder, O_RDONLY | O_CLOEXEC);
    vip_free(folder);
    bool done = file >= 0 &&
                (fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP); /* some file systems have no such thing */
    if (file >= 0) {
        (void)close(file);
    }
    return done;
}

/* A new file whose name is `path` with something behind it, written to `name`; -1 if there can be none. */
static int
open_beside(const char *path, char *name, size_t size)
{
    int file = -1;
    for (int i = 0; i < MAX_NAMES && file < 0; i++) {
        (void)snprintf(name, size, "%s.part%d", path, i);
        file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST) {
            break;
        }
    }
    return file;
}

static vipann_status
write_file(const char *path, const char *header, const item *items, size_t n, vipann_error *error)
{
    size_t size = strlen(path) + sizeof ".part99";
    char *name = vip_alloc(size, 1);
    if (name == NULL) {
        return vip_fail_memory(error, "writing a model");
    }
    int file = open_beside(path, name, size);
    bool done = file >= 0 && write_all(file, header, items, n);
    int reason = errno;
    if (file >= 0 && close(file) != 0 && done) {
        done = false;
        reason = errno;
    }
    if (done && rename(name, path) != 0) {
        done = false;
        reason = errno;
    }
    if (!done && file >= 0) {
        (void)unlink(name);
    }
    vip_free(name);
    if (done && !sync_folder(path)) {
        done = false;
        reason = errno;
    }
    return done ? VIPANN_OK : vip_fail(error, VIPANN_E_IO, "cannot write: %s: %.180s", strerror(reason), path);
}

vipann_status
vip_model_write(const vip_model *model, const char *path, bool half, vipann_error *error)
{
    uint64_t data_bytes;
    vip_tensor_shape shapes[2];
    item *items = vip_alloc(vip_product(2 * VIP_MAX_TENSORS, members_of(model) + 1), sizeof *items);
    if (items == NULL) {
        return vip_fail_memory(error, "writing a model");
    }
    vip_model_prototype_shapes(model, &shapes[0], &shapes[1]);
    size_t n = list_items(model, half, shapes, items);
    char *header = header_text(model, items, n, &data_bytes);
    vipann_status status = header == NULL ? explain_no_header(error) : check_header(header, data_bytes, error);
    if (status == VIPANN_OK) {
        status = check_numbers(items, n, error);
    }
    if (status == VIPANN_OK) {
        status = write_file(path, header, items, n, error);
    }
    vip_free(header);
    vip_free(items);
    return status;
}
