/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_kl.c -- the divergence of a posterior from its prior, in both reductions, against its closed form and the
 * reference; posteriors made of weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/memory.h>
#include <offline_trainer/base/parallel.h>
#include <offline_trainer/posterior/kl.h>
#include <offline_trainer/posterior/moped.h>
#include <tests/vectors/case.h>

static void
assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("found %.9g, expected %.9g +- %.2g", found, expected, tolerance);
    }
}

static vip_parameters *
make(void)
{
    vip_network network;
    vip_network_fill(&network, VIP_RESNET22, 2, 3, VIP_SAME);
    vip_parameters *p = vip_parameters_new(&network, NULL, true, false);
    assert_non_null(p);
    vip_parameters_init(p, 1);
    memset(p->gradients, 0, p->n_trainable * sizeof *p->gradients);
    return p;
}

/* ----------------------------------------------------------------------------------------------------- closed form */

/* Method X6 in the three numbers of the last bias; all other tensors lie on the prior N(0, 1): softplus(rho) = 1. */
static void
test_the_worked_example_in_both_reductions(void **state)
{
    (void)state;
    static const float mu[] = {0.1f, -0.2f, 0.5f}, rho[] = {-3, -3, 0};
    static const double slope[] = {-0.973791, -0.973791, -0.374774};
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    vip_prior_set(prior, 1);
    const float one = (float)vip_moped_rho(1);
    for (int i = 0; i < p->n_segments; i++) {
        const vip_segment *s = &p->segments[i];
        for (size_t e = 0; e < s->count && s->stochastic; e++) {
            p->values[s->offset + e] = s->rho ? one : 0;
        }
    }
    const vip_segment *m = vip_parameters_find(p, "fc_audioset.bias.mu"),
                      *r = vip_parameters_find(p, "fc_audioset.bias.rho");
    memcpy(p->values + m->offset, mu, sizeof mu);
    memcpy(p->values + r->offset, rho, sizeof rho);
    assert_near(vip_kl(prior, p, VIP_KL_SUM, 0.5), 5.307884, 5e-6);
    for (size_t e = 0; e < 3; e++) {
        assert_near((double)p->gradients[m->offset + e], 0.5 * (double)mu[e], 1e-6);
        assert_near((double)p->gradients[r->offset + e], 0.5 * slope[e], 1e-6);
    }
    memset(p->gradients, 0, p->n_trainable * sizeof *p->gradients);
    assert_near(vip_kl(prior, p, VIP_KL_MEAN, 0.5), 1.769295, 5e-6);
    assert_near((double)p->gradients[r->offset], 0.5 * slope[0] / 3, 1e-6);
    const float before = p->gradients[r->offset];
    (void)vip_kl(prior, p, VIP_KL_SUM, 0); /* no weight: gradients stay */
    assert_true(p->gradients[r->offset] == before);
    vip_prior_free(prior);
    vip_parameters_free(p);
}

static void
test_gradients_are_added_and_are_those_of_the_divergence(void **state)
{
    (void)state;
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    static const char *const names[] = {"conv_block1.conv2.weight.mu", "conv_block1.conv2.weight.rho",
                                        "fc_audioset.weight.mu", "fc_audioset.weight.rho"};
    for (size_t reduction = 0; reduction < 2; reduction++) {
        for (size_t i = 0; i < p->n_trainable; i++) {
            p->gradients[i] = 1;
        }
        (void)vip_kl(prior, p, (vip_kl_reduction)reduction, 2);
        for (size_t k = 0; k < 4; k++) {
            const size_t at = vip_parameters_find(p, names[k])->offset + 5;
            const float value = p->values[at], h = 0.01f;
            p->values[at] = value + h;
            const double right = (double)p->values[at], above = vip_kl(prior, p, (vip_kl_reduction)reduction, 0);
            p->values[at] = value - h;
            const double left = (double)p->values[at], below = vip_kl(prior, p, (vip_kl_reduction)reduction, 0);
            p->values[at] = value;
            const double slope = 2 * (above - below) / (right - left);
            assert_near((double)p->gradients[at] - 1, slope, 1e-4 * (1 + fabs(slope)));
        }
    }
    vip_prior_free(prior);
    vip_parameters_free(p);
}

