/* SPDX-License-Identifier: GPL-3.0-or-later */
/* asked.c -- see asked.h for the contract. */
#include "asked.h"

#include <math.h>

#include "models.h"

const char *const VIP_MEMBERS_NAMES[] = {"flipout", "explicit", NULL};

static const char *const ALL[] = {"all", NULL};
static const char *const OF_MODEL[] = {"model", NULL};

const vip_option VIP_OPTION_CHANNEL = {
    .name = "channel",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 1,
    .most = VIPANN_MAX_CHANNELS,
    .otherwise = "the mean of all",
    .group = VIP_GROUP_SOUND,
    .help = "Hear one channel only, counted from 1.",
};

const vip_option VIP_OPTION_PRESET = {
    .name = "preset",
    .kind = VIP_OPTION_TEXT,
    .argument = "NAME|FILE",
    .group = VIP_GROUP_NETWORK,
    .help = "Read options from FILE, in lines KEY = VALUE, or from the preset of this name among yours and those "
            "installed, such as night; what the command line says wins.",
};

const vip_option VIP_OPTION_MODEL = {
    .name = "model",
    .kind = VIP_OPTION_TEXT,
    .argument = "MODEL",
    .standard = VIP_DEFAULT_MODEL,
    .group = VIP_GROUP_NETWORK,
    .help = "A .safetensors file, or the name of a model in VIPANN_MODEL_PATH (folders separated by colons) or among "
            "those installed.",
};

const vip_option VIP_OPTION_PASSES = {
    .name = "passes",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 0,
    .most = VIPANN_MAX_PASSES,
    .otherwise = "the model's, else 8",
    .group = VIP_GROUP_NETWORK,
    .help = "Monte-Carlo passes, or members of an ensemble; their disagreement is what the model does not know. 0: one "
            "deterministic pass.",
};

const vip_option VIP_OPTION_MEMBERS = {
    .name = "members",
    .kind = VIP_OPTION_CHOICE,
    .words = VIP_MEMBERS_NAMES,
    .standard = "flipout",
    .group = VIP_GROUP_NETWORK,
    .help = "How a mean-field model draws its members. flipout: all from one draw, with signs of their own; cheap. "
            "explicit: each with a draw of its own; independent, and slower.",
};

const vip_option VIP_OPTION_SEED = {
    .name = "seed",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 0,
    .most = 1.8446744073709551615e19,
    .standard = "1",
    .group = VIP_GROUP_NETWORK,
    .help = "Of all random numbers; the same seed gives the same results.",
};

const vip_option VIP_OPTION_HOP = {
    .name = "hop",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 1e-3,
    .most = 1e4,
    .otherwise = "one column",
    .group = VIP_GROUP_NETWORK,
    .help =
        "Time between results, rounded to whole columns of the network (0.32 s in the shipped models), at least one.",
};

const vip_option VIP_OPTION_WINDOW = {
    .name = "window",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 1e-3,
    .most = 1e7,
    .words = ALL,
    .otherwise = "the model's, else 15 columns",
    .group = VIP_GROUP_NETWORK,
    .help = "How far back a result listens, rounded likewise. More than 375 columns mean: back to the start. Events "
            "have a short window of their own.",
};

const vip_option VIP_OPTION_HORIZON = {
    .name = "horizon",
    .kind = VIP_OPTION_NUMBER,
    .argument = "SECONDS",
    .least = 0,
    .most = 3600,
    .standard = "0",
    .group = VIP_GROUP_NETWORK,
    .help = "Time constant of smoothing over results; 0: none.",
};

const vip_option VIP_OPTION_RULES = {
    .name = "rules",
    .kind = VIP_OPTION_TEXT,
    .argument = "FILE",
    .group = VIP_GROUP_RULES,
    .help = "Read rules for all classes and for single ones: lines KEY = VALUE, and sections [class \"Dog\"]. Keys: "
            "threshold, hysteresis, min_length, merge_gap, hops, report, level; vipann-rules(5) tells of them.",
};

const vip_option VIP_OPTION_THRESHOLD = {
    .name = "threshold",
    .kind = VIP_OPTION_NUMBER,
    .argument = "P",
    .least = 0,
    .most = 1,
    .words = OF_MODEL,
    .otherwise = "the model's, else 0.5 (0.8 if its classes are exclusive)",
    .group = VIP_GROUP_RULES,
    .help = "Probability from which a class is present, where the rules say nothing about this class.",
};

