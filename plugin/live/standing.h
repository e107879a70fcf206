/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standing.h -- how an input stands, and what of that is worth saying. A state and no more: it knows no stream. */
#ifndef VIP_PLUGIN_LIVE_STANDING_H
#define VIP_PLUGIN_LIVE_STANDING_H

#include <plugin/stream/stream.h>

#include "notices.h"

typedef struct {
    uint32_t tag;         /* of the model that was looked at last */
    uint32_t passes, hop; /* likewise; 0: not yet */
    uint64_t unread;      /* as last told */
    double lost;          /* s, as last told */
    double pushed, heard; /* s of sound, at the last look whether it goes on */
} vip_standing;

typedef void vip_standing_say(void *user, vip_log_level level, const char *format, ...);

/* Says what has changed for the worse, or back. column: s that a column lasts. */
void vip_standing_tell(vip_standing *standing, const char *name, const vip_stream_state *state, double column,
                       vip_standing_say *say, void *user);

/* Whether sound is heard as it comes; where none comes that is so, too. Asked some seconds apart. */
bool vip_standing_goes_on(vip_standing *standing, const vip_stream_state *state);

#endif /* VIP_PLUGIN_LIVE_STANDING_H */
