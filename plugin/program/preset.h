/* SPDX-License-Identifier: GPL-3.0-or-later */
/* preset.h -- what --preset asks for. */
#ifndef VIP_PLUGIN_PROGRAM_PRESET_H
#define VIP_PLUGIN_PROGRAM_PRESET_H

#include <common/option_file.h>

/* Reads the option file that --preset names, if it is given: a file of that name, or NAME.conf in the current folder, in
 * $XDG_CONFIG_HOME/vipann/presets (~/.config/vipann/presets), in PREFIX/share/vipann/presets or, in a checkout, among
 * those that are built. What the command line gives stays; keys that only other sub-commands have are passed over.
 * Errors: as vip_option_file_read; a name that is nowhere: E_IO, and those that there are. */
vipann_status vip_preset_apply(vip_arguments *arguments, vipann_error *error);

#endif /* VIP_PLUGIN_PROGRAM_PRESET_H */
