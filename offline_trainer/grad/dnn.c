/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dnn.c -- see dnn.h for the contract. */
#include "dnn.h"

#include "bf16.h"

#include <base/memory.h>
#include <base/status.h>

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

struct vip_dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

enum { FLOATS_PER_LINE = VIP_ALIGNMENT / sizeof(float) };

/* A primitive, its arguments, and the memory objects that point at them for one call. */
enum { MOST_ARGUMENTS = 4 };
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int n;
} job;

struct vip_dnn_conv {
    vip_dnn *dnn;
    vip_dnn_shape shape;
    uint32_t in, out; /* padded */
    job forward, backward_data, backward_weights, pack_forward, pack_backward, unpack;
    size_t packed; /* floats */
    size_t work;   /* floats of scratch that oneDNN wants */
    size_t plain;  /* floats of plain weights, padded */
};

static size_t
whole_lines(size_t floats)
{
    return (floats + FLOATS_PER_LINE - 1) / FLOATS_PER_LINE * FLOATS_PER_LINE;
}

vip_dnn *
vip_dnn_new(vipann_error *error)
{
    vip_dnn *dnn = vip_alloc(1, sizeof *dnn);
    if (dnn == NULL) {
        (void)vip_fail_memory(error, "oneDNN");
        return NULL;
    }
    if (dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&dnn->stream, dnn->engine, dnnl_stream_default_flags) != dnnl_success) {
        (void)vip_fail(error, VIPANN_E_UNSUPPORTED, "oneDNN cannot use this processor; it is needed for training");
        vip_dnn_free(dnn);
        return NULL;
    }
    return dnn;
}

void
vip_dnn_free(vip_dnn *dnn)
{
    if (dnn != NULL) {
        if (dnn->stream != NULL) {
            (void)dnnl_stream_destroy(dnn->stream);
        }
        if (dnn->engine != NULL) {
            (void)dnnl_engine_destroy(dnn->engine);
        }
        vip_free(dnn);
    }
}

/* ---------------------------------------------------------------------------------------------------------- planning */

static bool
add_argument(const vip_dnn *dnn, job *j, int name, const dnnl_memory_desc_t *shape)
{
    dnnl_exec_arg_t *argument = &j->arguments[j->n];
    argument->arg = name;
    if (dnnl_memory_create(&argument->memory, shape, dnn->engine, DNNL_MEMORY_NONE) != dnnl_success) {
        return false;
    }
    j->n++;
    return true;
}

static void
free_job(job *j)
{
    for (int i = 0; i < j->n; i++) {
        (void)dnnl_memory_destroy(j->arguments[i].memory);
    }
    if (j->primitive != NULL) {
        (void)dnnl_primitive_destroy(j->primitive);
    }
}

static size_t
floats_of(const dnnl_memory_desc_t *shape)
{
    return (dnnl_memory_desc_get_size(shape) + sizeof(float) - 1) / sizeof(float);
}

/* The shapes of a convolution's data; weights are in the form that oneDNN likes best. */
typedef struct {
    dnnl_memory_desc_t x, y, any, plain;
} descriptions;

static bool
describe(const vip_dnn_conv *conv, descriptions *d)
{
    const vip_dnn_shape *s = &conv->shape;
    const dnnl_dims_t x = {s->rows, conv->in, s->columns, s->bins}, y = {s->rows, conv->out, s->columns, s->bins};
    const dnnl_dims_t w = {conv->out, conv->in, s->kernel, s->kernel};
    const dnnl_format_tag_t tag_x = conv->in == 1 ? dnnl_nchw : dnnl_nChw8c;
    return dnnl_memory_desc_init_by_tag(&d->x, 4, x, dnnl_f32, tag_x) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->y, 4, y, dnnl_f32, dnnl_nChw8c) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->any, 4, w, dnnl_f32, dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->plain, 4, w, dnnl_f32, dnnl_oihw) == dnnl_success;
}

