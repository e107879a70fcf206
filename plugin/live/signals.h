/* SPDX-License-Identifier: GPL-3.0-or-later */
/* signals.h -- what a user or a service manager asks of a program that runs for long: SIGINT and SIGTERM to end, SIGHUP to
 * reload. They belong to the process: one user at a time. Main thread; the handlers only take a note. */
#ifndef VIP_PLUGIN_LIVE_SIGNALS_H
#define VIP_PLUGIN_LIVE_SIGNALS_H

#include <stdbool.h>

/* Takes SIGINT, SIGTERM, SIGHUP, and SIGPIPE, which is ignored: whoever writes sees the error. A second SIGINT or SIGTERM
 * does what it would have done without us. */
void vip_signals_take(void);
void vip_signals_give_back(void);

/* Whether SIGINT and SIGTERM break off what the system is waiting for, as where a server does not answer. Otherwise it goes
 * on: what is being written is written. */
void vip_signals_interrupt(bool does);

/* Whether the program is to end. Any thread. */
bool vip_signals_end(void);

/* Whether to reload; true once for each time. */
bool vip_signals_reload(void);

#endif /* VIP_PLUGIN_LIVE_SIGNALS_H */
