/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool.h -- text that waits for its turn: in memory as long as it is short, then in a temporary file. */
#ifndef VIP_COMMON_SPOOL_H
#define VIP_COMMON_SPOOL_H

#include <stdio.h>

#include <vipann/vipann.h>

typedef struct vip_spool vip_spool;

enum { VIP_SPOOL_KEPT = 1 << 20 }; /* most bytes in memory */

/* NULL: E_MEMORY. */
vip_spool *vip_spool_new(vipann_error *error);

/* NULL is allowed. */
void vip_spool_free(vip_spool *spool);

/* Where to write; belongs to the spool. What cannot be kept is found by vip_spool_finish. */
FILE *vip_spool_stream(vip_spool *spool);

/* Nothing more will be written. Errors: E_IO (the temporary file), E_MEMORY; what was written is then gone. */
vipann_status vip_spool_finish(vip_spool *spool, vipann_error *error);

/* After finish: writes all of it to fd. Returns 0, or why that failed: a value of errno. */
int vip_spool_send(const vip_spool *spool, int fd);

#endif /* VIP_COMMON_SPOOL_H */
