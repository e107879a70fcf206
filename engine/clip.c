/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clip.c -- one answer for a whole recording: an engine whose window never ends. See vipann.h for the contract. */
#include "library.h"

#include <base/status.h>

static const uint32_t BLOCK = 8192; /* frames */
static const uint32_t PIECE = 4; /* columns in one go, where the caller does not say: quicker than one, the same bits */

/* Feeds all of x; the engine keeps up because it is pumped between the blocks. */
static void
hear(vipann_engine *engine, const float *x, size_t n)
{
    for (size_t done = 0; done < n;) {
        const uint32_t space = vipann_push_space(engine);
        const uint32_t frames = n - done < space ? (uint32_t)(n - done) : space;
        const float *channel = x + done;
        done += vipann_push(engine, &channel, frames);
        while (vipann_pump(engine) > 0) {
        }
    }
}

vipann_status
vipann_clip(vipann_model *model, const vipann_options *options, const float *x, size_t n, double rate,
            vipann_result *out, vipann_error *error)
{
    if (n == 0) {
        return vip_fail(error, VIPANN_E_ARG, "a clip of no samples was given; it needs at least one");
    }
    vipann_options o;
    if (options == NULL) {
        vipann_options_default(&o, model);
        o.piece_columns = PIECE;
    } else {
        o = *options;
    }
    o.rate = rate;
    o.channels = 1;
    o.channel = -1;
    o.hop_columns = VIPANN_MAX_HOP_COLUMNS;
    o.window_columns = 0;
    o.max_window_columns = 0;
    o.horizon_seconds = 0;
    o.latency = VIPANN_CENTRED;
    o.max_block = BLOCK;
    vipann_error own = {VIPANN_OK, ""};
    vipann_engine *engine = vipann_engine_new(model, &o, &own);
    vipann_reader *reader = engine == NULL ? NULL : vipann_reader_new(engine, VIPANN_LATEST, &own);
    if (reader != NULL) {
        hear(engine, x, n);
        (void)vipann_flush(engine);
        (void)vipann_latest(reader, out);
    }
    vipann_engine_free(engine);
    return own.status == VIPANN_OK ? VIPANN_OK : vip_fail(error, own.status, "%s", own.text);
}
