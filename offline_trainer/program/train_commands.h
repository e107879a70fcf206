/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train_commands.h -- the sub-commands of `vipann-train`. */
#ifndef VIP_TRAINER_COMMANDS_H
#define VIP_TRAINER_COMMANDS_H

#include <common/command_line.h>

/* The tables of the program and of its sub-commands; the help comes from them. */
extern const vip_command VIP_TRAIN_PROGRAM, VIP_FEATURES_COMMAND, VIP_PRETRAIN_COMMAND, VIP_EVAL_COMMAND,
    VIP_CALIBRATE_COMMAND, VIP_BENCH_COMMAND;
extern const vip_command VIP_SCORES_COMMAND;
extern const vip_command VIP_IMPORT_COMMAND;
extern const vip_command VIP_REPORT_COMMAND;
extern const vip_command VIP_TEACH_COMMAND;

/* Run them: argv[0] is the name of the sub-command; return the exit status. */
int vip_import_run(int argc, char **argv);
int vip_features_run(int argc, char **argv);
int vip_pretrain_run(int argc, char **argv);
int vip_eval_run(int argc, char **argv);
int vip_calibrate_run(int argc, char **argv);
int vip_bench_run(int argc, char **argv);
int vip_scores_run(int argc, char **argv);
int vip_report_run(int argc, char **argv);
int vip_teach_run(int argc, char **argv);

#endif /* VIP_TRAINER_COMMANDS_H */