const vip_option VIP_OPTION_ONLY = {
    .name = "only",
    .kind = VIP_OPTION_TEXT,
    .argument = "\"A;B\"",
    .group = VIP_GROUP_RULES,
    .help = "Report events of these classes only, named as the model does.",
};

const vip_option VIP_OPTION_IGNORE = {
    .name = "ignore",
    .kind = VIP_OPTION_TEXT,
    .argument = "\"A;B\"",
    .group = VIP_GROUP_RULES,
    .help = "Report no events of these classes.",
};

const vip_option VIP_OPTION_EVENTS = {
    .name = "events",
    .kind = VIP_OPTION_FLAG,
    .group = VIP_GROUP_RESULTS,
    .help = "Events instead of results: from when to when a class was heard, in the order in which they end.",
};

const vip_option VIP_OPTION_TOP = {
    .name = "top",
    .kind = VIP_OPTION_WHOLE,
    .argument = "N",
    .least = 1,
    .most = 4096,
    .words = ALL,
    .standard = "5",
    .group = VIP_GROUP_RESULTS,
    .help = "Classes in a result, the most probable first; text on a terminal shows as many as fit.",
};

static uint32_t
to_columns(double seconds, double column_seconds)
{
    double columns = round(seconds / column_seconds);
    return columns < 1 ? 1 : columns < UINT32_MAX ? (uint32_t)columns : UINT32_MAX;
}

void
vip_asked_engine_options(const vip_arguments *arguments, const vipann_model *model, vipann_options *o)
{
    vipann_model_info info;
    const vip_value *channel = vip_argument(arguments, &VIP_OPTION_CHANNEL);
    const vip_value *passes = vip_argument(arguments, &VIP_OPTION_PASSES);
    const vip_value *hop = vip_argument(arguments, &VIP_OPTION_HOP);
    const vip_value *window = vip_argument(arguments, &VIP_OPTION_WINDOW);
    vipann_model_describe(model, &info);
    vipann_options_default(o, model);
    o->channel = channel->given ? (int32_t)channel->whole - 1 : -1;
    if (passes->given && info.posterior != VIPANN_DETERMINISTIC) {
        o->passes = (uint32_t)passes->whole;
    }
    o->max_passes = o->passes;
    o->members = (vipann_members)vip_argument(arguments, &VIP_OPTION_MEMBERS)->word;
    o->seed = vip_argument(arguments, &VIP_OPTION_SEED)->whole;
    if (hop->given) {
        uint32_t columns = to_columns(hop->number, info.column_seconds);
        o->hop_columns = columns < VIPANN_MAX_HOP_COLUMNS ? columns : VIPANN_MAX_HOP_COLUMNS;
    }
    if (window->given) {
        bool all = window->word != VIP_NO_WORD;
        uint32_t columns = all ? 0 : to_columns(window->number, info.column_seconds);
        o->window_columns = columns <= VIPANN_MAX_WINDOW_COLUMNS ? columns : 0;
    }
    o->horizon_seconds = vip_argument(arguments, &VIP_OPTION_HORIZON)->number;
}

vipann_rules *
vip_asked_rules(const vip_arguments *arguments, const vipann_model *model, vipann_error *error)
{
    vipann_rules *rules = vipann_rules_new(model, error);
    vipann_status status = rules != NULL ? VIPANN_OK : VIPANN_E_MEMORY;
    if (status == VIPANN_OK && vip_argument(arguments, &VIP_OPTION_RULES)->given) {
        status = vipann_rules_read(rules, vip_argument(arguments, &VIP_OPTION_RULES)->text, error);
    }
    if (status == VIPANN_OK && vip_argument(arguments, &VIP_OPTION_THRESHOLD)->given) {
        status = vipann_rules_set(rules, NULL, "threshold", vip_argument(arguments, &VIP_OPTION_THRESHOLD)->text,
                                  "--threshold", error);
    }
    if (status == VIPANN_OK && vip_argument(arguments, &VIP_OPTION_ONLY)->given) {
        status = vipann_rules_only(rules, vip_argument(arguments, &VIP_OPTION_ONLY)->text, "--only", error);
    }
    if (status == VIPANN_OK && vip_argument(arguments, &VIP_OPTION_IGNORE)->given) {
        status = vipann_rules_ignore(rules, vip_argument(arguments, &VIP_OPTION_IGNORE)->text, "--ignore", error);
    }
    if (status != VIPANN_OK) {
        vipann_rules_free(rules);
        return NULL;
    }
    return rules;
}
