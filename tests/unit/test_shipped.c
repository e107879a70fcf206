/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_shipped.c -- the shipped models, end to end: real recordings through decoder, front-end and network give the
 * logits that were computed from the same files in double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/memory.h>
#include <frontend/frontend.h>
#include <nn/pass.h>

enum { PIECE = 256 }; /* frames */

static const struct {
    const char *key, *path;
} shipped[] = {{"audioset", "models/vipann-audioset-r22w16-drop.safetensors"},
               {"esc50", "models/vipann-esc50-r22w16-drop.safetensors"}};

static json_t *expected; /* NULL: the shared data are not there */

static const char *
shared(void)
{
    const char *folder = getenv("VIPANN_SHARED");
    return folder == NULL ? "../shared" : folder;
}

static int
load_expected(void **state)
{
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/bootstrap/expected.json", shared());
    expected = json_load_file(path, 0, NULL);
    return 0;
}

static int
forget_expected(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

static const json_t *
clip(size_t i)
{
    return json_array_get(json_object_get(expected, "clips"), i);
}

static double
number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Reads a clip's sound and sees that this decoder gives the samples that the logits were computed from. */
static float *
read_clip(const json_t *c, size_t *n)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", shared(), json_string_value(json_object_get(c, "path")));
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    float *x = vip_alloc((size_t)info.frames, sizeof *x);
    assert_non_null(x);
    *n = (size_t)sf_readf_float(file, x, info.frames);
    (void)sf_close(file);
    assert_int_equal(*n, json_integer_value(json_object_get(c, "samples")));
    double sum = 0, peak = 0;
    for (size_t i = 0; i < *n; i++) {
        sum += (double)x[i] * (double)x[i];
        peak = fmax(peak, fabs((double)x[i]));
    }
    const json_t *pcm = json_object_get(c, "pcm");
    assert_true(fabs(sqrt(sum / (double)*n) - number(pcm, "rms")) < 1e-6);
    assert_true(fabs(peak - number(pcm, "peak")) < 1e-6);
    return x;
}

/* The whole sound through front-end and deterministic pass; returns the number of frames. */
static int64_t
run(vip_frontend *frontend, vip_pass *pass, const float *x, size_t n, float *logits)
{
    float frames[PIECE * VIP_MELS];
    size_t fed = 0;
    bool ended = false;
    for (;;) {
        const size_t n_frames = vip_frontend_read(frontend, frames, PIECE);
        if (n_frames > 0) {
            vip_pass_push(pass, frames, (uint32_t)n_frames);
        } else if (fed < n) {
            const size_t space = vip_frontend_space(frontend), k = space < n - fed ? space : n - fed;
            vip_frontend_feed(frontend, x + fed, k);
            fed += k;
        } else if (!ended) {
            vip_frontend_end(frontend);
            ended = true;
        } else {
            break;
        }
    }
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, 1, logits);
    return vip_pass_frames(pass);
}

static void
check_model(size_t which)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_model *model = vip_model_read(shipped[which].path, &error);
    assert_string_equal(error.text, "");
    assert_non_null(model);
    vip_weights *weights = vip_weights_new(model, model->values, NULL);
    const vip_pass_options options = {
        .kernels = vip_kernels_choose(NULL), .max_members = 1, .max_frames = PIECE, .max_window = 0};
    vip_pass *pass = vip_pass_new(&model->network, weights, &options);
    const uint32_t classes = model->network.classes;
    float *logits = vip_alloc(classes, sizeof *logits);
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        float *x = read_clip(clip(i), &n);
        vip_frontend *frontend = vip_frontend_new(&model->frontend, number(clip(i), "sample_rate"), NULL);
        vip_pass_reset(pass, 0);
        const int64_t frames = run(frontend, pass, x, n, logits);
        assert_int_equal(frames, (int64_t)number(json_object_get(clip(i), "logmel"), "frames"));
        const json_t *wanted = json_object_get(json_object_get(clip(i), shipped[which].key), "logits");
        assert_int_equal(json_array_size(wanted), classes);
        double worst = 0, largest = 1;
        for (uint32_t k = 0; k < classes; k++) {
            const double z = json_number_value(json_array_get(wanted, k));
            worst = fmax(worst, fabs(z - (double)logits[k]));
            largest = fmax(largest, fabs(z));
        }
        print_message("# %s, clip %zu: largest error %.1e, tolerance %.1e\n", shipped[which].key, i, worst,
                      1e-3 * largest); /* the tolerance that expected.json states */
        assert_true(worst <= 1e-3 * largest);
        vip_frontend_free(frontend);
        vip_free(x);
    }
    vip_free(logits);
    vip_pass_free(pass);
    vip_weights_free(weights);
    vip_model_free(model);
}

static void
test_shipped_models_give_the_expected_logits(void **state)
{
    (void)state;
    if (clip(2) == NULL) {
        print_message("# skipped: %s/bootstrap/expected.json is not there\n", shared());
        skip();
    }
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        check_model(i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_models_give_the_expected_logits)};
    return cmocka_run_group_tests(tests, load_expected, forget_expected);
}
