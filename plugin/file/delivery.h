/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delivery.h -- the places that what was heard ends up in: a stream, a file that appears when all is done, one file for
 * each recording, or a file that grows by whole recordings and can be gone on with. */
#ifndef VIP_PLUGIN_FILE_DELIVERY_H
#define VIP_PLUGIN_FILE_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <common/paths.h>
#include <common/spool.h>
#include <vipann/vipann.h>

#include "journal.h"

typedef struct vip_delivery vip_delivery;

typedef struct {
    const char *output;          /* NULL: standard output */
    const char *folder;          /* for one file each, instead of output; NULL: none */
    const char *ending;          /* of the names of those */
    bool resume;                 /* with output or folder */
    const vip_setting *settings; /* what a batch must share to be gone on with */
    size_t n_settings;
} vip_place;

/* Everything in *place is borrowed and must stay. Errors: E_IO, and as vip_journal_open. */
vip_delivery *vip_delivery_open(const vip_place *place, vipann_error *error);

/* Gives up: what is not finished is not there. NULL is allowed. */
void vip_delivery_discard(vip_delivery *delivery);

/* The end: all is in its place. E_IO. Frees the delivery either way. */
vipann_status vip_delivery_close(vip_delivery *delivery, vipann_error *error);

/* Where results may be written as they come; NULL: recordings are brought whole. */
FILE *vip_delivery_stream(const vip_delivery *delivery);

/* Brings what has been written to the stream to whoever waits at the other end. Errors: E_IO; a reader that has gone
 * away is no news to anybody: then the text is empty. */
vipann_status vip_delivery_flush(vip_delivery *delivery, vipann_error *error);

/* Where the head of a format belongs: nowhere any more, at the beginning (the stream, else vip_delivery_begin), or in front
 * of each recording that is brought. */
typedef enum { VIP_HEAD_NONE, VIP_HEAD_FIRST, VIP_HEAD_EACH } vip_head;
vip_head vip_delivery_head(const vip_delivery *delivery);

/* Brings the head, before any recording. Errors: E_IO (as flush). */
vipann_status vip_delivery_begin(vip_delivery *delivery, const vip_spool *spool, vipann_error *error);

/* Removes from paths what was finished before. *failed: how many of those had failed; *finished: how many recordings have
 * been written to the same place so far. Errors: E_MEMORY, E_IO. */
vipann_status vip_delivery_skip(vip_delivery *delivery, vip_paths *paths, size_t *failed, size_t *finished,
                                vipann_error *error);

/* What became of a recording. */
typedef struct {
    bool any;    /* there is something to bring at all */
    bool failed; /* not all of it could be heard */
    bool again;  /* for a reason that may be gone next time: a batch that is gone on with tries it again */
} vip_delivered;

/* Brings what a recording gave, whole. Errors: E_IO (as flush), E_MEMORY; what was there before is untouched then. */
vipann_status vip_delivery_bring(vip_delivery *delivery, const vip_path *path, const vip_spool *spool,
                                 const vip_delivered *what, vipann_error *error);

#endif /* VIP_PLUGIN_FILE_DELIVERY_H */
