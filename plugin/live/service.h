/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service.h -- what the machine's service manager is told, as sd_notify(3) has it: that all is ready, now and then that it
 * goes on, and that it ends. Where nobody asks, nothing is sent. Main thread; nothing here waits. */
#ifndef VIP_PLUGIN_LIVE_SERVICE_H
#define VIP_PLUGIN_LIVE_SERVICE_H

#include <stdbool.h>

typedef struct {
    int socket;      /* -1: nobody asks */
    double interval; /* s between two signs of life; 0: nobody waits for them */
    double last;     /* the newest, s */
    bool ready;
} vip_service;

/* Looks who asks, in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which it takes from the environment, so that no command
 * that we run speaks for us. */
void vip_service_open(vip_service *service);

/* Says that all is ready, once. */
void vip_service_ready(vip_service *service);

/* Whether a sign of life is due at the time `now` (s, of a clock that only goes forward); the sign. */
bool vip_service_is_due(const vip_service *service, double now);
void vip_service_sign(vip_service *service, double now);

/* One line on how it stands, for those who ask the manager. */
void vip_service_status(vip_service *service, const char *text);

/* Says that it ends. */
void vip_service_close(vip_service *service);

#endif /* VIP_PLUGIN_LIVE_SERVICE_H */
