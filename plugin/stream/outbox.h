/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outbox.h -- results and events of whatever models on their way from the thread that works to the one that reads.
 *
 *   worker  one thread at a time: vip_outbox_put_result, vip_outbox_put_event, vip_outbox_event_space
 *   reader  one thread at a time: vip_outbox_latest, vip_outbox_next_result, vip_outbox_next_event
 *   owner   while neither of them runs: the functions new, reset and free
 *
 * Nobody waits, allocates or calls the system but the owner. Results are as long as their model has classes, so those of
 * a model exchange can wait side by side. */
#ifndef VIP_PLUGIN_STREAM_OUTBOX_H
#define VIP_PLUGIN_STREAM_OUTBOX_H

#include <vipann/vipann.h>

typedef struct vip_outbox vip_outbox;

enum {
    VIP_OUTBOX_CLASSES = 4096,  /* the most that any model has */
    VIP_OUTBOX_BYTES = 1 << 20, /* of results that wait: fifteen of the largest, 121 of 527 classes */
    VIP_OUTBOX_EVENTS = 1 << 12 /* events that wait: more than one model can end at once */
};

/* NULL: memory is short. */
vip_outbox *vip_outbox_new(void);
void vip_outbox_free(vip_outbox *outbox);

/* What has not been read is forgotten. */
void vip_outbox_reset(vip_outbox *outbox);

/* Replaces the latest result, and appends to the queue. False: there was no room, and the queue does without it. tag comes
 * out with it. */
bool vip_outbox_put_result(vip_outbox *outbox, uint32_t tag, const vipann_result *result);

/* How full the fuller one of the two queues is, 0 .. 1. Any thread. */
double vip_outbox_fill(const vip_outbox *outbox) VIPANN_RT;

/* Events that can be put now. */
size_t vip_outbox_event_space(vip_outbox *outbox);

/* False: there was no room, and the event is lost. */
bool vip_outbox_put_event(vip_outbox *outbox, uint32_t tag, const vipann_event *event);

/* As the functions of vip_stream of the same names. */
bool vip_outbox_has_news(const vip_outbox *outbox) VIPANN_RT;
bool vip_outbox_latest(vip_outbox *outbox, vipann_result *out, uint32_t *tag) VIPANN_RT;
bool vip_outbox_next_result(vip_outbox *outbox, vipann_result *out, uint32_t *tag) VIPANN_RT;
bool vip_outbox_next_event(vip_outbox *outbox, vipann_event *out, uint32_t *tag) VIPANN_RT;

/* A result with room for VIP_OUTBOX_CLASSES; NULL: memory is short. free allows NULL. */
vipann_result *vip_outbox_result_new(void);
void vip_outbox_result_free(vipann_result *result);

#endif /* VIP_PLUGIN_STREAM_OUTBOX_H */