/* sigma vanishes below rho = -745 in double; its logarithm does not. */
static void
test_sigma_and_its_logarithm_are_accurate_for_any_rho(void **state)
{
    (void)state;
    for (double rho = -60; rho < 60; rho += 0.37) {
        const long double e = expl((long double)rho);
        const double sigma = (double)log1pl(e);
        assert_near(vip_softplus(rho) / sigma, 1, 1e-14);
        assert_near(vip_log_softplus(rho), (double)logl(log1pl(e)), 1e-14 * (1 + fabs(rho)));
    }
    assert_near(vip_log_softplus(-2000), -2000, 1e-9);
    assert_near(vip_softplus(2000), 2000, 1e-9);
    assert_true(isnan(vip_softplus((double)NAN)) && isnan(vip_log_softplus((double)NAN)));
    assert_near(vip_softplus(-3), 0.048587, 1e-6);
}

static void
test_an_extreme_rho_gives_a_finite_divergence_and_gradient(void **state)
{
    (void)state;
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    const size_t at = vip_parameters_find(p, "fc_audioset.bias.rho")->offset;
    static const float rhos[] = {-1000, -104, -88, -41, -39.9f, -20, 30};
    for (size_t i = 0; i < sizeof rhos / sizeof *rhos; i++) {
        p->values[at] = rhos[i];
        p->gradients[at] = 0;
        assert_true(isfinite(vip_kl(prior, p, VIP_KL_SUM, 1)));
        assert_true(isfinite(p->gradients[at]));
        assert_true(rhos[i] > 0 || fabsf(p->gradients[at] + 1) < 1e-6f);
    }
    vip_prior_free(prior);
    vip_parameters_free(p);
}

static void
test_one_and_three_threads_give_the_same_bits(void **state)
{
    (void)state;
    double kl[2];
    float *gradients = NULL;
    for (unsigned i = 0; i < 2; i++) {
        vip_parallel_threads(i == 0 ? 1 : 3);
        vip_parameters *p = make();
        vip_prior *prior = vip_prior_new(p);
        assert_non_null(prior);
        kl[i] = vip_kl(prior, p, VIP_KL_SUM, 1);
        if (i == 0) {
            gradients = vip_alloc(p->n_trainable, sizeof *gradients);
            assert_non_null(gradients);
            memcpy(gradients, p->gradients, p->n_trainable * sizeof *gradients);
        } else {
            assert_memory_equal(gradients, p->gradients, p->n_trainable * sizeof *gradients);
        }
        vip_prior_free(prior);
        vip_parameters_free(p);
    }
    vip_free(gradients);
    vip_parallel_threads(0);
    assert_true(kl[0] == kl[1]);
}

/* A loss that is a mean over classes too is so many times smaller than the likelihood (method 3.5). */
static void
test_the_weight_is_beta_by_clips_and_by_classes_where_the_loss_is(void **state)
{
    (void)state;
    assert_near(vip_kl_weight(0.5, 100, VIP_KL_SUM, 1), 0.005, 1e-15);
    assert_near(vip_kl_weight(0.5, 100, VIP_KL_SUM, 521), 0.005 / 521, 1e-15);
    assert_near(vip_kl_weight(0.5, 100, VIP_KL_MEAN, 521), 0.005, 1e-15);
    assert_near(vip_kl_weight(0.5, 0, VIP_KL_SUM, 1), 0, 0);
}

/* From scratch: N(0, 2 / fan_in), a bias with the fan_in of its layer. */
static void
test_the_prior_of_a_random_start_knows_the_fan_in(void **state)
{
    (void)state;
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    for (int i = 0; i < prior->n; i++) {
        const vip_segment *s = &p->segments[prior->tensors[i].mu];
        const double fan_in = strcmp(s->name, "conv_block1.conv1.weight.mu") == 0 ? 9
                              : strncmp(s->name, "fc", 2) == 0                    ? 64
                                                               : (double)s->shape[1] * s->shape[2] * s->shape[3];
        assert_near(prior->tensors[i].sigma, sqrt(2 / fan_in), 1e-12);
    }
    assert_near(vip_prior_sigma(prior, p), 0.1, 0.1);
    vip_prior_set(prior, 1);
    assert_near(vip_prior_sigma(prior, p), 1, 1e-12);
    vip_prior_free(prior);
    vip_parameters_free(p);
}

