/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_import.c -- checkpoints become models: those of the reference, and ours in every form they may have. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/half.h>
#include <base/memory.h>
#include <bayes/members.h>
#include <frontend/frontend.h>
#include <kernels/kernels.h>
#include <model/safetensors.h>
#include <nn/pass.h>
#include <offline_trainer/import/convert.h>

#include "tests/data/random_model.h"
#include "torch_file.h"

enum { MOST_PATH = 512, MOST_CLASSES = 16 };

/* ------------------------------------------------------------------------------------------------------ the reference */

/* Folder of the reference's checkpoints, or NULL after saying that there is none. */
static const char *
reference(char out[MOST_PATH], const char *file)
{
    const char *shared = getenv("VIPANN_SHARED") != NULL ? getenv("VIPANN_SHARED") : "../shared";
    (void)snprintf(out, MOST_PATH, "%s/reference/checkpoints/%s", shared, file);
    if (access(out, R_OK) != 0) {
        print_message("skipped: no %s; VIPANN_SHARED names another folder\n", out);
        return NULL;
    }
    return out;
}

/* What the reference stored: a file of tensors of float. */
typedef struct {
    unsigned char *bytes;
    vip_container container;
    const unsigned char *data;
} stored;

static bool
stored_open(stored *s)
{
    char path[MOST_PATH];
    if (reference(path, "expected.safetensors") == NULL) {
        return false;
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const size_t n = (size_t)ftell(file);
    rewind(file);
    s->bytes = malloc(n);
    assert_non_null(s->bytes);
    assert_int_equal(fread(s->bytes, 1, n, file), n);
    (void)fclose(file);
    size_t header;
    vipann_error error;
    assert_int_equal(vip_container_length(path, s->bytes, n, &header, &error), VIPANN_OK);
    s->data = s->bytes + VIP_LENGTH_BYTES + header;
    assert_int_equal(vip_container_open(&s->container, path, (const char *)s->bytes + VIP_LENGTH_BYTES, header,
                                        n - VIP_LENGTH_BYTES - header, &error),
                     VIPANN_OK);
    return true;
}

static void
stored_close(stored *s)
{
    vip_container_close(&s->container);
    free(s->bytes);
}

/* The tensor's numbers, to be freed with free. */
static float *
stored_get(const stored *s, const char *name, size_t *n)
{
    const vip_stored *tensor = vip_container_find(&s->container, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, VIP_F32);
    *n = (size_t)(tensor->end - tensor->begin) / sizeof(float);
    float *numbers = malloc(*n * sizeof *numbers);
    assert_non_null(numbers);
    memcpy(numbers, s->data + tensor->begin, *n * sizeof *numbers);
    return numbers;
}

static void
hear(const vip_model *model, float *const *values, const float *frames, size_t n_frames, float *logits)
{
    vip_weights *weights = vip_weights_new(model, values, NULL);
    const vip_pass_options options = {
        .kernels = vip_kernels_choose(NULL), .max_members = 1, .max_frames = (uint32_t)n_frames, .max_window = 0};
    assert_non_null(weights);
    vip_pass *pass = vip_pass_new(&model->network, weights, &options);
    assert_non_null(pass);
    vip_pass_push(pass, frames, (uint32_t)n_frames);
    vip_pass_finish(pass, true);
    vip_pass_answer(pass, vip_pass_columns(pass), 0, 1, logits);
    vip_pass_free(pass);
    vip_weights_free(weights);
}

/* Heard from the reference's frames within 1e-4, from its wave within 1e-3 of the largest logit or of 1. */
static void
assert_logits(const stored *s, const vip_model *model, float *const *values, const char *name)
{
    size_t n_frames, n, n_wave;
    float *frames = stored_get(s, "logmel", &n_frames), *expected = stored_get(s, name, &n);
    float *wave = stored_get(s, "wave", &n_wave);
    float logits[2][MOST_CLASSES], largest = 1;
    n_frames /= VIP_MELS;
    assert_int_equal(n, model->network.classes);
    hear(model, values, frames, n_frames, logits[0]);

    vip_frontend *frontend = vip_frontend_new(&model->frontend, 16000, NULL);
    assert_non_null(frontend);
    size_t read = 0;
    for (size_t done = 0; done < n_wave || read < n_frames;) {
        const size_t space = vip_frontend_space(frontend), left = n_wave - done;
        vip_frontend_feed(frontend, wave + done, space < left ? space : left);
        done += space < left ? space : left;
        if (done == n_wave) {
            vip_frontend_end_plain(frontend);
        }
        read += vip_frontend_read(frontend, frames + read * VIP_MELS, n_frames - read);
    }
    vip_frontend_free(frontend);
    hear(model, values, frames, n_frames, logits[1]);

    for (size_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(expected[i]));
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(fabsf(logits[0][i] - expected[i]) <= 1e-4f * largest);
        assert_true(fabsf(logits[1][i] - expected[i]) <= 1e-3f * largest);
    }
    free(frames);
    free(expected);
    free(wave);
}

