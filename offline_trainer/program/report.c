/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c -- `vipann-train report`: runs side by side on one page of plots. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <common/atomic_file.h>
#include <common/options.h>
#include <offline_trainer/report/document.h>

#include "train_commands.h"

enum { MOST_RUNS = 8 };

enum { OUTPUT, N_OPTIONS };

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [OUTPUT] = &(const vip_option){"output", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, "report.html", NULL, "Options",
                                   "The page to write."},
};

const vip_command VIP_REPORT_COMMAND = {
    .name = "vipann-train report",
    .operands = "RUN...",
    .summary = "Shows runs side by side as one HTML page of tables and plots.",
    .details =
        "RUN is the folder that `pretrain` wrote, with what `eval` added to it, or a file that `eval` wrote. What a "
        "run "
        "lacks is said on the page and left out. The page needs nothing but itself: no script, no network; it can be "
        "printed and sent.",
    .examples = "vipann-train report runs/first -o first.html\n"
                "vipann-train report runs/dropout runs/flipout -o both.html",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 1,
    .most_operands = MOST_RUNS,
};

static vipann_status
write_page(vip_history *const *runs, size_t n, const char *path, vipann_error *error)
{
    if (strcmp(path, "-") == 0) {
        return vip_document_write(runs, n, stdout, error);
    }
    vip_atomic_file *file = vip_atomic_file_open(path, error);
    if (file == NULL) {
        return error->status;
    }
    vipann_status status = vip_document_write(runs, n, vip_atomic_file_stream(file), error);
    if (status != VIPANN_OK) {
        vip_atomic_file_discard(file);
        return status;
    }
    return vip_atomic_file_commit(file, error);
}

static int
report(const vip_arguments *arguments)
{
    vip_history *runs[MOST_RUNS] = {NULL};
    vipann_error error;
    vipann_status status = VIPANN_OK;
    for (size_t i = 0; i < arguments->n_operands && status == VIPANN_OK; i++) {
        runs[i] = vip_history_read(arguments->operands[i], &error);
        status = runs[i] != NULL ? VIPANN_OK : error.status;
    }
    if (status == VIPANN_OK) {
        status = write_page(runs, arguments->n_operands, arguments->values[OUTPUT].text, &error);
    }
    for (size_t i = 0; i < arguments->n_operands; i++) {
        vip_history_free(runs[i]);
    }
    return vip_command_end(&VIP_REPORT_COMMAND, status, &error);
}

int
vip_report_run(int argc, char **argv)
{
    return vip_command_line(&VIP_REPORT_COMMAND, argc, argv, NULL, report);
}