/* Makes the primitive with its three data arguments and scratch; *weights is the shape that it wants. */
static bool
plan(vip_dnn_conv *conv, job *j, const dnnl_convolution_desc_t *what, const_dnnl_primitive_desc_t hint,
     const descriptions *d, const int names[3], dnnl_query_t query, dnnl_memory_desc_t *weights,
     dnnl_primitive_desc_t *keep)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t found = NULL;
    bool good = dnnl_primitive_attr_create(&attributes) == dnnl_success &&
                dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) == dnnl_success &&
                dnnl_primitive_desc_create(&found, what, attributes, conv->dnn->engine, hint) == dnnl_success;
    if (good) {
        *weights = *dnnl_primitive_desc_query_md(found, query, 0);
        const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(found, dnnl_query_scratchpad_md, 0);
        conv->work = conv->work > floats_of(scratch) ? conv->work : whole_lines(floats_of(scratch));
        conv->packed = conv->packed > floats_of(weights) ? conv->packed : whole_lines(floats_of(weights));
        const dnnl_memory_desc_t *shapes[] = {&d->x, weights, &d->y};
        good = dnnl_primitive_create(&j->primitive, found) == dnnl_success;
        for (int i = 0; i < 3 && good; i++) {
            good = add_argument(conv->dnn, j, names[i], shapes[i]);
        }
        good = good && add_argument(conv->dnn, j, DNNL_ARG_SCRATCHPAD, scratch);
    }
    if (good && keep != NULL) {
        *keep = found;
    } else if (found != NULL) {
        (void)dnnl_primitive_desc_destroy(found);
    }
    (void)dnnl_primitive_attr_destroy(attributes);
    return good;
}

static bool
plan_reorder(const vip_dnn *dnn, job *j, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t found = NULL;
    if (dnnl_reorder_primitive_desc_create(&found, from, dnn->engine, to, dnn->engine, NULL) != dnnl_success) {
        return false;
    }
    const bool good = dnnl_primitive_create(&j->primitive, found) == dnnl_success &&
                      add_argument(dnn, j, DNNL_ARG_FROM, from) && add_argument(dnn, j, DNNL_ARG_TO, to);
    (void)dnnl_primitive_desc_destroy(found);
    return good;
}

static bool
plan_all(vip_dnn_conv *conv)
{
    const vip_dnn_shape *s = &conv->shape;
    const bool wide = s->kernel == 3;
    const dnnl_dims_t strides = {1, 1};
    const dnnl_dims_t before = {wide ? s->left : 0, wide ? 1 : 0}, behind = {wide ? s->right : 0, wide ? 1 : 0};
    descriptions d;
    dnnl_convolution_desc_t forward, data, weights;
    if (!describe(conv, &d) ||
        dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct, &d.x, &d.any, NULL,
                                           &d.y, strides, before, behind) != dnnl_success ||
        dnnl_convolution_backward_data_desc_init(&data, dnnl_convolution_direct, &d.x, &d.any, &d.y, strides, before,
                                                 behind) != dnnl_success ||
        dnnl_convolution_backward_weights_desc_init(&weights, dnnl_convolution_direct, &d.x, &d.any, NULL, &d.y,
                                                    strides, before, behind) != dnnl_success) {
        return false;
    }
    static const int names_forward[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    static const int names_data[] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST};
    static const int names_weights[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST};
    dnnl_primitive_desc_t hint = NULL;
    dnnl_memory_desc_t packed;
    bool good = plan(conv, &conv->forward, &forward, NULL, &d, names_forward, dnnl_query_weights_md, &packed, &hint) &&
                plan_reorder(conv->dnn, &conv->pack_forward, &d.plain, &packed);
    if (good && conv->in > 1) {
        good = plan(conv, &conv->backward_data, &data, hint, &d, names_data, dnnl_query_weights_md, &packed, NULL) &&
               plan_reorder(conv->dnn, &conv->pack_backward, &d.plain, &packed) &&
               plan(conv, &conv->backward_weights, &weights, hint, &d, names_weights, dnnl_query_diff_weights_md,
                    &packed, NULL) &&
               plan_reorder(conv->dnn, &conv->unpack, &packed, &d.plain);
    }
    if (hint != NULL) {
        (void)dnnl_primitive_desc_destroy(hint);
    }
    return good;
}

vip_dnn_conv *
vip_dnn_conv_new(vip_dnn *dnn, const vip_dnn_shape *shape, vipann_error *error)
{
    vip_dnn_conv *conv = vip_alloc(1, sizeof *conv);
    if (conv == NULL) {
        (void)vip_fail_memory(error, "a convolution");
        return NULL;
    }
    conv->dnn = dnn;
    conv->shape = *shape;
    conv->in = vip_padded(shape->in);
    conv->out = (shape->out + VIP_LANES - 1) / VIP_LANES * VIP_LANES;
    conv->plain = whole_lines((size_t)conv->in * conv->out * shape->kernel * shape->kernel);
    if (!plan_all(conv)) {
        (void)vip_fail(error, VIPANN_E_UNSUPPORTED,
                       "oneDNN has no convolution of %u to %u channels over %u columns and %u bins here", shape->in,
                       shape->out, shape->columns, shape->bins);
        vip_dnn_conv_free(conv);
        return NULL;
    }
    return conv;
}

