/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metadata.h -- what a model says of itself: the metadata keys "vipann.*", from text and to text. */
#ifndef VIP_MODEL_METADATA_H
#define VIP_MODEL_METADATA_H

#include "model.h"

struct json_t; /* jansson's */

enum { VIP_FORMAT = 1 }; /* of vipann.format */

/* Fills all of *model but its tensors and the names of its file; metadata is an object whose values are strings, or
 * NULL. model was zeroed and is to be freed with vip_model_free, even on failure.
 * Errors: E_FORMAT, E_UNSUPPORTED, E_MEMORY. */
vipann_status vip_metadata_read(vip_model *model, const struct json_t *metadata, const char *file, vipann_error *error);

/* Fills model->calibration with 1 and 0 and the model's strings with "". False if memory is short. */
bool vip_metadata_defaults(vip_model *model);

/* An object whose values are strings, owned by the caller (json_decref); NULL if memory is short or a string is not
 * UTF-8. */
struct json_t *vip_metadata_write(const vip_model *model);

#endif /* VIP_MODEL_METADATA_H */
