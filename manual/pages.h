/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pages.h -- what the writers of the manual have in common: one page of a program, or its completion, on request. */
#ifndef VIP_MANUAL_PAGES_H
#define VIP_MANUAL_PAGES_H

#include <common/options.h>

typedef struct {
    const vip_command *program;
    const char *const *pages; /* for "see also", as in vip_manual */
    const char *shared;       /* the folder of what is installed with it, for the completion */
} vip_written;

/* Does what the words of the command line ask for, on standard output, and returns the exit status:
 *   man PAGE DATE    one page; DATE as it is shown
 *   bash             the completion */
int vip_write_pages(const vip_written *written, int argc, char **argv);

#endif /* VIP_MANUAL_PAGES_H */