static vip_model *
import_reference(const char *file, const vip_model *trunk, vip_converted *found)
{
    char path[MOST_PATH];
    vip_torch torch;
    vipann_error error = {VIPANN_OK, ""};
    const vip_convert_options options = {.frontend = VIP_FRONTEND_OF_FILE, .trunk = trunk};
    assert_non_null(reference(path, file));
    assert_int_equal(vip_torch_open(&torch, path, &error), VIPANN_OK);
    vip_model *model = vip_convert(&torch, &options, found, &error);
    vip_torch_close(&torch);
    assert_string_equal(error.text, "");
    assert_non_null(model);
    return model;
}

static void
test_the_reference_checkpoints_give_their_logits(void **state)
{
    (void)state;
    static const struct {
        const char *file, *logits;
        vip_arch arch;
        vipann_posterior posterior;
        size_t bayesian, left_out;
    } table[] = {
        {"panns_legacy.pth", "logits.panns_legacy", VIP_RESNET22, VIPANN_DETERMINISTIC, 0, 3},
        {"panns_zip.pth", "logits.panns_zip", VIP_RESNET54, VIPANN_DETERMINISTIC, 0, 3},
        {"vipann_flipout.pth", "logits.vipann_flipout.mean", VIP_RESNET54, VIPANN_MEANFIELD, 56, 6},
    };
    stored s;
    if (!stored_open(&s)) {
        skip();
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vip_converted found;
        vip_model *model = import_reference(table[i].file, NULL, &found);
        assert_int_equal(model->network.arch, table[i].arch);
        assert_int_equal(model->network.width, 2);
        assert_int_equal(model->posterior, table[i].posterior);
        assert_int_equal(found.bayesian_convs, table[i].bayesian);
        assert_int_equal(found.bayesian_linears, 0);
        assert_int_equal(found.left_out, table[i].left_out);
        assert_true(found.recognised);
        assert_string_equal(model->frontend.name, "panns16k");
        assert_logits(&s, model, model->values, table[i].logits);
        vip_model_free(model);
    }
    stored_close(&s);
}

static void
test_the_posterior_of_the_reference_gives_its_draw(void **state)
{
    (void)state;
    stored s;
    if (!stored_open(&s)) {
        skip();
    }
    vip_converted found;
    vip_model *model = import_reference("vipann_flipout.pth", NULL, &found);
    vip_tensors drawn = vip_draw_weights(model, 99, 0);
    assert_non_null(drawn);
    assert_logits(&s, model, drawn, "logits.vipann_flipout.draw0");
    vip_tensors_free(drawn);
    vip_model_free(model);
    stored_close(&s);
}

/* The stored head was made for the network of vipann_flipout.pth: with it for a trunk both have the same mean. */
static void
test_a_head_finds_its_trunk(void **state)
{
    (void)state;
    stored s;
    if (!stored_open(&s)) {
        skip();
    }
    vip_converted found;
    vip_model *trunk = import_reference("vipann_flipout.pth", NULL, &found);
    vip_model *model = import_reference("vipann_head.pth", trunk, &found);
    assert_true(found.head_only);
    assert_int_equal(found.bayesian_linears, 4);
    assert_logits(&s, model, model->values, "logits.vipann_flipout.mean");
    size_t n;
    float *rho = stored_get(&s, "head.rho.fc1.bias", &n);
    assert_int_equal(n, 64);
    assert_memory_equal(model->rho[vip_model_tensor(model, "fc1.bias")], rho, n * sizeof *rho);
    const int conv = vip_model_tensor(model, "conv_block1.conv1.weight");
    assert_memory_equal(model->rho[conv], trunk->rho[conv], vip_tensor_size(&model->shapes[conv]) * sizeof(float));
    free(rho);
    vip_model_free(model);
    vip_model_free(trunk);
    stored_close(&s);
}

