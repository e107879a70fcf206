/* SPDX-License-Identifier: GPL-3.0-or-later */
/* publish.h -- hands each result and event to every reader of an engine. For the engine's own files only.
 *
 * Readers never take from one another: each has its own latest-value slot and its own queues. */
#ifndef VIP_PUBLISH_H
#define VIP_PUBLISH_H

#include <vipann/vipann.h>

typedef struct vip_publisher vip_publisher;

/* For results of so many classes, and events of at most so many columns between two reads of who reads after each pump;
 * NULL: memory is short. */
vip_publisher *vip_publisher_new(uint32_t classes, uint32_t columns);
void vip_publisher_free(vip_publisher *publisher);

/* Owner: readers stay, what they have not read is gone. */
void vip_publisher_reset(vip_publisher *publisher);

/* Owner: see vipann_reader_new. */
vipann_reader *vip_publisher_add(vip_publisher *publisher, unsigned what, vipann_error *error);

/* Whether any reader wants events. */
bool vip_publisher_wants_events(const vip_publisher *publisher);

/* Analysis thread: copies the result, or the event, to all readers that want it. */
void vip_publish_result(vip_publisher *publisher, const vipann_result *result);
void vip_publish_event(vip_publisher *publisher, const vipann_event *event);

/* A result with room for so many classes; NULL if memory is short. */
vipann_result *vip_result_new(uint32_t classes);

#endif /* VIP_PUBLISH_H */
