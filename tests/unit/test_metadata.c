/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_metadata.c -- holds what models may say of themselves, what is assumed when they do not, and each limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include <base/memory.h>
#include <model/metadata.h>

#include "failing.h"
#include "model_file.h"
#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

#define FRONTEND(name, rate, n_fft, hop, mels, fmin, fmax, amin)                                                       \
    "{\"name\":" name ",\"sample_rate\":" rate ",\"n_fft\":" n_fft ",\"hop\":" hop ",\"mels\":" mels ",\"fmin\":" fmin \
    ",\"fmax\":" fmax ",\"amin\":" amin "}"

/* The least that a model has to say, with three classes. */
static json_t *
least(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "vipann.format", "1", "vipann.arch", "resnet38", "vipann.width", "7",
                     "vipann.task", "multiclass", "vipann.frontend",
                     FRONTEND("\"f\"", "32000", "1024", "320", "64", "50", "14000.5", "1e-10"), "vipann.labels",
                     "[\"a\",\"b \\u00e9\",\"\"]");
}

/* The least with one key changed (value NULL: taken away), read into a new model. */
static vipann_status
read_with(const char *key, const char *value, vip_model **model, vipann_error *error)
{
    json_t *metadata = least();
    if (key != NULL && value != NULL) {
        json_object_set_new(metadata, key, json_string(value));
    } else if (key != NULL) {
        json_object_del(metadata, key);
    }
    *model = vip_alloc(1, sizeof **model);
    assert_non_null(*model);
    vipann_status status = vip_metadata_read(*model, metadata, "x", error);
    json_decref(metadata);
    return status;
}

/* The same; asserts that it is taken. */
static vip_model *
good_with(const char *key, const char *value)
{
    vip_model *model;
    vipann_error error = {VIPANN_OK, ""};
    if (read_with(key, value, &model, &error) != VIPANN_OK) {
        fail_msg("%s = %s: %s", key != NULL ? key : "nothing", value != NULL ? value : "missing", error.text);
    }
    return model;
}

static void
test_what_is_not_stated_has_a_default(void **state)
{
    (void)state;
    vip_model *model = good_with(NULL, NULL);
    assert_int_equal(model->network.arch, VIP_RESNET38);
    assert_int_equal(model->network.width, 7);
    assert_int_equal(model->network.classes, 3);
    assert_int_equal(model->network.padding, VIP_SAME);
    assert_int_equal(model->task, VIPANN_MULTICLASS);
    assert_int_equal(model->posterior, VIPANN_DETERMINISTIC);
    assert_string_equal(model->labels[1], "b \xc3\xa9");
    assert_string_equal(model->labels[2], "");
    assert_string_equal(model->frontend.name, "f");
    assert_true(model->frontend.sample_rate == 32000 && model->frontend.n_fft == 1024 && model->frontend.hop == 320);
    assert_true(model->frontend.fmin == 50 && model->frontend.fmax == 14000.5 && model->frontend.amin == 1e-10);
    assert_int_equal(model->frontend.mels, VIP_MELS);
    const vip_calibration *c = &model->calibration;
    assert_false(c->present || c->has_deterministic);
    for (int i = 0; i < VIPANN_N_SCORES; i++) {
        assert_false(c->has_unknown[i]);
    }
    assert_null(c->thresholds);
    assert_true(c->temperature[2] == 1 && c->offset[2] == 0 && c->temperature_deterministic == 1);
    assert_true(c->members == 0 && c->window_columns == 0 && c->data[0] == '\0');
    assert_true(model->preset[0] == '\0' && model->provenance[0] == '\0' && model->license[0] == '\0');
    assert_true(model->prior_mu == 0 && model->prior_sigma == 1);
    vip_model_free(model);
}

static void
test_an_empty_calibration_is_none(void **state)
{
    (void)state;
    vip_model *model = good_with("vipann.calibration", "{}");
    assert_false(model->calibration.present);
    vip_model_free(model);
}

