/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doubt.h -- how much doubt fills a bar: the same in reports and on screens. */
#ifndef VIP_COMMON_DOUBT_H
#define VIP_COMMON_DOUBT_H

#include <vipann/vipann.h>

/* Nats at which a bar of what the sound leaves open (aleatoric) is full; above 0. The most there can be among exclusive
 * classes; for independent ones, most of which are always surely absent, the square root of their number times that of
 * one. */
double vip_doubt_full_open(const vipann_model_info *info);

/* The same for what the model does not know (epistemic): by its nature a fraction of this among exclusive classes; of
 * independent ones only the few that could be there are disputed: the most that one of them can leave open. */
double vip_doubt_full_unsure(const vipann_model_info *info);

#endif /* VIP_COMMON_DOUBT_H */