/* ------------------------------------------------------------------------------------------------------------- MOPED */

static void
test_rho_gives_the_wanted_sigma_however_large(void **state)
{
    (void)state;
    static const float w[] = {0.2f, -0.05f, 1e-12f};
    static const double rho[] = {-2.252168, -3.676353, -28.324168}; /* method X6, delta 0.5 */
    for (size_t i = 0; i < 3; i++) {
        assert_near(vip_moped_rho(0.5 * fabs((double)w[i])), rho[i], 1e-5);
    }
    for (double sigma = 1e-6; sigma < 1e6; sigma *= 3) {
        assert_near(vip_softplus(vip_moped_rho(sigma)) / sigma, 1, 1e-9);
    }
    assert_true(isfinite(vip_moped_rho(0)) && isfinite(vip_moped_rho(1e300)));
}

static void
test_the_divergence_begins_at_zero_with_the_priors_sigma(void **state)
{
    (void)state;
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    vip_moped(prior, p, 0.1, VIP_MOPED_TENSOR);
    assert_near(vip_kl(prior, p, VIP_KL_SUM, 1), 0, 1e-9);
    for (size_t i = 0; i < p->n_trainable; i++) {
        assert_true(fabsf(p->gradients[i]) < 1e-6f);
    }
    for (int i = 0; i < prior->n; i++) {
        const vip_segment *s = &p->segments[prior->tensors[i].mu];
        double square = 0;
        for (size_t e = 0; e < s->count; e++) {
            square += pow((double)p->values[s->offset + e], 2);
        }
        const double expected = fmax(1e-3, 0.1 * sqrt(square / (double)s->count));
        assert_near(prior->tensors[i].sigma / expected, 1, 1e-5);
    }
    p->values[p->segments[prior->tensors[0].mu].offset] += (float)prior->tensors[0].sigma;
    assert_near(vip_kl(prior, p, VIP_KL_SUM, 0), 0.5, 1e-4); /* one sigma away: 1/2 nat */
    vip_prior_free(prior);
    vip_parameters_free(p);
}

/* Against a prior whose sigma is delta times the root mean square, the published start costs about 0.64 nats a weight
 * where weights are normal; ours are uniform here, E[-log(|u| sqrt 3)] = 1 - log(3) / 2 = 0.45. */
static void
test_the_published_start_is_delta_times_each_weight(void **state)
{
    (void)state;
    vip_parameters *p = make();
    vip_prior *prior = vip_prior_new(p);
    assert_non_null(prior);
    vip_moped(prior, p, 0.1, VIP_MOPED_WEIGHT);
    const vip_segment *mu = vip_parameters_find(p, "fc1.weight.mu"), *rho = vip_parameters_find(p, "fc1.weight.rho");
    double sum = 0;
    for (size_t e = 0; e < mu->count; e++) {
        const double sigma = vip_softplus((double)p->values[rho->offset + e]);
        const double w = fabs((double)p->values[mu->offset + e]);
        assert_near(sigma, 0.1 * w, 1e-6 * w + 1e-12);
        sum += log(prior->tensors[0].sigma);
    }
    (void)sum;
    assert_near(vip_relative_sigma(p), 0.1, 0.001);
    double weights = 0;
    for (int i = 0; i < prior->n; i++) {
        weights += p->segments[prior->tensors[i].mu].rank > 1 ? (double)p->segments[prior->tensors[i].mu].count : 0;
    }
    vip_prior_free(prior);
    prior = vip_prior_new(p);
    assert_non_null(prior);
    vip_moped(prior, p, 0.1, VIP_MOPED_WEIGHT);
    const size_t zeros = vip_parameters_find(p, "fc1.bias.mu")->count + 3; /* biases that start at 0: sigma 1e-20 */
    const double of_zeros = (double)zeros * (log(1e-3) + log(1e20) - 0.5);
    assert_near((vip_kl(prior, p, VIP_KL_SUM, 0) - of_zeros) / weights, 0.45, 0.02);
    vip_prior_free(prior);
    vip_parameters_free(p);
}

