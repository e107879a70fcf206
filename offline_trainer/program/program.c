/* SPDX-License-Identifier: GPL-3.0-or-later */
/* program.c -- the table of the program `vipann-train`: its sub-commands, its own options. */
#include "train_commands.h"

/* clang-format off */
static const vip_subcommand COMMANDS[] = {
    {"features", &VIP_FEATURES_COMMAND, vip_features_run},
    {"pretrain", &VIP_PRETRAIN_COMMAND, vip_pretrain_run},
    {"eval", &VIP_EVAL_COMMAND, vip_eval_run},
    {"calibrate", &VIP_CALIBRATE_COMMAND, vip_calibrate_run},
    {"scores", &VIP_SCORES_COMMAND, vip_scores_run},
    {"teach", &VIP_TEACH_COMMAND, vip_teach_run},
    {"import", &VIP_IMPORT_COMMAND, vip_import_run},
    {"report", &VIP_REPORT_COMMAND, vip_report_run},
    {"bench", &VIP_BENCH_COMMAND, vip_bench_run},
    {NULL, NULL, NULL},
};
/* clang-format on */

static const vip_option *const OPTIONS[] = {
    &(const vip_option){"version", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Options", "Show the version."},
};

static const vip_entry ENVIRONMENT[] = {
    {"VIPANN_KERNELS", "Force one set of kernels where a network is heard: c, avx2 or avx512."},
    {NULL, NULL},
};

const vip_command VIP_TRAIN_PROGRAM = {
    .name = "vipann-train",
    .operands = "COMMAND [OPTION...] [ARGUMENT...]",
    .summary = "Makes models for vipann from labelled sounds, and measures them.",
    .details =
        "The way: `features` turns recordings into log-mel frames once; `pretrain` learns a network from them; `eval` "
        "measures it on sounds it has not heard; `calibrate` sets temperature, thresholds and the limits of unknown, "
        "and the model is ready for vipann. `report` shows runs as a page of plots; `import` makes a model of a "
        "published checkpoint.",
    .examples = "vipann-train features esc50/manifest.csv -o esc50.cache\n"
                "vipann-train pretrain --help",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .commands = COMMANDS,
    .environment = ENVIRONMENT,
};
