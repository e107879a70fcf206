/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoint.h -- everything that a run needs to go on as if it had never stopped.
 *
 * RUN/checkpoint is written beside, synced and renamed; the one before stays as RUN/checkpoint.old until the next. A
 * checksum covers all of it, so that one that is broken is noticed and the one before is taken. */
#ifndef VIP_TRAINER_CHECKPOINT_H
#define VIP_TRAINER_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

enum { VIP_CHECKPOINT_ARRAYS = 4 };

/* An array that is written as it is; its length is the same in a run that resumes. */
typedef struct {
    float *numbers;
    size_t n;
} vip_checkpoint_array;

typedef struct {
    uint64_t step; /* the next one */
    uint64_t optimiser_steps;
    uint64_t evaluations, since_best;                   /* of the development part */
    uint64_t clipped;                                   /* steps whose gradient was too long */
    uint64_t clips;                                     /* seen */
    double seconds;                                     /* of training so far */
    double best;                                        /* of the development part; infinite: none yet */
    char recipe[65];                                    /* hash of the options that must not change */
    vip_checkpoint_array arrays[VIP_CHECKPOINT_ARRAYS]; /* numbers NULL: not used */
} vip_checkpoint;

/* Errors: E_IO, E_MEMORY. */
vipann_status vip_checkpoint_write(const char *folder, const vip_checkpoint *checkpoint, vipann_error *error);

/* Fills the numbers and arrays of a checkpoint whose recipe and arrays say what is expected. *older: the newest one was
 * broken, and this is the one before. Errors: E_IO (there is none), E_ARG (made with other options), E_FORMAT (both are
 * broken), E_MEMORY; arrays are unchanged then. */
vipann_status vip_checkpoint_read(const char *folder, vip_checkpoint *checkpoint, bool *older, vipann_error *error);

#endif /* VIP_TRAINER_CHECKPOINT_H */
