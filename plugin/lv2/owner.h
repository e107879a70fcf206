/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner.h -- what takes time and is done away from the audio thread: models, rules, resets. */
#ifndef VIP_PLUGIN_LV2_OWNER_H
#define VIP_PLUGIN_LV2_OWNER_H

#include "instance.h"

/* Loads a model and gives it to the stream; the caller holds `owner`. bundled: path is the name of one in the bundle.
 * What comes of it is reported to the audio thread and, if it failed, to the host's log; then all is as before. */
vipann_status vip_owner_load(vip_instance *p, const char *path, bool bundled);

/* The model that an instance begins with: VIPANN_MODEL, else that of the bundle. */
void vip_owner_begin(vip_instance *p);

/* Does what the audio thread has asked for, if anything. Takes `owner`. at_once: else a threshold is heeded only once it
 * has come to rest over some calls, since each is another engine. */
void vip_owner_attend(vip_instance *p, bool at_once);

/* Forgets what has been heard; the caller holds `owner`, and nobody uses the stream. */
void vip_owner_reset(vip_instance *p);

/* For vip_stream_options: the rules of a model's events, with the instance as user. The caller holds `owner`. */
const vipann_rules *vip_owner_rules(void *user, const vipann_model *model);

/* One line for the host's log. */
void vip_owner_log(const vip_instance *p, const char *text);

#endif /* VIP_PLUGIN_LV2_OWNER_H */
