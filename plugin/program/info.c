/* SPDX-License-Identifier: GPL-3.0-or-later */
/* info.c -- `vipann info`: what a model says of itself, what it costs by its shapes, and what it takes here. */
#include <stdio.h>
#include <string.h>

#include <common/jsonl.h>
#include <common/number.h>
#include <common/options.h>
#include <common/support.h>
#include <common/text.h>

#include "commands.h"
#include "measure.h"
#include "models.h"

enum { DIGITS = 7, COST_DIGITS = 4, KEY_CELLS = 16, PROSE_COLUMNS = 80, LINE = 256 };

enum { JSON, PASSES, QUICK, N_OPTIONS };

static const char GROUP[] = "Options";

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [JSON] = &(const vip_option){"json", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, GROUP,
                                 "One JSON object instead of text."},
    [PASSES] = &(const vip_option){"passes", VIP_OPTION_WHOLE, "N", 1, VIPANN_MAX_PASSES, NULL, NULL,
                                   "the model's, else 8", GROUP, "Monte-Carlo passes to count and to measure."},
    [QUICK] = &(const vip_option){"quick", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, GROUP,
                                  "Leave out the measurement, which takes a few seconds."},
};

const vip_command VIP_INFO_COMMAND = {
    .name = "vipann info",
    .operands = "[MODEL]",
    .summary = "Describes a model, and says what it costs: by its shapes, and live on this machine.",
    .details = "MODEL is a .safetensors file, or the name of a model in VIPANN_MODEL_PATH or among those installed; "
               "without it, "
               "the model that the program uses by itself. The share of a core is measured by running the model on "
               "noise, one column at a time as a live stream "
               "would, in one thread.",
    .examples = "vipann info\n"
                "vipann info --json --quick mine.safetensors",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 0,
    .most_operands = 1,
};

static const char *
posterior_name(vipann_posterior posterior)
{
    static const char *const names[] = {[VIPANN_DETERMINISTIC] = "deterministic",
                                        [VIPANN_DROPOUT] = "dropout",
                                        [VIPANN_MEANFIELD] = "meanfield",
                                        [VIPANN_ENSEMBLE] = "ensemble"};
    return names[posterior];
}

static const char *
task_name(vipann_task task)
{
    return task == VIPANN_MULTICLASS ? "multiclass" : "multilabel";
}

/* -------------------------------------------------------------------------------------------------------- modes */

enum { MOST_MODES = 6 };

/* One way to run the model live. */
typedef struct {
    const char *name;
    const char *kind; /* of its passes */
    uint32_t passes;
    vipann_members members;
    vipann_latency latency;
    vipann_cost cost;
    double core; /* of one core, 1 is all of it; negative: not measured */
} mode;

/* The kinds of passes that members make, besides the one without members that all models have. */
static const struct {
    const char *name;
    vipann_posterior posterior;
    vipann_members members;
} KINDS[] = {
    {"dropout", VIPANN_DROPOUT, VIPANN_FLIPOUT},
    {"flipout", VIPANN_MEANFIELD, VIPANN_FLIPOUT},
    {"explicit", VIPANN_MEANFIELD, VIPANN_EXPLICIT},
    {"ensemble", VIPANN_ENSEMBLE, VIPANN_FLIPOUT},
};

/* Appends a kind of pass with each latency that the network has. */
static size_t
add_modes(const vipann_model_info *info, const mode *kind, mode modes[MOST_MODES], size_t n)
{
    for (int edge = 0; edge < (info->causal ? 1 : 2); edge++) {
        modes[n] = *kind;
        modes[n].name = info->causal ? "causal" : edge ? "edge" : "centred";
        modes[n++].latency = edge ? VIPANN_EDGE : VIPANN_CENTRED;
    }
    return n;
}

/* The ways that this model has: causal networks have one kind of latency, deterministic ones one kind of pass. */
static size_t
list_modes(const vipann_model_info *info, uint32_t passes, mode modes[MOST_MODES])
{
    size_t n = add_modes(info, &(mode){.kind = "deterministic", .core = -1}, modes, 0);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (KINDS[i].posterior == info->posterior) {
            const mode kind = {.kind = KINDS[i].name, .passes = passes, .members = KINDS[i].members, .core = -1};
            n = add_modes(info, &kind, modes, n);
        }
    }
    return n;
}

