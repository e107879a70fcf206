/* SPDX-License-Identifier: GPL-3.0-or-later */
/* presets.c -- the table of presets.h, and how a row of it becomes an option file. */
#include "presets.h"

#include <stdbool.h>
#include <string.h>

/* Why these values:
 * - passes are the model's where doubt matters: its calibration and the limit of "unknown" hold for these alone;
 * - centred costs a third of edge: whoever need not know at once takes it;
 * - events look back over 3 columns, 0.96 s in the shipped models: a hop that is longer would leave sound unheard. */
const vip_preset VIP_PRESETS[] = {
    {"quick",
     "Quick look",
     "Two members, the fewest that can disagree: light on the machine",
     {{"passes", "2"}, {"latency", "centred"}}},
    {"careful",
     "Careful",
     "Waits for all sound that bears on an answer, asks as many members as the model wants, and is calm",
     {{"horizon", "1"}, {"latency", "centred"}}},
    {"night",
     "Night-long monitor",
     "Events of a whole night, and calm answers, every 0.64 s",
     {{"hop", "0.64"}, {"horizon", "2"}, {"latency", "centred"}, {"events", "yes"}}},
    {"fast",
     "Low latency",
     "A short window, which follows at once",
     {{"passes", "4"}, {"window", "0.96"}, {"latency", "edge"}}},
    {"midi",
     "MIDI trigger",
     "Notes for events that the members agree about, at once",
     {{"window", "0.96"}, {"latency", "edge"}, {"events", "yes"}, {"midi", "yes"}, {"uncertainty-limit", "0.1"}}},
};

const size_t VIP_N_PRESETS = sizeof VIP_PRESETS / sizeof *VIP_PRESETS;

const char *const VIP_PRESET_CLIENTS[] = {"midi", NULL};
const char *const VIP_PRESET_PLUGINS[] = {"uncertainty-limit", NULL};

static bool
is_of_plugins(const char *option)
{
    size_t i = 0;
    while (VIP_PRESET_PLUGINS[i] != NULL && strcmp(VIP_PRESET_PLUGINS[i], option) != 0) {
        i++;
    }
    return VIP_PRESET_PLUGINS[i] != NULL;
}

void
vip_preset_write(const vip_preset *preset, FILE *out)
{
    (void)fprintf(out, "# %s: %s.\n# To change it, copy it to ~/.config/vipann/presets/%s.conf.\n", preset->label,
                  preset->comment, preset->name);
    for (size_t i = 0; i < VIP_PRESET_SETTINGS && preset->settings[i].option != NULL; i++) {
        if (!is_of_plugins(preset->settings[i].option)) {
            (void)fprintf(out, "%s = %s\n", preset->settings[i].option, preset->settings[i].value);
        }
    }
}
