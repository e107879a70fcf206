/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evidence.h -- what *unknown* is decided from, of clips that were listened to: the numbers that an engine has. */
#ifndef VIP_TRAINER_EVIDENCE_H
#define VIP_TRAINER_EVIDENCE_H

#include <decide/decide.h>

/* What vip_listen_pooled found. */
typedef struct {
    size_t n;
    uint32_t passes;     /* asked for; 0: the deterministic pass */
    uint32_t answers;    /* of each clip: vip_listen_answers */
    const float *logits; /* [n][answers][classes], raw */
    const float *pooled; /* [n][features]; NULL: there is no distance then */
} vip_listened;

/* out[n]: by the model's calibration as it is now. The distance is 0 unless its sum has prototypes. False: memory is
 * short. */
bool vip_evidence_of(const vip_model *model, const vip_listened *heard, vip_evidence *out);

#endif /* VIP_TRAINER_EVIDENCE_H */