static vipann_status
fill_modes(vipann_model *model, mode *modes, size_t n, bool measured, vipann_error *error)
{
    for (size_t i = 0; i < n; i++) {
        vipann_options o;
        vipann_options_default(&o, model);
        o.passes = o.max_passes = modes[i].passes;
        o.members = modes[i].members;
        o.latency = modes[i].latency;
        vipann_status status = vipann_model_cost(model, &o, &modes[i].cost, error);
        if (status == VIPANN_OK && measured) {
            status = vip_measure_core(model, &o, &modes[i].core, error);
        }
        if (status != VIPANN_OK) {
            return status;
        }
    }
    return VIPANN_OK;
}

/* --------------------------------------------------------------------------------------------------------- text */

static void
put_key(const char *key)
{
    (void)printf("%-*s", KEY_CELLS, key);
}

/* A line for a text that comes from the model file: nothing in it reaches the terminal as a command. */
static void
put_stated(const vip_text_style *style, const char *key, const char *text)
{
    put_key(key);
    (void)vip_text_put(stdout, style, *text != '\0' ? text : "not stated", 0, SIZE_MAX);
    (void)putchar('\n');
}

/* The same for prose, over as many lines as it takes. */
static void
put_prose(const vip_text_style *style, const char *key, const char *text)
{
    put_key(key);
    vip_text_wrap(stdout, *text != '\0' ? text : "not stated", KEY_CELLS, KEY_CELLS,
                  style->columns > 0 ? style->columns : PROSE_COLUMNS);
}

static void
put_network(const vip_text_style *style, const vipann_model_info *info)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE], c[VIP_NUMBER_SIZE], d[VIP_NUMBER_SIZE];
    put_stated(style, "model", info->name);
    put_stated(style, "sha256", info->sha256);
    put_key("network");
    (void)printf("%s, width %u, padding %s, %s million weights%s\n", info->arch, info->width, info->padding,
                 vip_number_fixed(a, (double)info->weights / 1e6, 2), info->members > 0 ? " each" : "");
    put_key("task");
    (void)printf("%s, %u classes\n", task_name(info->task), info->classes);
    char line[LINE];
    (void)snprintf(line, sizeof line, "%.64s: %s Hz, window %u, hop %u samples, %u mel bins of %s to %s Hz",
                   info->frontend, vip_number_write(a, info->sample_rate, DIGITS), info->n_fft, info->hop, info->mels,
                   vip_number_write(b, info->fmin, DIGITS), vip_number_write(c, info->fmax, DIGITS));
    put_prose(style, "front-end", line);
    put_key("column");
    (void)printf("%s s; look-ahead %s s\n", vip_number_write(a, info->column_seconds, COST_DIGITS),
                 vip_number_write(d, info->look_ahead_seconds, COST_DIGITS));
    put_key("posterior");
    (void)fputs(posterior_name(info->posterior), stdout);
    if (*info->preset != '\0') {
        (void)fputs(", preset ", stdout);
        (void)vip_text_put(stdout, style, info->preset, 0, SIZE_MAX);
    }
    if (info->members > 0) {
        (void)printf(" of %u member%s", info->members, info->members == 1 ? "" : "s");
    }
    (void)putchar('\n');
}

/* What the sum adds up, if the model states one, and over how many prototypes its distance. */
static void
put_parts(const vip_text_style *style, const vipann_model_info *info)
{
    char line[LINE] = "", last[LINE] = "";
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        if (info->has_part[i]) {
            (void)snprintf(line, sizeof line, "%.128s%s%s", last, *last != '\0' ? ", " : "",
                           vipann_part_name((vipann_part)i));
            memcpy(last, line, sizeof last);
        }
    }
    if (info->prototypes > 0) {
        (void)snprintf(line, sizeof line, "%.128s (%u prototypes)", last, info->prototypes);
    }
    if (*line != '\0') {
        put_prose(style, "  sum of", line);
    }
}

/* From where on a sound is unknown: a line for what the model states. */
static void
put_limits(const vipann_model_info *info)
{
    static const char *const before[] = {[VIPANN_SCORE_EPISTEMIC] = "epistemic above ",
                                         [VIPANN_SCORE_TOTAL] = "total doubt above ",
                                         [VIPANN_SCORE_CONFIDENCE] = "largest probability below ",
                                         [VIPANN_SCORE_SUM] = "sum above "};
    static const char *const behind[] = {[VIPANN_SCORE_EPISTEMIC] = " nats",
                                         [VIPANN_SCORE_TOTAL] = " nats",
                                         [VIPANN_SCORE_CONFIDENCE] = "",
                                         [VIPANN_SCORE_SUM] = ""};
    char number[VIP_NUMBER_SIZE];
    bool any = false;
    for (int i = 0; i < VIPANN_N_SCORES; i++) {
        if (info->has_unknown[i]) {
            put_key(any ? "" : "  unknown");
            (void)printf("%s%s%s%s\n", any ? "or " : "", before[i],
                         vip_number_write(number, info->unknown[i], COST_DIGITS), behind[i]);
            any = true;
        }
    }
}

