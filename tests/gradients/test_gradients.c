/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_gradients.c -- the training network against gradients of the reference: test_gradients DIR, the folder of its
 * vectors. Ends with "N passed, N failed, N skipped". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/grad/loss.h>
#include <offline_trainer/grad/net.h>
#include <tests/vectors/case.h>

static const double LOSS_TOLERANCE = 1e-4, LOGIT_TOLERANCE = 1e-4, GRADIENT_TOLERANCE = 1e-3, STATS_TOLERANCE = 1e-4;
static const double LARGEST_SHARE = 1e-5; /* of the largest gradient of the case */

typedef struct {
    vip_model *model;
    vip_parameters *parameters;
    vip_net *net;
    size_t rows;
    uint32_t *draws;
} subject;

static void
subject_free(subject *s)
{
    vip_net_free(s->net);
    vip_parameters_free(s->parameters);
    vip_model_free(s->model);
    free(s->draws);
}

static bool
is(const vector_case *c, const char *key, const char *value)
{
    return strcmp(case_text(c, key), value) == 0;
}

/* A model of the case, its numbers and a net for its batch; NULL or what went wrong. */
static const char *
subject_make(subject *s, const vector_case *c, const vector_tensor *logmel)
{
    static vipann_error error;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.safetensors", c->folder, case_text(c, "weights"));
    s->model = vip_model_read(path, &error);
    if (s->model == NULL) {
        return error.text;
    }
    const vip_network *network = &s->model->network;
    s->rows = logmel->shape[0];
    s->parameters = vip_parameters_new(network, NULL, s->model->posterior == VIPANN_MEANFIELD, false);
    const json_t *draws = json_object_get(c->about, "draws");
    s->draws = calloc(s->rows, sizeof *s->draws);
    if (s->parameters == NULL || s->draws == NULL || json_array_size(draws) != s->rows) {
        return "no memory, or draws of other rows";
    }
    for (size_t i = 0; i < s->rows; i++) {
        s->draws[i] = (uint32_t)json_integer_value(json_array_get(draws, i));
    }
    if (vip_parameters_take(s->parameters, s->model, true, &error) != VIPANN_OK) {
        return error.text;
    }
    vip_net_options options = {
        .rows = (uint32_t)s->rows,
        .n_lengths = 1,
        .lengths = {(uint32_t)logmel->shape[2]},
        .frozen_statistics = is(c, "batch_norm", "frozen"),
        .flipout = is(c, "variant", "element") ? VIP_FLIPOUT_ELEMENT : VIP_FLIPOUT_CHANNEL,
        .seed = case_seed(c),
    };
    for (int i = 0; i < network->n_sites && json_is_true(json_object_get(c->about, "dropout")); i++) {
        options.rates[i] = network->sites[i].training_rate;
    }
    s->net = vip_net_new(s->parameters, &options, &error);
    return s->net == NULL ? error.text : NULL;
}

/* KL(q || N(0, 1)), summed over all numbers, with its gradients. */
static double
add_divergence(vip_parameters *p, double weight)
{
    double sum = 0;
    for (int i = 0; i + 1 < p->n_segments; i++) {
        const vip_segment *mu = &p->segments[i], *rho = &p->segments[i + 1];
        if (!mu->stochastic || mu->rho) {
            continue;
        }
        for (size_t e = 0; e < mu->count; e++) {
            const double m = (double)p->values[mu->offset + e], r = (double)p->values[rho->offset + e];
            const double sigma = log1p(exp(r));
            sum += -log(sigma) + (sigma * sigma + m * m) / 2 - 0.5;
            p->gradients[mu->offset + e] += (float)(weight * m);
            p->gradients[rho->offset + e] += (float)(weight * (sigma - 1 / sigma) / (1 + exp(-r)));
        }
    }
    return weight * sum;
}

static double
loss_of(const vector_case *c, tally *t, subject *s)
{
    const size_t classes = s->model->network.classes;
    const float *z = vip_net_output(s->net, VIP_OUTPUT_LOGITS);
    float *gradient = vip_net_output_gradient(s->net, VIP_OUTPUT_LOGITS);
    vector_tensor targets;
    if (is(c, "loss", "bce")) {
        const float *y = need(c, t, "targets", TYPE_F32, s->rows * classes, &targets);
        return y == NULL ? NAN : vip_loss_binary(z, y, NULL, s->rows, classes, 1, gradient);
    }
    const int64_t *label = need(c, t, "targets", TYPE_I64, s->rows, &targets);
    float *y = calloc(s->rows * classes, sizeof *y);
    for (size_t i = 0; label != NULL && y != NULL && i < s->rows; i++) {
        y[i * classes + (size_t)label[i]] = 1;
    }
    const double loss = vip_loss_softmax(z, y, NULL, s->rows, classes, 1, gradient);
    free(y);
    return label == NULL ? NAN : loss;
}

