/* SPDX-License-Identifier: GPL-3.0-or-later */
/* measure.h -- how much of a core a model takes live on this machine. */
#ifndef VIP_PLUGIN_PROGRAM_MEASURE_H
#define VIP_PLUGIN_PROGRAM_MEASURE_H

#include <vipann/vipann.h>

/* Runs an engine of these options (rate, channels, hop and piece excepted: one column at a time, mono, at the model's
 * rate) on noise, warm first, and sets *core to the processor time of this thread per second of sound. Stops early where
 * that would take long. Errors: as vipann_engine_new. */
vipann_status vip_measure_core(vipann_model *model, const vipann_options *options, double *core, vipann_error *error);

#endif /* VIP_PLUGIN_PROGRAM_MEASURE_H */
