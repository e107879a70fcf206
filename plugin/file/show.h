/* SPDX-License-Identifier: GPL-3.0-or-later */
/* show.h -- one recording on the display of a terminal (ui/term): results as they are found, faster than they would sound, and
 * then all of it until a key ends it. */
#ifndef VIP_PLUGIN_FILE_SHOW_H
#define VIP_PLUGIN_FILE_SHOW_H

#include "analyse.h"

/* Takes the terminal, and gives it back when a key or a signal asks for the end. Errors: as vip_analyse; E_UNSUPPORTED (there
 * is no such terminal). */
vipann_status vip_show(const vip_analysis *analysis, const char *path, const char *title, vipann_error *error);

#endif /* VIP_PLUGIN_FILE_SHOW_H */
