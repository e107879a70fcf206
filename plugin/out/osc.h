/* SPDX-License-Identifier: GPL-3.0-or-later */
/* osc.h -- what is heard, sent as OSC messages over UDP to whoever listens there. Main thread; nothing here waits: a receiver
 * that is gone, slow or was never there loses messages, which are counted where the system tells of it.
 *
 *   PREFIX/event        s state ("begin", "end"), s input, s label, h id, d start and d end (s; end: so far), f p, f epistemic
 *                       (nats), T, F or N unknown, s UTC
 *   PREFIX/class        s input, d time (s), s label, f p, f std: the most probable classes, a message each
 *   PREFIX/uncertainty  s input, d time (s), f total, f aleatoric, f epistemic (nats), T, F or N unknown, f level (dBFS)
 *
 * N, nil, stands for what has no value. */
#ifndef VIP_PLUGIN_OUT_OSC_H
#define VIP_PLUGIN_OUT_OSC_H

#include <common/options.h>
#include <vipann/vipann.h>

#include "told.h"

typedef struct vip_osc vip_osc;

/* target: HOST:PORT, such as localhost:9000 or [::1]:9000, whose address is looked up once, here; prefix: begins with a slash.
 * top: most classes of a result. NULL: E_ARG (what is wrong with them, or that there is no such host), E_MEMORY. */
vip_osc *vip_osc_new(const char *target, const char *prefix, uint32_t top, vipann_error *error);

/* NULL is allowed. */
void vip_osc_free(vip_osc *osc);

/* model: whose result it is. */
void vip_osc_result(vip_osc *osc, const char *input, const vipann_model *model, const vipann_result *result);
void vip_osc_event(vip_osc *osc, const vip_told *told);

/* Messages that the system would not take since the last look, and why the newest of them; NULL: none. */
const char *vip_osc_look(vip_osc *osc);

extern const vip_option VIP_OPTION_OSC, VIP_OPTION_OSC_PREFIX;

#ifdef VIPANN_LO
#define VIP_OSC_OPTIONS , &VIP_OPTION_OSC, &VIP_OPTION_OSC_PREFIX
#else
#define VIP_OSC_OPTIONS /* built without liblo */
#endif

#endif /* VIP_PLUGIN_OUT_OSC_H */
