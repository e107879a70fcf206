/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decide.h -- from members' logits to an answer: calibrate, smooth, and say whether the sound is known at all.
 *
 * The arithmetic of one answer is: z -> (z - offset) / temperature per member; probabilities; exponential smoothing per
 * member; decomposition (bayes/uncertainty.h). "Unknown" follows method: the corrected epistemic part exceeds the
 * model's limit, or (multi-class) the largest probability falls below its limit, or a sum of such parts (score.h) exceeds
 * its limit; multi-label: no class passes its threshold and the mean over the active classes exceeds the limit. */
#ifndef VIP_DECIDE_DECIDE_H
#define VIP_DECIDE_DECIDE_H

#include <model/model.h>

/* logits[classes] of one member, in place. deterministic: the pass without members; if the model states a temperature
 * for it, that is used, and no offset; else it is calibrated as a member is. No calibration: unchanged. */
void vip_calibrate(const vip_calibration *calibration, bool deterministic, float *logits, size_t classes);

/* Whether the calibration was found with these settings: members and window equal where the model states them; a
 * deterministic pass (passes 0) needs a temperature of its own instead of members. The passes of a deterministic model
 * do not matter. */
bool vip_calibration_applies(const vip_model *model, uint32_t passes, uint32_t window_columns);

/* Weight of the newest value in exponential smoothing: 1 - exp(-hop / horizon), 1 if horizon is 0. */
double vip_smoothing_weight(double hop_seconds, double horizon_seconds);

/* What *unknown* is decided from. Multi-label: `total` and `epistemic` are means over the active classes, those above
 * their threshold, or over the 3 most probable if none is (vip_active_doubt); multi-class: of the whole distribution. */
typedef struct {
    size_t members;          /* counted; < 2: there is no epistemic value. 0: the deterministic pass */
    double total, epistemic; /* nats; epistemic corrected for few members */
    size_t n_active;         /* multi-label: classes above their threshold */
    double largest;          /* the largest mean probability */
    double energy, distance; /* score.h; only where the model's sum has them */
} vip_evidence;

/* Unknown if any score for which the model states a limit is beyond it; multi-label only if no class is active. A value
 * equal to its limit is within it. VIPANN_CANNOT_SAY if the model states no limit, or only such as this evidence has no
 * value for. */
vipann_answer vip_unknown(const vip_model *model, const vip_evidence *evidence);

#endif /* VIP_DECIDE_DECIDE_H */