static void
test_the_bad_files_of_the_reference_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *message;
    } table[] = {
        {"hostile_reduce.pth", "hostile_reduce.pth: byte 137: names os.system, which has no place in a checkpoint; "
                               "nothing was run, do not trust the file"},
        {"hostile_reduce_zip.pth",
         "hostile_reduce_zip.pth: byte 63: names os.system, which has no place in a checkpoint; "
         "nothing was run, do not trust the file"},
        {"hostile_bounds.pth", "hostile_bounds.pth: byte 239: a tensor reaches beyond its storage of 4 elements"},
        {"truncated.pth",
         "truncated.pth: storage '92014496' of 1000 elements goes on behind the end of the file, which "
         "is cut off; copy it again"},
        {"truncated_zip.pth",
         "truncated_zip.pth: the directory of the zip file is missing: it is cut off; copy the file again"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[MOST_PATH];
        vip_torch torch;
        vipann_error error;
        if (reference(path, table[i].file) == NULL) {
            skip();
        }
        assert_int_equal(vip_torch_open(&torch, path, &error), VIPANN_E_FORMAT);
        vip_torch_close(&torch);
        assert_string_equal(error.text, table[i].message);
        assert_int_not_equal(access("hostile_was_here", F_OK), 0);
    }
}

/* --------------------------------------------------------------------------------------------------------------- ours */

static vip_model *
tiny(vip_arch arch, vipann_posterior posterior)
{
    const random_model_spec spec = {arch, 1, 3, VIP_SAME, posterior, VIPANN_MULTILABEL, 5};
    vip_model *model = random_model(&spec);
    assert_non_null(model);
    return model;
}

/* Converts the bytes, which it frees; what is said if they are refused, else "". */
static vip_model *
convert(torch_bytes bytes, const vip_convert_options *options, vip_converted *found, vipann_error *error)
{
    vip_torch torch;
    *error = (vipann_error){VIPANN_OK, ""};
    vip_model *model = NULL;
    if (vip_torch_parse(&torch, "folder/a.pth", bytes.all, bytes.n, error) == VIPANN_OK) {
        model = vip_convert(&torch, options, found, error);
    }
    vip_torch_close(&torch);
    torch_bytes_free(&bytes);
    assert_true((model == NULL) == (error->status != VIPANN_OK));
    return model;
}

static float
rounded(vip_element element, float x)
{
    if (element == VIP_ELEMENT_HALF) {
        return vip_half_to_float(vip_float_to_half(x));
    }
    return element == VIP_ELEMENT_BFLOAT ? vip_float_of_bits(vip_bits_of_float(x) & 0xffff0000) : x;
}

static void
assert_same_numbers(const vip_model *model, const vip_model *expected, vip_element element)
{
    assert_int_equal(model->n_tensors, expected->n_tensors);
    for (int i = 0; i < model->n_tensors; i++) {
        const size_t n = vip_tensor_size(&model->shapes[i]);
        assert_true((model->rho[i] == NULL) == (expected->rho[i] == NULL));
        for (size_t k = 0; k < n && model->values[i] != NULL; k++) {
            assert_true(model->values[i][k] == rounded(element, expected->values[i][k]));
            assert_true(model->rho[i] == NULL || model->rho[i][k] == rounded(element, expected->rho[i][k]));
        }
    }
}

static void
test_every_network_name_and_type_is_read_from_both_containers(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * VIP_N_ARCHS * 2 * 4; i++) {
        const vip_arch arch = (vip_arch)(i % VIP_N_ARCHS);
        const bool legacy = i / VIP_N_ARCHS % 2 == 1, bayesian = i / (2 * VIP_N_ARCHS) % 2 == 1;
        const vip_element element = (vip_element)(i / (4 * VIP_N_ARCHS));
        vip_model *expected = tiny(arch, bayesian ? VIPANN_MEANFIELD : VIPANN_DETERMINISTIC);
        torch_file file;
        torch_begin(&file, legacy);
        torch_add_model(&file, expected, element);
        const vip_convert_options options = {.frontend = 1, .padding = VIP_CAUSAL, .task = VIPANN_MULTICLASS};
        vip_converted found;
        vipann_error error;
        vip_model *model = convert(torch_end(&file), &options, &found, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(model->network.arch, arch);
        assert_int_equal(model->network.padding, VIP_CAUSAL);
        assert_int_equal(model->network.classes, 3);
        assert_int_equal(model->task, VIPANN_MULTICLASS);
        assert_int_equal(model->posterior, expected->posterior);
        assert_string_equal(model->frontend.name, "panns32k");
        assert_same_numbers(model, expected, element);
        vip_model_free(model);
        vip_model_free(expected);
    }
}

