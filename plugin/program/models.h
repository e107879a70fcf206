/* SPDX-License-Identifier: GPL-3.0-or-later */
/* models.h -- finds a model by path or by name. */
#ifndef VIP_PLUGIN_PROGRAM_MODELS_H
#define VIP_PLUGIN_PROGRAM_MODELS_H

#include <vipann/vipann.h>

/* The model that is used if none is asked for. */
#define VIP_DEFAULT_MODEL "vipann-audioset-r22w16-drop"

/* Opens a model. What is given is a path, with or without ".safetensors", or if it has no slash a name, which is then
 * looked for in the current folder, in the folders of VIPANN_MODEL_PATH (separated by colons), in
 * PREFIX/share/vipann/models, and in a folder `models` of a checkout (search.h).
 * Errors: as vipann_model_open; a name that is nowhere: E_IO. */
vipann_model *vip_models_open(const char *name, vipann_error *error);

#endif /* VIP_PLUGIN_PROGRAM_MODELS_H */
