/* SPDX-License-Identifier: GPL-3.0-or-later */
/* told.h -- an event as outputs are told of it, when it begins and when it ends. */
#ifndef VIP_PLUGIN_OUT_TOLD_H
#define VIP_PLUGIN_OUT_TOLD_H

#include <vipann/vipann.h>

/* Texts are borrowed for the call. Whatever a model's label holds, it is data. */
typedef struct {
    uint32_t index; /* of the input */
    const char *input, *label, *model;
    double utc; /* of time 0, seconds since 1970; NaN: not known */
    const vipann_event *event;
} vip_told;

#endif /* VIP_PLUGIN_OUT_TOLD_H */