void
vip_dnn_conv_free(vip_dnn_conv *conv)
{
    if (conv != NULL) {
        job *const jobs[] = {&conv->forward,      &conv->backward_data, &conv->backward_weights,
                             &conv->pack_forward, &conv->pack_backward, &conv->unpack};
        for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
            free_job(jobs[i]);
        }
        vip_free(conv);
    }
}

size_t
vip_dnn_packed(const vip_dnn_conv *conv)
{
    return conv->packed;
}

size_t
vip_dnn_scratch(const vip_dnn_conv *conv)
{
    return conv->work + conv->packed + conv->plain;
}

/* ------------------------------------------------------------------------------------------------------------ passes */

static bool
run(const vip_dnn_conv *conv, const job *j, void *const *data)
{
    for (int i = 0; i < j->n; i++) {
        if (dnnl_memory_set_data_handle(j->arguments[i].memory, data[i]) != dnnl_success) {
            return false;
        }
    }
    return dnnl_primitive_execute(j->primitive, conv->dnn->stream, j->n, j->arguments) == dnnl_success &&
           dnnl_stream_wait(conv->dnn->stream) == dnnl_success;
}

static bool
is_padded(const vip_dnn_conv *conv)
{
    return conv->in != conv->shape.in || conv->out != conv->shape.out;
}

/* Copies the weights of all pairs of channels between the shape as it is and the padded one. */
static void
copy_weights(const vip_dnn_conv *conv, const float *from, uint32_t from_in, float *to, uint32_t to_in)
{
    const size_t area = (size_t)conv->shape.kernel * conv->shape.kernel;
    for (uint32_t o = 0; o < conv->shape.out; o++) {
        memcpy(to + o * to_in * area, from + o * from_in * area, conv->shape.in * area * sizeof *to);
    }
}

static bool
pack(const vip_dnn_conv *conv, const job *j, const float *plain, float *packed, float *scratch)
{
    const float *from = plain;
    if (is_padded(conv) || conv->shape.bf16) {
        memset(scratch, 0, conv->plain * sizeof *scratch);
        copy_weights(conv, plain, conv->shape.in, scratch, conv->in);
        from = scratch;
    }
    for (size_t i = 0; i < conv->plain && conv->shape.bf16; i++) {
        scratch[i] = vip_bf16(scratch[i]);
    }
    void *data[] = {(void *)(uintptr_t)from, packed}; /* oneDNN's arguments know no const */
    return run(conv, j, data);
}

bool
vip_dnn_pack_forward(const vip_dnn_conv *conv, const float *plain, float *packed, float *scratch)
{
    return pack(conv, &conv->pack_forward, plain, packed, scratch);
}

bool
vip_dnn_pack_backward(const vip_dnn_conv *conv, const float *plain, float *packed, float *scratch)
{
    return conv->in == 1 || pack(conv, &conv->pack_backward, plain, packed, scratch);
}

bool
vip_dnn_forward(const vip_dnn_conv *conv, const float *x, const float *packed, float *y, float *scratch)
{
    void *data[] = {(void *)(uintptr_t)x, (void *)(uintptr_t)packed, y, scratch};
    return run(conv, &conv->forward, data);
}

bool
vip_dnn_backward_data(const vip_dnn_conv *conv, const float *dy, const float *packed, float *dx, float *scratch)
{
    void *data[] = {dx, (void *)(uintptr_t)packed, (void *)(uintptr_t)dy, scratch};
    return run(conv, &conv->backward_data, data);
}

bool
vip_dnn_backward_weights(const vip_dnn_conv *conv, const float *x, const float *dy, float *gradient, float *scratch)
{
    float *packed = scratch + conv->work, *plain = packed + conv->packed;
    void *data[] = {(void *)(uintptr_t)x, packed, (void *)(uintptr_t)dy, scratch};
    void *unpacked[] = {packed, is_padded(conv) ? plain : gradient};
    if (!run(conv, &conv->backward_weights, data) || !run(conv, &conv->unpack, unpacked)) {
        return false;
    }
    if (is_padded(conv)) {
        copy_weights(conv, plain, conv->in, gradient, conv->shape.in);
    }
    return true;
}

void
vip_dnn_product(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, const float *a, const float *b,
                bool add, float *c)
{
    (void)dnnl_sgemm(a_transposed ? 'T' : 'N', b_transposed ? 'T' : 'N', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k,
                     1.0f, a, (dnnl_dim_t)(a_transposed ? m : k), b, (dnnl_dim_t)(b_transposed ? k : n),
                     add ? 1.0f : 0.0f, c, (dnnl_dim_t)n);
}