static void
put_calibration(const vip_text_style *style, const vipann_model_info *info)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE];
    put_key("calibration");
    if (!info->has_calibration) {
        (void)puts("none");
        return;
    }
    (void)printf("temperature %s, of the deterministic pass %s\n", vip_number_write(a, info->temperature, COST_DIGITS),
                 vip_number_write(b, info->temperature_deterministic, COST_DIGITS));
    if (info->calibration_members > 0 || info->calibration_window_columns > 0) {
        put_key("  holds for");
        (void)printf("%u passes, window of %u columns (0: any)\n", info->calibration_members,
                     info->calibration_window_columns);
    }
    put_limits(info);
    put_parts(style, info);
    put_prose(style, "  found on", info->calibration_data);
}

static void
put_modes(const mode *modes, size_t n, bool measured)
{
    char a[VIP_NUMBER_SIZE], b[VIP_NUMBER_SIZE], c[VIP_NUMBER_SIZE];
    (void)printf("\n%-10s %-17s  %23s  %8s%s\n", "live mode", "passes", "multiply-adds per s", "memory",
                 measured ? "  of one core here" : "");
    for (size_t i = 0; i < n; i++) {
        char passes[VIP_NUMBER_SIZE];
        (void)snprintf(passes, sizeof passes, "%u %s", modes[i].passes, modes[i].kind);
        (void)printf("%-10s %-17s  %15s million  %5s MB", modes[i].name, modes[i].passes > 0 ? passes : modes[i].kind,
                     vip_number_fixed(a, modes[i].cost.macs_per_second / 1e6, 0),
                     vip_number_fixed(b, (double)modes[i].cost.memory_bytes / 1e6, 1));
        if (modes[i].core >= 0) {
            (void)printf("  %s %%%s", vip_number_fixed(c, 100 * modes[i].core, 1),
                         modes[i].core > 1 ? ": does not run live here" : "");
        }
        (void)putchar('\n');
    }
}

static void
put_text(const vipann_model_info *info, const mode *modes, size_t n, bool measured)
{
    vip_text_style style = vip_text_style_of(stdout);
    put_network(&style, info);
    put_calibration(&style, info);
    put_prose(&style, "provenance", info->provenance);
    put_prose(&style, "licence", info->license);
    put_key("kernels");
    (void)printf("%s\n", vipann_kernels());
    put_modes(modes, n, measured);
}

/* --------------------------------------------------------------------------------------------------------- JSON */

static void
put_text_or_null(vip_json *json, const char *key, const char *text)
{
    vip_json_text(json, key, *text != '\0' ? text : NULL);
}

static void
put_json_frontend(vip_json *json, const vipann_model_info *info)
{
    vip_json_object(json, "frontend");
    put_text_or_null(json, "name", info->frontend);
    vip_json_number(json, "sample_rate", info->sample_rate, DIGITS);
    vip_json_whole(json, "n_fft", info->n_fft);
    vip_json_whole(json, "hop", info->hop);
    vip_json_whole(json, "mels", info->mels);
    vip_json_number(json, "fmin", info->fmin, DIGITS);
    vip_json_number(json, "fmax", info->fmax, DIGITS);
    vip_json_close(json);
}

/* A count that is 0 where the model states none. */
static void
put_stated_count(vip_json *json, const char *key, uint32_t value)
{
    if (value > 0) {
        vip_json_whole(json, key, value);
    } else {
        vip_json_null(json, key);
    }
}

static void
put_stated_number(vip_json *json, const char *key, bool stated, double value)
{
    if (stated) {
        vip_json_number(json, key, value, DIGITS);
    } else {
        vip_json_null(json, key);
    }
}

