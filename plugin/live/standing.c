/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standing.c -- see standing.h for the contract. */
#include "standing.h"

#include <common/number.h>

static const double SOME_S = 1; /* of sound, in which some must be heard */

static void
tell_losses(vip_standing *s, const char *name, const vip_stream_state *state, vip_standing_say *say, void *user)
{
    if (state->lost_seconds > s->lost) {
        say(user, VIP_LOG_WARNING,
            "%s: %.2f s of sound could not be heard in time so far; give fewer --passes or a longer --hop", name,
            state->lost_seconds);
        s->lost = state->lost_seconds;
    }
    if (state->unread_lost > s->unread) {
        say(user, VIP_LOG_WARNING, "%s: %llu results were lost, since nobody reads them as fast as they come", name,
            (unsigned long long)state->unread_lost);
        s->unread = state->unread_lost;
    }
}

void
vip_standing_tell(vip_standing *s, const char *name, const vip_stream_state *state, double column,
                  vip_standing_say *say, void *user)
{
    char hop[VIP_NUMBER_SIZE];
    tell_losses(s, name, state, say, user);
    vip_number_fixed(hop, state->hop_columns * column, 2);
    const bool known = s->hop > 0 && state->tag == s->tag; /* another model may want other numbers */
    if (known && (state->passes < s->passes || state->hop_columns > s->hop)) {
        say(user, VIP_LOG_WARNING,
            "%s: this machine is too slow just now; going on with %u passes, a result every %s s", name, state->passes,
            hop);
    } else if (known && (state->passes > s->passes || state->hop_columns < s->hop)) {
        say(user, VIP_LOG_NOTICE, "%s: back to %u passes, a result every %s s", name, state->passes, hop);
    }
    s->tag = state->tag;
    s->passes = state->passes;
    s->hop = state->hop_columns;
}

bool
vip_standing_goes_on(vip_standing *s, const vip_stream_state *state)
{
    const double pushed = state->pushed_seconds, heard = pushed - state->lost_seconds - state->backlog_seconds;
    const bool goes_on = pushed - s->pushed < SOME_S || heard > s->heard;
    if (goes_on) {
        s->pushed = pushed;
        s->heard = heard;
    }
    return goes_on;
}
