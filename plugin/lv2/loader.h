/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loader.h -- one thread per process that does for all instances what their audio threads ask for. It looks round every
 * few milliseconds, so that nobody has to wake it: that would be a system call. */
#ifndef VIP_PLUGIN_LV2_LOADER_H
#define VIP_PLUGIN_LV2_LOADER_H

#include "instance.h"

/* The first instance starts the thread. If there can be none, the instance is attended only in runs that may wait, and
 * false comes back. */
bool vip_loader_add(vip_instance *p);

/* Waits until the instance is not being attended; the last one ends the thread. */
void vip_loader_remove(vip_instance *p);

#endif /* VIP_PLUGIN_LV2_LOADER_H */
