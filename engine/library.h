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
    vip_weights *weights; /* of the mean network, or of an ensemble's first member */
    vip_weights **sets;   /* [file->members] of an ensemble, the first being `weights`; else NULL */
    uint64_t n_weights;
    struct vipann_model *next;
};

/* Seconds of one column. */
double vip_column_seconds(const vip_model *model);

/* The rules that a model's events have unless others are given. E_MEMORY. */
vipann_rules *vip_model_rules(const vip_model *model, vipann_error *error);

/* Checks every option against its range, and that an ensemble has the members asked for; VIPANN_E_ARG names the first
 * that is out of it. */
vipann_status vip_options_check(const vipann_model *model, const vipann_options *options, vipann_error *error);

/* Whether the options ask for members that differ; else there is one, which is the deterministic pass. */
bool vip_has_members(const vipann_model *model, const vipann_options *options);

/* The most members that an engine with these options has. */
uint32_t vip_most_members(const vipann_model *model, const vipann_options *options);

/* The longest window that it pools, in columns; 0: endless. Events ask for a few even where results ask for fewer. */
uint32_t vip_longest_window(const vipann_options *options);

#endif /* VIP_LIBRARY_H */
