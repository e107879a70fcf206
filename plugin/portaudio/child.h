/* SPDX-License-Identifier: GPL-3.0-or-later */
/* child.h -- the process that hears for another one: all of PortAudio is in it. The program starts itself anew for this,
 * with the word below behind `vipann live`; no user gives it, and no help shows it. */
#ifndef VIP_PLUGIN_PORTAUDIO_CHILD_H
#define VIP_PLUGIN_PORTAUDIO_CHILD_H

#include <stdbool.h>

#define VIP_CHILD_WORD "--hear-for-parent"

/* Its files: the memory that it shares, and the pipe whose other end only the parent holds, which so tells when the parent
 * does not want it any more or is not there any more. */
enum { VIP_CHILD_SHARED = 3, VIP_CHILD_LIFELINE = 4 };

/* Whether the arguments of `vipann live` are those of a child, and its files are there. */
bool vip_child_is_meant(int argc, char **argv);

/* Does its duty and ends the process with a vip_child_end; never returns. */
_Noreturn void vip_child_run(void);

#endif /* VIP_PLUGIN_PORTAUDIO_CHILD_H */
