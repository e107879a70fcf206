/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frontends.c -- see frontends.h for the contract. */
#include "frontends.h"

#include <string.h>

static const vip_frontend_spec SPECS[] = {
    {"panns16k", 16000, 512, 160, VIP_MELS, 50, 8000, 1e-10},
    {"panns32k", 32000, 1024, 320, VIP_MELS, 50, 14000, 1e-10},
};

const char *const VIP_FRONTEND_NAMES[] = {"panns16k", "panns32k", NULL};

const vip_frontend_spec *
vip_frontend_named(const char *name)
{
    for (size_t i = 0; i < sizeof SPECS / sizeof *SPECS; i++) {
        if (strcmp(SPECS[i].name, name) == 0) {
            return &SPECS[i];
        }
    }
    return NULL;
}
