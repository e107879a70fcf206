/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notices.c -- see notices.h for the contract. */
#include "notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const double REPEAT_S = 60;

bool
vip_notices_may(vip_notices *notices, const char *format, double now)
{
    size_t i = 0;
    while (i < notices->n && notices->of[i].format != format) {
        i++;
    }
    if (i < notices->n && now - notices->of[i].said < REPEAT_S) {
        return false;
    }
    if (i == notices->n && i < VIP_NOTICES) {
        notices->n++;
    }
    if (i < VIP_NOTICES) {
        notices->of[i].format = format;
        notices->of[i].said = now;
    }
    return true;
}

static const char *const LEVELS[] = {"error", "warning", "notice", "debug", NULL}; /* in the order of vip_log_level */
static const int PRIORITIES[] = {3, 4, 5, 7};                                      /* the same to syslog */

const vip_option VIP_OPTION_LOG = {
    .name = "log",
    .kind = VIP_OPTION_CHOICE,
    .words = LEVELS,
    .standard = "notice",
    .group = "The program",
    .help =
        "How much is said on standard error: why it ends; also what is lost; also what changes; also once a minute how "
        "it stands.",
};

/* Whether stderr is the journal's: systemd names its file then. */
static bool
is_journal(void)
{
    const char *named = getenv("JOURNAL_STREAM");
    unsigned long long device, file;
    struct stat there;
    return named != NULL && sscanf(named, "%llu:%llu", &device, &file) == 2 && fstat(STDERR_FILENO, &there) == 0 &&
           (unsigned long long)there.st_dev == device && (unsigned long long)there.st_ino == file;
}

void
vip_notices_asked(vip_notices *notices, const vip_arguments *arguments)
{
    const vip_value *log = vip_argument(arguments, &VIP_OPTION_LOG);
    notices->most = log->word >= 0 ? (vip_log_level)log->word : VIP_LOG_NOTICE;
    notices->journal = is_journal();
}

void
vip_notices_answer(const vip_notices *notices, vip_log_level level, const char *format, va_list arguments)
{
    char text[512], before[8] = "";
    if (level > notices->most) {
        return;
    }
    (void)vsnprintf(text, sizeof text, format, arguments);
    if (notices->show != NULL) {
        notices->show(notices->user, text);
        return;
    }
    if (notices->journal) {
        (void)snprintf(before, sizeof before, "<%d>", PRIORITIES[level]);
    }
    (void)fprintf(stderr, "%s%s: %s\n", before, notices->command, text);
}

void
vip_notices_say(vip_notices *notices, vip_log_level level, const char *format, va_list arguments)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (level <= notices->most && (vip_notices_may(notices, format, (double)now.tv_sec) || level == VIP_LOG_ERROR)) {
        vip_notices_answer(notices, level, format, arguments);
    }
}