/* A checkpoint with one more thing in it than a deterministic network. */
typedef enum { NOTHING, LEFTOVERS, FOREIGN, BOTH_NAMES, HALF_OF_IT, WRONG_SHAPE, WRONG_TYPE, NOT_FINITE } extra;

static torch_bytes
with_extra(extra more)
{
    vip_model *expected = tiny(VIP_RESNET22, VIPANN_DETERMINISTIC);
    torch_file file;
    torch_begin(&file, false);
    torch_add_model(&file, expected, VIP_ELEMENT_FLOAT);
    static const float numbers[64] = {1, 2, 3, 4, NAN};
    if (more == LEFTOVERS) {
        torch_add(&file, "spectrogram_extractor.stft.conv_real.weight", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){4});
        torch_add(&file, "fc1.eps_weight", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){4});
        torch_add(&file, "fc1.prior_weight_mu", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){4});
    } else if (more == FOREIGN) {
        torch_add(&file, "fc_other.weight", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){4});
    } else if (more == BOTH_NAMES || more == HALF_OF_IT) {
        torch_add(&file, "fc1.mu_bias", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){32});
        if (more == BOTH_NAMES) {
            torch_add(&file, "fc1.rho_bias", VIP_ELEMENT_FLOAT, numbers, 1, (int64_t[]){32});
        }
    } else if (more == WRONG_SHAPE) {
        torch_add(&file, "fc1.bias", VIP_ELEMENT_FLOAT, numbers, 2, (int64_t[]){32, 1});
    } else if (more == WRONG_TYPE) {
        torch_add(&file, "fc1.bias", VIP_ELEMENT_INT, numbers, 1, (int64_t[]){32});
    } else if (more == NOT_FINITE) {
        torch_add(&file, "fc1.bias", VIP_ELEMENT_DOUBLE, numbers, 1, (int64_t[]){32});
    }
    vip_model_free(expected);
    return torch_end(&file);
}