static void
test_calibration_takes_numbers_and_arrays(void **state)
{
    (void)state;
    vip_model *model = good_with("vipann.calibration",
                                 "{\"temperature\":[0.5,1,2],\"offset\":-1.5,\"thresholds\":[0,null,1],"
                                 "\"temperature_deterministic\":0.25,\"unknown\":{\"confidence\":0.5,\"note\":1},"
                                 "\"members\":8,\"data\":\"d\",\"whatever\":[[]]}");
    const vip_calibration *c = &model->calibration;
    assert_true(c->present && c->has_deterministic && c->has_unknown[VIPANN_SCORE_CONFIDENCE]);
    assert_false(c->has_unknown[VIPANN_SCORE_EPISTEMIC] || c->has_unknown[VIPANN_SCORE_TOTAL]);
    assert_true(c->temperature[0] == 0.5f && c->temperature[2] == 2 && c->offset[0] == -1.5f && c->offset[2] == -1.5f);
    assert_true(c->thresholds[0] == 0 && c->thresholds[1] < 0 && c->thresholds[2] == 1);
    assert_true(c->temperature_deterministic == 0.25f && c->unknown[VIPANN_SCORE_CONFIDENCE] == 0.5);
    assert_int_equal(c->members, 8);
    assert_true(c->window_columns == 0);
    assert_string_equal(c->data, "d");
    vip_model_free(model);
    model = good_with("vipann.calibration", "{\"thresholds\":0.25}");
    assert_true(model->calibration.thresholds[0] == 0.25f && model->calibration.thresholds[2] == 0.25f);
    vip_model_free(model);
}

static void
test_a_site_that_is_not_named_is_off(void **state)
{
    (void)state;
    vip_model *model = good_with(
        "vipann.posterior", "{\"kind\":\"dropout\",\"preset\":\"late\",\"rates\":{\"head\":0.5,\"layer3.5\":0.9}}");
    assert_int_equal(model->posterior, VIPANN_DROPOUT);
    assert_string_equal(model->preset, "late");
    for (int i = 0; i < VIP_MAX_SITES; i++) {
        float expected = i == vip_network_site(&model->network, "head")       ? 0.5f
                         : i == vip_network_site(&model->network, "layer3.5") ? 0.9f
                                                                              : 0;
        assert_true(model->rates[i] == expected);
    }
    vip_model_free(model);
}

static void
test_a_prior_is_kept_and_may_be_something_else(void **state)
{
    (void)state;
    static const struct {
        const char *posterior;
        double mu, sigma;
    } table[] = {
        {"{\"kind\":\"meanfield\"}", 0, 1},
        {"{\"kind\":\"meanfield\",\"prior\":{\"mu\":0.5,\"sigma\":2}}", 0.5, 2},
        {"{\"kind\":\"meanfield\",\"prior\":{\"kind\":\"moped\",\"delta\":0.1}}", 0, 1},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_model *model = good_with("vipann.posterior", table[i].posterior);
        assert_int_equal(model->posterior, VIPANN_MEANFIELD);
        assert_true(model->prior_mu == table[i].mu && model->prior_sigma == table[i].sigma);
        vip_model_free(model);
    }
}

static void
test_an_ensemble_says_how_many_members_it_has(void **state)
{
    (void)state;
    static const struct {
        const char *posterior;
        uint32_t members;
    } table[] = {{"{\"kind\":\"ensemble\",\"members\":1}", 1},
                 {"{\"members\":3.0,\"kind\":\"ensemble\"}", 3},
                 {"{\"kind\":\"ensemble\",\"members\":64}", VIPANN_MAX_PASSES},
                 {"{\"kind\":\"deterministic\",\"members\":3}", 0}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_model *model = good_with("vipann.posterior", table[i].posterior);
        assert_int_equal(model->posterior, table[i].members > 0 ? VIPANN_ENSEMBLE : VIPANN_DETERMINISTIC);
        assert_int_equal(model->members, table[i].members);
        vip_model_free(model);
    }
}

