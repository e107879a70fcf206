/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pumps.h -- the threads that hear: one for each processor at most, each for its share of the streams, in turn. */
#ifndef VIP_PLUGIN_LIVE_PUMPS_H
#define VIP_PLUGIN_LIVE_PUMPS_H

#include <plugin/stream/stream.h>

typedef struct vip_pumps vip_pumps;

/* Starts them for streams[n], which are not threaded and stay the caller's. NULL: E_MEMORY, or no thread can be had. */
vip_pumps *vip_pumps_start(vip_stream *const *streams, uint32_t n, vipann_error *error);

/* They are done when this returns. NULL is allowed. */
void vip_pumps_stop(vip_pumps *pumps);

/* Processors that this process may use, at least 1. */
uint32_t vip_pumps_processors(void);

#endif /* VIP_PLUGIN_LIVE_PUMPS_H */