static void
check_gradients(const vector_case *c, tally *t, const vip_parameters *p)
{
    const double share = LARGEST_SHARE * case_number(c, "largest_gradient", NAN);
    for (int i = 0; i < p->n_segments; i++) {
        const vip_segment *segment = &p->segments[i];
        char name[VIP_SEGMENT_NAME + 8];
        vector_tensor tensor;
        const bool statistic = segment->offset >= p->n_trainable;
        (void)snprintf(name, sizeof name, "%s.%s", statistic ? "stats" : "grad", segment->name);
        if (statistic && is(c, "batch_norm", "frozen")) {
            continue;
        }
        const float *want = need(c, t, name, TYPE_F32, segment->count, &tensor);
        if (want == NULL) {
            continue;
        }
        const float *got = (statistic ? p->values : p->gradients) + segment->offset;
        double largest = 0;
        for (size_t e = 0; e < segment->count; e++) {
            largest = fmax(largest, fabs((double)want[e]));
        }
        tally_error(t, name, largest_difference(got, want, segment->count),
                    statistic ? STATS_TOLERANCE * fmax(largest, 1) : GRADIENT_TOLERANCE * largest + share);
    }
}

static void
check_case(const vector_case *c, tally *t)
{
    vector_tensor logmel, tensor;
    subject s = {NULL, NULL, NULL, 0, NULL};
    const float *x = need(c, t, "logmel", TYPE_F32, 0, &logmel);
    const char *wrong = x == NULL || logmel.rank != 4 ? "no log-mel" : subject_make(&s, c, &logmel);
    if (wrong != NULL) {
        tally_fail(t, "the case", "%s", wrong);
        subject_free(&s);
        return;
    }
    const vip_batch batch = {.frames = (uint32_t)logmel.shape[2],
                             .logmel = x,
                             .draws = s.draws,
                             .eps_draw = (uint32_t)case_number(c, "eps_draw", 0),
                             .momentum = (float)case_number(c, "bn_momentum", NAN)};
    vip_net_forward(s.net, &batch, true);
    const size_t n = s.rows * s.model->network.classes;
    const float *logits = need(c, t, "logits", TYPE_F32, n, &tensor);
    if (logits != NULL) {
        tally_error(t, "logits", largest_difference(vip_net_output(s.net, VIP_OUTPUT_LOGITS), logits, n),
                    LOGIT_TOLERANCE * magnitude(logits, n));
    }
    double loss = loss_of(c, t, &s);
    vip_net_backward(s.net);
    loss += add_divergence(s.parameters, case_number(c, "kl_weight", 0));
    const double *want = need(c, t, "f64.loss", TYPE_F64, 1, &tensor);
    if (want != NULL) {
        tally_error(t, "loss", fabs(loss - *want), LOSS_TOLERANCE * fabs(*want));
    }
    check_gradients(c, t, s.parameters);
    const float *frames = need(c, t, "grad.logmel", TYPE_F32, logmel.n, &tensor);
    if (frames != NULL) {
        double largest = 0;
        for (size_t i = 0; i < logmel.n; i++) {
            largest = fmax(largest, fabs((double)frames[i]));
        }
        tally_error(t, "grad.logmel", largest_difference(vip_net_input_gradient(s.net), frames, logmel.n),
                    GRADIENT_TOLERANCE * largest);
    }
    subject_free(&s);
}

static int
is_ours(const struct dirent *entry)
{
    return strncmp(entry->d_name, "gradients_", strlen("gradients_")) == 0;
}

int
main(int argc, char **argv)
{
    struct dirent **files = NULL;
    const int n = argc == 2 ? scandir(argv[1], &files, is_ours, alphasort) : -1;
    if (n <= 0) {
        (void)fprintf(stderr, "usage: test_gradients DIR, the folder of the reference's vectors\n");
        return 2;
    }
    size_t passed = 0, failed = 0, skipped = 0;
    for (int i = 0; i < n; i++) {
        vector_case c;
        tally t = {files[i]->d_name, 0, 0, 0};
        const char *wrong = case_open(&c, argv[1], files[i]->d_name);
        if (wrong != NULL) {
            tally_fail(&t, "the file", "%s", wrong);
        } else {
            check_case(&c, &t);
        }
        case_close(&c);
        (void)printf("%-50s %zu passed, %zu failed\n", files[i]->d_name, t.passed, t.failed);
        passed += t.passed;
        failed += t.failed;
        skipped += t.skipped;
        free(files[i]);
    }
    free(files);
    (void)printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    return failed != 0;
}
