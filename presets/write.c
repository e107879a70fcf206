/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write.c -- writes the option file of a preset, or without its name those that there are: write [NAME]. */
#include <stdio.h>
#include <string.h>

#include "presets.h"

int
main(int argc, char **argv)
{
    size_t n = 0;
    for (size_t i = 0; i < VIP_N_PRESETS; i++) {
        if (argc == 1) {
            (void)puts(VIP_PRESETS[i].name);
            n++;
        } else if (argc == 2 && strcmp(argv[1], VIP_PRESETS[i].name) == 0) {
            vip_preset_write(&VIP_PRESETS[i], stdout);
            n++;
        }
    }
    if (n == 0) {
        (void)fputs("expected: write [NAME], with the name of a preset\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
