/* SPDX-License-Identifier: GPL-3.0-or-later */
/* commands.h -- the sub-commands of `vipann`. */
#ifndef VIP_PLUGIN_PROGRAM_COMMANDS_H
#define VIP_PLUGIN_PROGRAM_COMMANDS_H

#include <common/command_line.h>

#include "preset.h" /* what each has between its line and its work: vip_preset_apply */

/* The tables of the program and of its sub-commands; the help comes from them, and whatever else speaks of options. */
extern const vip_command VIP_PROGRAM, VIP_FILE_COMMAND, VIP_INFO_COMMAND;
extern const vip_command VIP_JACK_COMMAND; /* where there is JACK */

/* Each is called with argv[0] the name of the sub-command, writes to stdout and stderr and returns an exit status. */
int vip_command_file(int argc, char **argv);
int vip_command_info(int argc, char **argv);
int vip_command_jack(int argc, char **argv);

#ifdef VIPANN_SQLITE
extern const vip_command VIP_EVENTS_COMMAND;
int vip_command_events(int argc, char **argv);
#endif

#ifdef VIPANN_PORTAUDIO
extern const vip_command VIP_LIVE_COMMAND, VIP_DEVICES_COMMAND;
int vip_command_live(int argc, char **argv);
int vip_command_devices(int argc, char **argv);
#endif

#endif /* VIP_PLUGIN_PROGRAM_COMMANDS_H */