static void
test_every_name_has_its_place(void **state)
{
    (void)state;
    static const struct {
        extra more;
        const char *message;
    } table[] = {
        {NOTHING, ""},
        {LEFTOVERS, ""},
        {FOREIGN, "a.pth: tensor fc_other.weight does not belong to resnet22"},
        {BOTH_NAMES, "a.pth: expected either fc1.bias, or fc1.mu_bias and fc1.rho_bias, found both"},
        {HALF_OF_IT, "a.pth: expected either fc1.bias, or fc1.mu_bias and fc1.rho_bias, found both"},
        {WRONG_SHAPE, "a.pth: tensor fc1.bias: shape [32,1], expected [32] for resnet22 of width 1 with 3 classes"},
        {WRONG_TYPE, "a.pth: tensor fc1.bias: elements of IntStorage, expected float, double, half or bfloat16"},
        {NOT_FINITE, "a.pth: tensor fc1.bias: number 4 is no finite float, expected finite numbers"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vip_converted found;
        vipann_error error;
        const vip_convert_options options = {.frontend = 0};
        vip_model *model = convert(with_extra(table[i].more), &options, &found, &error);
        assert_string_equal(error.text, table[i].message);
        assert_true(model == NULL || found.left_out == (table[i].more == LEFTOVERS ? 3 : 0));
        vip_model_free(model);
    }
}

/* A state dict of these tensors only. */
static torch_bytes
of_tensors(const char *const *names, const int64_t (*shapes)[2], size_t n)
{
    static const float zeros[4096];
    torch_file file;
    torch_begin(&file, true);
    for (size_t i = 0; i < n; i++) {
        torch_add(&file, names[i], VIP_ELEMENT_FLOAT, zeros, 2, shapes[i]);
    }
    return torch_end(&file);
}

static void
test_what_is_no_network_is_told(void **state)
{
    (void)state;
    static const char head[] = "fc_audioset.weight", block[] = "resnet.layer1.0.conv1.weight";
    static const struct {
        size_t n;
        const char *names[2];
        int64_t shapes[2][2];
        const char *message;
    } table[] = {
        {1,
         {"weight"},
         {{2, 2}},
         "a.pth: there is no tensor fc_audioset.weight or fc_audioset.mu_weight: this is no network of PANNs or "
         "VI-PANN"},
        {1,
         {head},
         {{3, 40}},
         "a.pth: tensor fc_audioset.weight: shape [3,40], expected [classes,32 * width] with at most 4096 classes and "
         "width 128"},
        {1,
         {head},
         {{1, 4096}},
         "a.pth: has no tensor of a resnet, so it is the head of a network; name the model whose head it is to be with "
         "--trunk"},
        {2, {head, block}, {{3, 32}, {1, 1}}, "a.pth: tensor bn0.weight is missing; resnet22 needs it"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vip_converted found;
        vipann_error error;
        const vip_convert_options options = {.frontend = 0};
        assert_null(convert(of_tensors(table[i].names, table[i].shapes, table[i].n), &options, &found, &error));
        assert_string_equal(error.text, table[i].message);
    }
}

static void
test_a_trunk_must_fit_and_be_wanted(void **state)
{
    (void)state;
    static const char *const head[] = {"fc_audioset.weight"};
    static const int64_t shape[1][2] = {{3, 64}};
    vip_model *trunk = tiny(VIP_RESNET22, VIPANN_DROPOUT), *ensemble = tiny(VIP_RESNET22, VIPANN_ENSEMBLE);
    vip_convert_options options = {.frontend = VIP_FRONTEND_OF_FILE, .trunk = trunk};
    vip_converted found;
    vipann_error error;
    assert_null(convert(of_tensors(head, shape, 1), &options, &found, &error));
    assert_string_equal(error.text, "a.pth: a head for width 2; the trunk has width 1");
    assert_null(convert(with_extra(NOTHING), &options, &found, &error));
    assert_string_equal(error.text, "a.pth: is a whole network; leave --trunk out");
    options.trunk = ensemble;
    assert_null(convert(of_tensors(head, shape, 1), &options, &found, &error));
    assert_string_equal(error.text,
                        "a.pth: a head for width 2; the trunk has width 1 and is an ensemble, expected one network");
    vip_model_free(trunk);
    vip_model_free(ensemble);
}

/* A plain head keeps the trunk's dropout; one with a posterior puts it out, since a model is of one kind. */
static void
test_a_head_keeps_the_dropout_of_its_trunk_unless_it_has_a_posterior(void **state)
{
    (void)state;
    vip_model *trunk = tiny(VIP_RESNET22, VIPANN_DROPOUT);
    for (int bayesian = 0; bayesian < 2; bayesian++) {
        vip_model *source = tiny(VIP_RESNET22, bayesian == 1 ? VIPANN_MEANFIELD : VIPANN_DETERMINISTIC);
        const int first = source->n_tensors - 4; /* fc1 and fc_audioset are last */
        memmove(source->shapes, source->shapes + first, 4 * sizeof *source->shapes);
        vip_model head = {.n_tensors = 4};
        memcpy(head.shapes, source->shapes, 4 * sizeof *source->shapes);
        memcpy(head.values, source->values + first, 4 * sizeof *head.values);
        memcpy(head.rho, source->rho + first, 4 * sizeof *head.rho);
        torch_file file;
        torch_begin(&file, false);
        torch_add_model(&file, &head, VIP_ELEMENT_FLOAT);
        const vip_convert_options options = {.frontend = VIP_FRONTEND_OF_FILE, .trunk = trunk};
        vip_converted found;
        vipann_error error;
        vip_model *model = convert(torch_end(&file), &options, &found, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(model->posterior, bayesian == 1 ? VIPANN_MEANFIELD : VIPANN_DROPOUT);
        assert_string_equal(model->preset, bayesian == 1 ? "" : "all");
        assert_true((model->rates[0] > 0) == (bayesian == 0));
        assert_string_equal(model->frontend.name, "panns16k");
        assert_memory_equal(model->values[0], trunk->values[0], VIP_MELS * sizeof(float));
        assert_memory_equal(model->values[first], head.values[0], 32 * sizeof(float));
        vip_model_free(model);
        vip_model_free(source);
    }
    vip_model_free(trunk);
}

static void
test_the_front_end_is_recognised_by_its_mel_matrix(void **state)
{
    (void)state;
    enum { NONE = -1 };
    static const struct {
        int stored;
        float wrong; /* in one number of it */
        int asked;
        const char *name, *message;
    } table[] = {
        {0, 0, NONE, "panns16k", ""},
        {1, 0, NONE, "panns32k", ""},
        {1, 0.9e-4f, NONE, "panns32k", ""},
        {1, 0, 1, "panns32k", ""},
        {0, 0, 1, NULL, "a.pth: its mel matrix is that of panns16k, not of panns32k; leave --frontend out"},
        {1, 1.1e-4f, NONE, NULL,
         "a.pth: its mel matrix is none of those we know; name its front-end with --frontend panns16k or panns32k"},
        {1, 1.1e-4f, 0, "panns16k", ""},
        {NONE, 0, NONE, NULL, "a.pth: has no mel matrix; name its front-end with --frontend panns16k or panns32k"},
        {NONE, 0, 0, "panns16k", ""},
    };
    vip_model *expected = tiny(VIP_RESNET22, VIPANN_DETERMINISTIC);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        torch_file file;
        torch_begin(&file, i % 2 == 1);
        torch_add_model(&file, expected, VIP_ELEMENT_FLOAT);
        if (table[i].stored != NONE) {
            torch_add_mel(&file, table[i].stored, table[i].wrong);
        }
        const vip_convert_options options = {.frontend = table[i].asked};
        vip_converted found;
        vipann_error error;
        vip_model *model = convert(torch_end(&file), &options, &found, &error);
        assert_string_equal(error.text, table[i].message);
        assert_true((model == NULL) == (table[i].name == NULL));
        assert_true(model == NULL || strcmp(model->frontend.name, table[i].name) == 0);
        vip_model_free(model);
    }
    vip_model_free(expected);
}

/* One number, spread out over all tensors of a wide network by strides of 0: a small file that would fill the memory. */
static void
test_a_small_file_does_not_become_a_large_model(void **state)
{
    (void)state;
    static vip_tensor_shape shapes[VIP_MAX_TENSORS];
    vip_network network;
    vip_network_fill(&network, VIP_RESNET54, VIP_MAX_WIDTH, VIP_MAX_CLASSES, VIP_SAME);
    const int n = vip_network_tensors(&network, shapes);
    torch_file file;
    torch_begin(&file, false);
    for (int i = 0; i < n; i++) {
        torch_tensor tensor = {.storage = "FloatStorage", .key = "0", .elements = 1, .rank = shapes[i].rank};
        for (size_t k = 0; k < tensor.rank; k++) {
            tensor.shape[k] = shapes[i].shape[k];
        }
        torch_string(&file.pickle, shapes[i].name);
        torch_rebuild(&file.pickle, &tensor, false);
    }
    torch_put_little(&file.storages[0], 0, 4);
    file.elements[0] = 1;
    file.n = 1;
    const vip_convert_options options = {.frontend = 0};
    vip_converted found;
    vipann_error error;
    assert_null(convert(torch_end(&file), &options, &found, &error));
    assert_int_equal(strncmp(error.text, "a.pth: its tensors would take ", 30), 0);
    assert_non_null(strstr(error.text, " bytes, but the file has only "));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reference_checkpoints_give_their_logits),
        cmocka_unit_test(test_the_posterior_of_the_reference_gives_its_draw),
        cmocka_unit_test(test_a_head_finds_its_trunk),
        cmocka_unit_test(test_the_bad_files_of_the_reference_are_refused),
        cmocka_unit_test(test_every_network_name_and_type_is_read_from_both_containers),
        cmocka_unit_test(test_every_name_has_its_place),
        cmocka_unit_test(test_what_is_no_network_is_told),
        cmocka_unit_test(test_a_trunk_must_fit_and_be_wanted),
        cmocka_unit_test(test_a_head_keeps_the_dropout_of_its_trunk_unless_it_has_a_posterior),
        cmocka_unit_test(test_the_front_end_is_recognised_by_its_mel_matrix),
        cmocka_unit_test(test_a_small_file_does_not_become_a_large_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
