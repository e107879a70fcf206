/* SPDX-License-Identifier: GPL-3.0-or-later */
/* presets.h -- what people want of an analyser in a few words, as one table: the option files of programs and the presets
 * of plugins come from it, so that a name means the same everywhere. */
#ifndef PRESETS_PRESETS_H
#define PRESETS_PRESETS_H

#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *option; /* its long name, without dashes; NULL: no more */
    const char *value;  /* as option files have it */
} vip_preset_setting;

enum { VIP_PRESET_SETTINGS = 8 };

/* What a preset does not set stays as it is without one: mostly as the model wants. */
typedef struct {
    const char *name;    /* lower-case letters; never changed, since files and sessions have it */
    const char *label;   /* for lists */
    const char *comment; /* what it is for: one line, without quotes */
    vip_preset_setting settings[VIP_PRESET_SETTINGS];
} vip_preset;

extern const vip_preset VIP_PRESETS[];
extern const size_t VIP_N_PRESETS;

/* Options that only some clients have: programs that were built without these pass them over. Ends with NULL. */
extern const char *const VIP_PRESET_CLIENTS[];

/* Settings that plugins alone have, and option files therefore not. Ends with NULL. */
extern const char *const VIP_PRESET_PLUGINS[];

/* Writes the option file of the preset. */
void vip_preset_write(const vip_preset *preset, FILE *out);

#endif /* PRESETS_PRESETS_H */
