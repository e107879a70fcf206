/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain.h -- which rule is in force for a class, and where each of its values comes from. */
#ifndef VIP_PLUGIN_FILE_EXPLAIN_H
#define VIP_PLUGIN_FILE_EXPLAIN_H

#include <stdio.h>

#include <vipann/vipann.h>

/* Writes it for the class `label`. E_ARG: the model has no such class; the nearest one is offered. */
vipann_status vip_explain(const vipann_model *model, const vipann_rules *rules, const char *label, FILE *out,
                          vipann_error *error);

#endif /* VIP_PLUGIN_FILE_EXPLAIN_H */