/* ---------------------------------------------------------------------------------------------------- the reference */

static const char *
vectors(void)
{
    static char folder[512];
    const char *shared = getenv("VIPANN_SHARED");
    (void)snprintf(folder, sizeof folder, "%s/reference/vectors", shared != NULL ? shared : "../shared");
    return folder;
}

static void
open_case(vector_case *c, const char *file)
{
    const char *wrong = case_open(c, vectors(), file);
    if (wrong != NULL) {
        (void)printf("skip: %s/%s %s (VIPANN_SHARED says where it is)\n", vectors(), file, wrong);
        case_close(c);
        skip();
    }
}

static void
test_rho_is_that_of_the_reference(void **state)
{
    (void)state;
    vector_case c;
    open_case(&c, "moped.safetensors");
    vector_tensor weight, rho;
    assert_true(case_tensor(&c, "weight", &weight) && case_tensor(&c, "rho", &rho) && weight.n == rho.n &&
                weight.n > 0);
    const double delta = case_number(&c, "delta", 0);
    assert_true(delta > 0);
    const float *w = weight.data, *r = rho.data;
    for (size_t i = 0; i < weight.n; i++) {
        if (fabsf(w[i]) > 1e-3f) {
            assert_near(vip_moped_rho(delta * fabs((double)w[i])), (double)r[i], 1e-4);
        }
    }
    case_close(&c);
}

static void
test_both_reductions_are_those_of_the_reference(void **state)
{
    (void)state;
    static const char *const files[] = {"flipout_resnet22_w2_channel.safetensors",
                                        "flipout_resnet54_w2_element.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        vector_case c;
        open_case(&c, files[i]);
        char path[1024];
        vipann_error error = {VIPANN_OK, ""};
        (void)snprintf(path, sizeof path, "%s/%s.safetensors", vectors(), case_text(&c, "weights"));
        vip_model *model = vip_model_read(path, &error);
        assert_string_equal(error.text, "");
        const bool conv_only = model->rho[vip_model_tensor(model, "fc1.weight")] == NULL;
        vip_parameters *p = vip_parameters_new(&model->network, NULL, true, conv_only);
        assert_non_null(p);
        assert_int_equal(vip_parameters_take(p, model, true, &error), VIPANN_OK);
        vip_prior *prior = vip_prior_new(p);
        assert_non_null(prior);
        vip_prior_set(prior, 1);
        static const char *const names[] = {"f64.kl_sum", "f64.kl_mean"};
        for (size_t reduction = 0; reduction < 2; reduction++) {
            vector_tensor expected;
            assert_true(case_tensor(&c, names[reduction], &expected) && expected.type == TYPE_F64);
            const double want = *(const double *)expected.data;
            assert_near(vip_kl(prior, p, (vip_kl_reduction)reduction, 0) / want, 1, 1e-5);
        }
        vip_prior_free(prior);
        vip_parameters_free(p);
        vip_model_free(model);
        case_close(&c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_worked_example_in_both_reductions),
        cmocka_unit_test(test_gradients_are_added_and_are_those_of_the_divergence),
        cmocka_unit_test(test_sigma_and_its_logarithm_are_accurate_for_any_rho),
        cmocka_unit_test(test_an_extreme_rho_gives_a_finite_divergence_and_gradient),
        cmocka_unit_test(test_one_and_three_threads_give_the_same_bits),
        cmocka_unit_test(test_the_weight_is_beta_by_clips_and_by_classes_where_the_loss_is),
        cmocka_unit_test(test_the_prior_of_a_random_start_knows_the_fan_in),
        cmocka_unit_test(test_rho_gives_the_wanted_sigma_however_large),
        cmocka_unit_test(test_the_divergence_begins_at_zero_with_the_priors_sigma),
        cmocka_unit_test(test_the_published_start_is_delta_times_each_weight),
        cmocka_unit_test(test_rho_is_that_of_the_reference),
        cmocka_unit_test(test_both_reductions_are_those_of_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
