/* SPDX-License-Identifier: GPL-3.0-or-later */
/* publish.h -- hands each result to every reader of an engine. For engine.c only.
 *
 * Readers never take from one another: each has its own latest-value slot and its own queue. */
#ifndef VIP_PUBLISH_H
#define VIP_PUBLISH_H

#include <vipann/vipann.h>

typedef struct vip_publisher vip_publisher;

/* For results of so many classes; NULL: memory is short. */
vip_publisher *vip_publisher_new(uint32_t classes);
void vip_publisher_free(vip_publisher *publisher);

/* Owner: readers stay, what they have not read is gone. */
void vip_publisher_reset(vip_publisher *publisher);

/* Owner: see vipann_reader_new. */
vipann_reader *vip_publisher_add(vip_publisher *publisher, unsigned what, vipann_error *error);

/* Analysis thread: copies the result to all readers. */
void vip_publish(vip_publisher *publisher, const vipann_result *result);

#endif /* VIP_PUBLISH_H */
