/* SPDX-License-Identifier: GPL-3.0-or-later */
/* library.h -- what a model handle of the public API holds: for engine.c, library.c and clip.c only. */
#ifndef VIP_LIBRARY_H
#define VIP_LIBRARY_H

#include <model/model.h>
#include <nn/weights.h>

#include <sys/stat.h>

/* Shared by all who opened the same file; immutable but for the count, which the registry's lock guards. */
struct vipann_model {
    unsigned references;
    struct stat identity; /* of the file when it was read */
    vip_model *file;      /* its tensors' numbers are dropped unless members are drawn from them */
    vip_weights *weights; /* of the mean network */
    uint64_t n_weights;
    struct vipann_model *next;
};

/* Seconds of one column. */
double vip_column_seconds(const vip_model *model);

/* Checks every option against its range; VIPANN_E_ARG names the first that is out of it. */
vipann_status vip_options_check(const vipann_options *options, vipann_error *error);

#endif /* VIP_LIBRARY_H */