/* Each score by its name; a value at the end of its range is within it. */
static void
test_each_score_of_unknown_may_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        vipann_score score;
        const char *calibration;
        double limit;
    } table[] = {{VIPANN_SCORE_EPISTEMIC, "{\"unknown\":{\"epistemic_nats\":0}}", 0},
                 {VIPANN_SCORE_TOTAL, "{\"unknown\":{\"total_nats\":1.25,\"energy\":-3}}", 1.25},
                 {VIPANN_SCORE_CONFIDENCE, "{\"unknown\":{\"confidence\":1}}", 1},
                 {VIPANN_SCORE_SUM,
                  "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"energy\",\"mean\":-9,\"std\":2,\"note\":[]}],"
                  "\"limit\":-1.5}}}",
                  -1.5}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_model *model = good_with("vipann.calibration", table[i].calibration);
        for (int score = 0; score < VIPANN_N_SCORES; score++) {
            assert_int_equal(model->calibration.has_unknown[score], score == (int)table[i].score);
        }
        assert_true(model->calibration.unknown[table[i].score] == table[i].limit);
        const vip_sum *sum = &model->calibration.sum;
        assert_true(sum->has[VIPANN_PART_ENERGY] == (table[i].score == VIPANN_SCORE_SUM));
        assert_true(!sum->has[VIPANN_PART_ENERGY] ||
                    (sum->mean[VIPANN_PART_ENERGY] == -9 && sum->std[VIPANN_PART_ENERGY] == 2));
        vip_model_free(model);
    }
}

static void
test_keys_of_others_are_ignored(void **state)
{
    (void)state;
    vip_model *model = good_with("format", "pt");
    vip_model_free(model);
}

/* The largest and the smallest of everything that has a limit are inside it. */
static void
test_limits_are_inside(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } table[] = {
        {"vipann.width", "1"},
        {"vipann.width", "128"},
        {"vipann.frontend",
         FRONTEND("\"0123456789012345678901234567890\"", "8000", "64", "1", "64", "0", "4000", "1e-30")},
        {"vipann.frontend", FRONTEND("\"\"", "96000.0", "8192", "8192", "64.0", "47999", "48000", "1")},
        {"vipann.posterior", "{\"kind\":\"dropout\",\"rates\":{}}"},
        {"vipann.posterior", "{\"kind\":\"dropout\",\"rates\":{\"stem\":0,\"fc1\":0.9}}"},
        {"vipann.calibration", "{\"temperature\":0.01,\"temperature_deterministic\":100}"},
        {"vipann.padding", "causal"},
        {"vipann.task", "multilabel"},
        {"vipann.arch", "resnet54"},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_model_free(good_with(table[i].key, table[i].value));
    }
}

#define FORMAT            VIPANN_E_FORMAT
#define DROPOUT(rates)    "{\"kind\":\"dropout\",\"rates\":" rates "}"
#define ENSEMBLE(members) "{\"kind\":\"ensemble\",\"members\":" members "}"

