/* SPDX-License-Identifier: GPL-3.0-or-later */
/* program.c -- the table of the program `vipann`: its sub-commands, its own options, what it heeds. */
#include "commands.h"

/* clang-format off */
static const vip_subcommand COMMANDS[] = {
    {"file", &VIP_FILE_COMMAND, vip_command_file},
#ifdef VIPANN_JACK
    {"jack", &VIP_JACK_COMMAND, vip_command_jack},
#endif
#ifdef VIPANN_PORTAUDIO
    {"live", &VIP_LIVE_COMMAND, vip_command_live},
    {"devices", &VIP_DEVICES_COMMAND, vip_command_devices},
#endif
#ifdef VIPANN_SQLITE
    {"events", &VIP_EVENTS_COMMAND, vip_command_events},
#endif
    {"info", &VIP_INFO_COMMAND, vip_command_info},
    {NULL, NULL, NULL},
};
/* clang-format on */

static const vip_option *const OPTIONS[] = {
    &(const vip_option){"version", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Options",
                        "Show the version and the kernels in use."},
};

static const vip_entry ENVIRONMENT[] = {
    {"VIPANN_MODEL_PATH", "Folders of models, separated by colons."},
    {"XDG_CONFIG_HOME", "Where your settings are, if not in ~/.config."},
    {"VIPANN_KERNELS", "Force one set of kernels: c, avx2 or avx512."},
    {"NO_COLOR", "If set, no colours on terminals."},
    {NULL, NULL},
};

static const vip_entry FILES[] = {
    {VIPANN_PREFIX "/share/vipann/models", "The models that come with the program, found by name."},
    {VIPANN_PREFIX "/share/vipann/presets",
     "Option files that come with the program, NAME.conf for --preset NAME: to read, and to copy from."},
    {"~/.config/vipann/presets",
     "Your own, which are looked for first. A file has lines KEY = VALUE, where KEY is the name "
     "of an option without its dashes; flags are yes or no. Behind # is a comment."},
    {NULL, NULL},
};

const vip_command VIP_PROGRAM = {
    .name = "vipann",
    .operands = "COMMAND [OPTION...] [ARGUMENT...]",
    .summary = "Hears what a sound is and says how sure it is.",
    .details =
        "Sound goes through a Bayesian network several times over, with different random parts. Of what is heard two "
        "kinds of doubt are told apart: \"open\" (aleatoric) is what the sound itself leaves open, \"unsure\" "
        "(epistemic) what the passes disagree about, because the model was never taught it well enough.",
    .examples = "vipann file street.wav\n"
                "vipann file --help",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .commands = COMMANDS,
    .environment = ENVIRONMENT,
    .files = FILES,
};