static void
put_json_calibration(vip_json *json, const vipann_model_info *info)
{
    if (!info->has_calibration) {
        vip_json_null(json, "calibration");
        return;
    }
    vip_json_object(json, "calibration");
    vip_json_number(json, "temperature", info->temperature, DIGITS);
    vip_json_number(json, "temperature_deterministic", info->temperature_deterministic, DIGITS);
    put_stated_count(json, "members", info->calibration_members);
    put_stated_count(json, "window_columns", info->calibration_window_columns);
    vip_json_object(json, "unknown");
    for (int i = 0; i < VIPANN_N_SCORES; i++) {
        put_stated_number(json, vipann_score_name((vipann_score)i), info->has_unknown[i], info->unknown[i]);
    }
    vip_json_close(json);
    vip_json_array(json, "score_parts");
    for (int i = 0; i < VIPANN_N_PARTS; i++) {
        if (info->has_part[i]) {
            vip_json_text(json, NULL, vipann_part_name((vipann_part)i));
        }
    }
    vip_json_close(json);
    put_stated_count(json, "prototypes", info->prototypes);
    put_text_or_null(json, "data", info->calibration_data);
    vip_json_close(json);
}

static void
put_json_modes(vip_json *json, const mode *modes, size_t n)
{
    vip_json_array(json, "modes");
    for (size_t i = 0; i < n; i++) {
        vip_json_object(json, NULL);
        vip_json_text(json, "latency", modes[i].name);
        vip_json_whole(json, "passes", modes[i].passes);
        vip_json_text(json, "kind", modes[i].kind);
        vip_json_number(json, "macs_per_s", modes[i].cost.macs_per_second, DIGITS);
        vip_json_whole(json, "memory_bytes", modes[i].cost.memory_bytes);
        if (modes[i].core >= 0) {
            vip_json_number(json, "core", modes[i].core, COST_DIGITS);
            vip_json_truth(json, "runs_live", modes[i].core <= 1);
        } else {
            vip_json_null(json, "core");
            vip_json_null(json, "runs_live");
        }
        vip_json_close(json);
    }
    vip_json_close(json);
}

static void
put_json(const vipann_model *model, const vipann_model_info *info, const mode *modes, size_t n)
{
    vip_json json = {.out = stdout};
    vip_json_object(&json, NULL);
    vip_json_text(&json, "name", info->name);
    vip_json_text(&json, "sha256", info->sha256);
    vip_json_text(&json, "arch", info->arch);
    vip_json_whole(&json, "width", info->width);
    vip_json_text(&json, "padding", info->padding);
    vip_json_whole(&json, "weights", info->weights);
    vip_json_text(&json, "task", task_name(info->task));
    put_json_frontend(&json, info);
    vip_json_number(&json, "column_s", info->column_seconds, DIGITS);
    vip_json_number(&json, "look_ahead_s", info->look_ahead_seconds, DIGITS);
    vip_json_object(&json, "posterior");
    vip_json_text(&json, "kind", posterior_name(info->posterior));
    put_text_or_null(&json, "preset", info->preset);
    put_stated_count(&json, "members", info->members);
    vip_json_close(&json);
    put_json_calibration(&json, info);
    put_text_or_null(&json, "provenance", info->provenance);
    put_text_or_null(&json, "license", info->license);
    vip_json_text(&json, "kernels", vipann_kernels());
    put_json_modes(&json, modes, n);
    vip_json_array(&json, "labels");
    for (uint32_t i = 0; i < info->classes; i++) {
        vip_json_text(&json, NULL, vipann_model_label(model, i));
    }
    vip_json_close(&json);
    vip_json_close(&json);
}

/* ---------------------------------------------------------------------------------------------------------- run */

static int
run(const vip_arguments *a)
{
    vipann_error error;
    mode modes[MOST_MODES];
    vipann_model *model = vip_models_open(a->n_operands > 0 ? a->operands[0] : VIP_DEFAULT_MODEL, &error);
    if (model == NULL) {
        (void)fprintf(stderr, "%s: %s\n", VIP_INFO_COMMAND.name, error.text);
        return VIP_EXIT_FAILED;
    }
    vipann_model_info info;
    vipann_options options;
    vipann_model_describe(model, &info);
    vipann_options_default(&options, model);
    uint32_t passes = a->values[PASSES].given ? (uint32_t)a->values[PASSES].whole : options.passes;
    size_t n = list_modes(&info, passes, modes);
    bool measured = !a->values[QUICK].given;
    int status = VIP_EXIT_DONE;
    if (fill_modes(model, modes, n, measured, &error) != VIPANN_OK) {
        (void)fprintf(stderr, "%s: %s\n", VIP_INFO_COMMAND.name, error.text);
        status = VIP_EXIT_FAILED;
    } else if (a->values[JSON].given) {
        put_json(model, &info, modes, n);
    } else {
        put_text(&info, modes, n, measured);
    }
    vipann_model_unref(model);
    return status;
}

int
vip_command_info(int argc, char **argv)
{
    return vip_command_line(&VIP_INFO_COMMAND, argc, argv, vip_preset_apply, run);
}