/* Each row breaks one rule. value NULL: the key is missing. */
static const struct {
    const char *key, *value;
    vipann_status status;
    const char *message;
} broken[] = {
    {"vipann.format", NULL, FORMAT, "x: vipann.format is missing in the metadata: this is not a model of vipann"},
    {"vipann.format", "2", VIPANN_E_UNSUPPORTED, "x: vipann.format is 2, expected 1; use a newer vipann"},
    {"vipann.format", "0", FORMAT, "x: vipann.format is '0', expected 1"},
    {"vipann.format", "1.0", FORMAT, "x: vipann.format is '1.0', expected 1"},
    {"vipann.format", "", FORMAT, "x: vipann.format is '', expected 1"},
    {"vipann.arch", NULL, FORMAT, "x: vipann.arch is missing"},
    {"vipann.arch", "resnet50", FORMAT, "x: vipann.arch is 'resnet50', expected resnet22, resnet38 or resnet54"},
    {"vipann.width", NULL, FORMAT, "x: vipann.width is missing"},
    {"vipann.width", "0", FORMAT, "x: vipann.width is '0', expected 1 to 128"},
    {"vipann.width", "129", FORMAT, "x: vipann.width is '129', expected 1 to 128"},
    {"vipann.width", "-1", FORMAT, "x: vipann.width is '-1', expected 1 to 128"},
    {"vipann.width", "16 ", FORMAT, "x: vipann.width is '16 ', expected 1 to 128"},
    {"vipann.width", "18446744073709551617", FORMAT, "x: vipann.width is '1844674407370955', expected 1 to 128"},
    {"vipann.padding", "left", FORMAT, "x: vipann.padding is 'left', expected same or causal"},
    {"vipann.task", NULL, FORMAT, "x: vipann.task is missing"},
    {"vipann.task", "regression", FORMAT, "x: vipann.task is 'regression', expected multilabel or multiclass"},
    {"vipann.labels", NULL, FORMAT, "x: vipann.labels is missing"},
    {"vipann.labels", "", FORMAT, "x: vipann.labels: not valid JSON"},
    {"vipann.labels", "{}", FORMAT, "x: vipann.labels is an object, expected an array of strings"},
    {"vipann.labels", "[]", FORMAT, "x: vipann.labels has 0 entries, expected 1 to 4096"},
    {"vipann.labels", "[\"a\",1]", FORMAT, "x: vipann.labels: a label is a number, expected a string"},
    {"vipann.labels", "[\"\\u0000\"]", FORMAT, "x: vipann.labels: not valid JSON"},
    {"vipann.labels", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", FORMAT, "x: vipann.labels: brackets inside brackets"},
    {"vipann.frontend", NULL, FORMAT, "x: vipann.frontend is missing"},
    {"vipann.frontend", "[]", FORMAT, "x: vipann.frontend is an array, expected an object"},
    {"vipann.frontend", "{\"hop\":1,\"hop\":1}", FORMAT, "duplicate object key"},
    {"vipann.frontend", FRONTEND("1", "16000", "512", "160", "64", "50", "8000", "1e-10"), FORMAT,
     "x: vipann.frontend: name is a number, expected a string of at most 31 bytes"},
    {"vipann.frontend",
     FRONTEND("\"01234567890123456789012345678901\"", "16000", "512", "160", "64", "50", "8000", "1e-10"), FORMAT,
     "x: vipann.frontend: name is longer, expected a string of at most 31 bytes"},
    {"vipann.frontend", FRONTEND("\"f\"", "7999", "512", "160", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: sample_rate is 7999, expected 8000 to 96000"},
    {"vipann.frontend", FRONTEND("\"f\"", "96001", "512", "160", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: sample_rate is 96001, expected 8000 to 96000"},
    {"vipann.frontend", FRONTEND("\"f\"", "\"16000\"", "512", "160", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: sample_rate is a string, expected a number"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "62", "1", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: n_fft is 62, expected 64 to 8192"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "8194", "1", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: n_fft is 8194, expected 64 to 8192"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "511", "160", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: n_fft is 511, expected an even number"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512.5", "160", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: n_fft is 512.5, expected a whole number"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "0", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: hop is 0, expected 1 to 512"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "513", "64", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: hop is 513, expected 1 to 512"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "128", "50", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: mels is 128, expected 64 to 64"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "64", "-1", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: fmin is -1, expected 0 to 1000"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "64", "1000", "1000", "1e-10"), FORMAT,
     "x: vipann.frontend: fmin is 1000, expected less than fmax, which is 1000"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "64", "50", "8001", "1e-10"), FORMAT,
     "x: vipann.frontend: fmax is 8001, expected 0 to 8000"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "64", "50", "8000", "0"), FORMAT,
     "x: vipann.frontend: amin is 0, expected 1e-30 to 1"},
    {"vipann.frontend", FRONTEND("\"f\"", "16000", "512", "160", "64", "50", "8000", "1e999"), FORMAT,
     "x: vipann.frontend: not valid JSON"},
    {"vipann.frontend", "{\"name\":\"f\"}", FORMAT, "x: vipann.frontend: sample_rate is missing, expected a number"},
    {"vipann.posterior", "[]", FORMAT, "x: vipann.posterior is an array, expected an object"},
    {"vipann.posterior", "{}", FORMAT, "x: vipann.posterior: kind is missing, expected a string"},
    {"vipann.posterior", "{\"kind\":\"laplace\"}", FORMAT,
     "x: vipann.posterior: kind is 'laplace', expected deterministic, dropout, meanfield or ensemble"},
    {"vipann.posterior", "{\"kind\":\"ensemble\"}", FORMAT,
     "x: vipann.posterior: members is missing, expected a number"},
    {"vipann.posterior", ENSEMBLE("0"), FORMAT, "x: vipann.posterior: members is 0, expected 1 to 64"},
    {"vipann.posterior", ENSEMBLE("65"), FORMAT, "x: vipann.posterior: members is 65, expected 1 to 64"},
    {"vipann.posterior", ENSEMBLE("-1"), FORMAT, "x: vipann.posterior: members is -1, expected 1 to 64"},
    {"vipann.posterior", ENSEMBLE("2.5"), FORMAT, "x: vipann.posterior: members is 2.5, expected a whole number"},
    {"vipann.posterior", ENSEMBLE("\"3\""), FORMAT, "x: vipann.posterior: members is a string, expected a number"},
    {"vipann.posterior", ENSEMBLE("1e300"), FORMAT, "x: vipann.posterior: members is 1e+300, expected 1 to 64"},
    {"vipann.posterior", "{\"kind\":\"dropout\"}", FORMAT,
     "x: vipann.posterior: rates is missing, expected an object of one rate per site"},
    {"vipann.posterior", "{\"kind\":\"dropout\",\"preset\":1,\"rates\":{}}", FORMAT,
     "x: vipann.posterior: preset is a number, expected a string"},
    {"vipann.posterior", DROPOUT("{\"layer3.6\":0.1}"), FORMAT,
     "x: vipann.posterior: rates: resnet38 has no site 'layer3.6'"},
    {"vipann.posterior", DROPOUT("{\"stem\":0.91}"), FORMAT, "x: vipann.posterior: stem is 0.91, expected 0 to 0.9"},
    {"vipann.posterior", DROPOUT("{\"stem\":-0.1}"), FORMAT, "x: vipann.posterior: stem is -0.1, expected 0 to 0.9"},
    {"vipann.posterior", DROPOUT("{\"stem\":null}"), FORMAT, "x: vipann.posterior: stem is null, expected a number"},
    {"vipann.posterior", "{\"kind\":\"meanfield\",\"prior\":{\"mu\":0,\"sigma\":0}}", FORMAT,
     "x: vipann.posterior: prior sigma is 0, expected"},
    {"vipann.calibration", "1", FORMAT, "x: vipann.calibration: not valid JSON"},
    {"vipann.calibration", "[]", FORMAT, "x: vipann.calibration is an array, expected an object"},
    {"vipann.calibration", "{\"temperature\":0}", FORMAT,
     "x: vipann.calibration: temperature is 0, expected 0.01 to 100"},
    {"vipann.calibration", "{\"temperature\":100.1}", FORMAT,
     "x: vipann.calibration: temperature is 100.1, expected 0.01 to 100"},
    {"vipann.calibration", "{\"temperature\":[1,1]}", FORMAT,
     "x: vipann.calibration: temperature has 2 entries, expected 3, one per label"},
    {"vipann.calibration", "{\"temperature\":[1,null,1]}", FORMAT,
     "x: vipann.calibration: temperature is null, expected a number"},
    {"vipann.calibration", "{\"temperature\":\"1\"}", FORMAT,
     "x: vipann.calibration: temperature is a string, expected a number or an array of one per class"},
    {"vipann.calibration", "{\"temperature_deterministic\":0}", FORMAT,
     "x: vipann.calibration: temperature_deterministic is 0, expected 0.01 to 100"},
    {"vipann.calibration", "{\"offset\":[1,1,1,1]}", FORMAT,
     "x: vipann.calibration: offset has 4 entries, expected 3, one per label"},
    {"vipann.calibration", "{\"offset\":1e300}", FORMAT, "x: vipann.calibration: offset is 1e+300, expected"},
    {"vipann.calibration", "{\"thresholds\":[0.5]}", FORMAT,
     "x: vipann.calibration: thresholds has 1 entries, expected 3, one per label"},
    {"vipann.calibration", "{\"thresholds\":[0.5,1.5,0.5]}", FORMAT,
     "x: vipann.calibration: thresholds is 1.5, expected 0 to 1"},
    {"vipann.calibration", "{\"thresholds\":-0.5}", FORMAT,
     "x: vipann.calibration: thresholds is -0.5, expected 0 to 1"},
    {"vipann.calibration", "{\"thresholds\":null}", FORMAT, "x: vipann.calibration: thresholds is null, expected"},
    {"vipann.calibration", "{\"unknown\":1}", FORMAT, "x: vipann.calibration: unknown is a number, expected an object"},
    {"vipann.calibration", "{\"unknown\":{\"epistemic_nats\":-1}}", FORMAT,
     "x: vipann.calibration: epistemic_nats is -1, expected 0 to"},
    {"vipann.calibration", "{\"unknown\":{\"total_nats\":\"1\"}}", FORMAT,
     "x: vipann.calibration: total_nats is a string, expected a number"},
    {"vipann.calibration", "{\"unknown\":{\"total_nats\":-0.5}}", FORMAT,
     "x: vipann.calibration: total_nats is -0.5, expected 0 to"},
    {"vipann.calibration", "{\"unknown\":{\"confidence\":1.1}}", FORMAT,
     "x: vipann.calibration: confidence is 1.1, expected 0 to 1"},
    {"vipann.calibration", "{\"unknown\":{\"score\":1}}", FORMAT,
     "x: vipann.calibration: score is a number, expected an object"},
    {"vipann.calibration", "{\"unknown\":{\"score\":null}}", FORMAT,
     "x: vipann.calibration: score is null, expected an object"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: parts is missing, expected an array of 1 to 5"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"parts\":[],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: parts is one of another length, expected an array of 1 to 5"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"parts\":[1],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: a part is a number, expected an object with name, mean and std"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"parts\":[{\"mean\":0,\"std\":1}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: a part is without a name, expected"},
    {"vipann.calibration",
     "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"loudness\",\"mean\":0,\"std\":1}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: a part is 'loudness', expected total, epistemic, confidence, energy or distance"},
    {"vipann.calibration",
     "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"mean\":0,\"std\":1},{\"name\":\"total\",\"mean\":0,"
     "\"std\":1}],\"limit\":1}}}",
     FORMAT, "x: vipann.calibration: score: a part is 'total' for the second time"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"std\":1}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: mean of a part is missing, expected a number"},
    {"vipann.calibration",
     "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"mean\":1e300,\"std\":1}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: mean of a part is 1e+300, expected"},
    {"vipann.calibration",
     "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"mean\":0,\"std\":0}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: std of a part is 0, expected"},
    {"vipann.calibration",
     "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"mean\":0,\"std\":-1}],\"limit\":1}}}", FORMAT,
     "x: vipann.calibration: score: std of a part is -1, expected"},
    {"vipann.calibration", "{\"unknown\":{\"score\":{\"parts\":[{\"name\":\"total\",\"mean\":0,\"std\":1}]}}}", FORMAT,
     "x: vipann.calibration: score: limit is missing, expected a number"},
    {"vipann.calibration", "{\"members\":1.5}", FORMAT,
     "x: vipann.calibration: members is 1.5, expected a whole number"},
    {"vipann.calibration", "{\"members\":-1}", FORMAT, "x: vipann.calibration: members is -1, expected 0 to 65535"},
    {"vipann.calibration", "{\"window_columns\":65536}", FORMAT,
     "x: vipann.calibration: window_columns is 65536, expected 0 to 65535"},
    {"vipann.calibration", "{\"data\":1}", FORMAT, "x: vipann.calibration: data is a number, expected a string"},
};

static void
test_each_broken_rule_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(broken); i++) {
        vip_model *model;
        vipann_error error = {VIPANN_OK, ""};
        vipann_status status = read_with(broken[i].key, broken[i].value, &model, &error);
        vip_model_free(model);
        if (status != broken[i].status || strstr(error.text, broken[i].message) == NULL) {
            fail_msg("%s = %s: %d '%s', expected %d '%s'", broken[i].key, broken[i].value, status, error.text,
                     broken[i].status, broken[i].message);
        }
        assert_int_equal(error.status, status);
        assert_int_equal(read_with(broken[i].key, broken[i].value, &model, NULL), status);
        vip_model_free(model);
    }
}

static void
test_classes_are_at_most_4096(void **state)
{
    (void)state;
    for (uint32_t n = VIP_MAX_CLASSES; n <= VIP_MAX_CLASSES + 1; n++) {
        json_t *labels = json_array();
        for (uint32_t i = 0; i < n; i++) {
            json_array_append_new(labels, json_string("s"));
        }
        char *text = json_dumps(labels, 0);
        vip_model *model;
        assert_int_equal(read_with("vipann.labels", text, &model, NULL), n <= VIP_MAX_CLASSES ? VIPANN_OK : FORMAT);
        vip_model_free(model);
        free(text);
        json_decref(labels);
    }
}

static void
test_no_metadata_at_all_is_no_model(void **state)
{
    (void)state;
    vip_model *model = vip_alloc(1, sizeof *model);
    vipann_error error = {VIPANN_OK, ""};
    assert_int_equal(vip_metadata_read(model, NULL, "x", &error), FORMAT);
    assert_string_equal(error.text, "x: vipann.format is missing in the metadata: this is not a model of vipann");
    vip_model_free(model);
}

/* Numbers are written so that the same bits come back. */
static void
test_what_is_written_is_read_back(void **state)
{
    (void)state;
    for (int posterior = VIPANN_DETERMINISTIC; posterior <= VIPANN_ENSEMBLE; posterior++) {
        random_model_spec spec = {VIP_RESNET22, 1, 5, VIP_CAUSAL, (vipann_posterior)posterior, VIPANN_MULTICLASS, 3};
        vip_model *written = random_model(&spec), *read = vip_alloc(1, sizeof *read);
        assert_non_null(written);
        written->frontend.fmin = 1.0 / 3;
        written->calibration.unknown[VIPANN_SCORE_EPISTEMIC] = 0.1;
        written->calibration.has_unknown[VIPANN_SCORE_TOTAL] = posterior == VIPANN_DROPOUT;
        written->calibration.unknown[VIPANN_SCORE_TOTAL] = posterior == VIPANN_DROPOUT ? 1.0 / 7 : 0;
        written->calibration.has_unknown[VIPANN_SCORE_CONFIDENCE] = posterior != VIPANN_DETERMINISTIC;
        written->calibration.unknown[VIPANN_SCORE_CONFIDENCE] = posterior != VIPANN_DETERMINISTIC ? 0.7 : 0;
        written->calibration.temperature[3] = 0.01f; /* the least, which is less as a float */
        written->calibration.temperature[4] = 0.1f;
        written->prior_sigma = 0.7;
        assert_true(posterior == VIPANN_MEANFIELD || random_model_sum(written, 2, 1));
        json_t *metadata = vip_metadata_write(written);
        assert_int_equal(vip_metadata_read(read, metadata, "x", NULL), VIPANN_OK);
        json_decref(metadata);
        const vip_calibration *a = &written->calibration, *b = &read->calibration;
        assert_memory_equal(&read->network, &written->network, sizeof read->network);
        assert_int_equal(read->task, written->task);
        assert_int_equal(read->posterior, written->posterior);
        assert_int_equal(read->members, written->members);
        assert_memory_equal(read->rates, written->rates, sizeof read->rates);
        assert_true(read->frontend.fmin == written->frontend.fmin && read->frontend.amin == written->frontend.amin);
        assert_true(read->prior_sigma == (posterior == VIPANN_MEANFIELD ? 0.7 : 1));
        assert_memory_equal(b->temperature, a->temperature, 5 * sizeof(float));
        assert_memory_equal(b->offset, a->offset, 5 * sizeof(float));
        assert_memory_equal(b->thresholds, a->thresholds, 5 * sizeof(float));
        assert_true(b->present && b->has_deterministic);
        assert_memory_equal(b->has_unknown, a->has_unknown, sizeof a->has_unknown);
        assert_memory_equal(b->unknown, a->unknown, sizeof a->unknown);
        assert_memory_equal(b->sum.has, a->sum.has, sizeof a->sum.has);
        assert_memory_equal(b->sum.mean, a->sum.mean, sizeof a->sum.mean);
        assert_memory_equal(b->sum.std, a->sum.std, sizeof a->sum.std);
        assert_true(b->temperature_deterministic == a->temperature_deterministic);
        assert_true(b->members == a->members && b->window_columns == a->window_columns);
        assert_string_equal(b->data, a->data);
        assert_string_equal(read->preset, written->preset);
        assert_string_equal(read->provenance, written->provenance);
        assert_string_equal(read->license, written->license);
        assert_string_equal(read->labels[4], written->labels[4]);
        vip_model_free(read);
        vip_model_free(written);
    }
}

static void
test_short_memory_is_said_of_metadata(void **state)
{
    (void)state;
    let_json_fail(true);
    json_t *metadata = least();
    json_object_set_new(metadata, "vipann.calibration", json_string("{\"temperature\":[1,2,3],\"data\":\"d\"}"));
    vipann_status status = VIPANN_E_MEMORY;
    long n = 0;
    for (; status == VIPANN_E_MEMORY; n++) {
        vip_model *model = vip_alloc(1, sizeof *model);
        vipann_error error = {VIPANN_OK, ""};
        assert_non_null(model);
        failing_after(n);
        status = vip_metadata_read(model, metadata, "x", &error);
        failing_after(-1);
        assert_int_equal(error.status, status);
        vip_model_free(model);
    }
    assert_int_equal(status, VIPANN_OK);
    assert_true(n > 20);
    json_decref(metadata);
    let_json_fail(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_stated_has_a_default),
        cmocka_unit_test(test_an_empty_calibration_is_none),
        cmocka_unit_test(test_calibration_takes_numbers_and_arrays),
        cmocka_unit_test(test_a_site_that_is_not_named_is_off),
        cmocka_unit_test(test_a_prior_is_kept_and_may_be_something_else),
        cmocka_unit_test(test_an_ensemble_says_how_many_members_it_has),
        cmocka_unit_test(test_each_score_of_unknown_may_have_a_limit),
        cmocka_unit_test(test_keys_of_others_are_ignored),
        cmocka_unit_test(test_limits_are_inside),
        cmocka_unit_test(test_each_broken_rule_has_its_message),
        cmocka_unit_test(test_classes_are_at_most_4096),
        cmocka_unit_test(test_no_metadata_at_all_is_no_model),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_short_memory_is_said_of_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
