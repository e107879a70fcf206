/* SPDX-License-Identifier: GPL-3.0-or-later */
/* doubt.c -- see doubt.h for the contract. */
#include "doubt.h"

#include <math.h>

double
vip_doubt_full_open(const vipann_model_info *info)
{
    const double classes = info->classes > 1 ? info->classes : 2;
    return info->task == VIPANN_MULTICLASS ? log(classes) : log(2) * sqrt(classes);
}

double
vip_doubt_full_unsure(const vipann_model_info *info)
{
    return info->task == VIPANN_MULTICLASS ? vip_doubt_full_open(info) / 4 : log(2);
}
