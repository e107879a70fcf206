/* SPDX-License-Identifier: GPL-3.0-or-later */
/* state.h -- what a session keeps besides the ports' values: the model. A key that is missing in a restored state means
 * "keep", so that a preset without a model unloads none. */
#ifndef VIP_PLUGIN_LV2_STATE_H
#define VIP_PLUGIN_LV2_STATE_H

#include <lv2/state/state.h>

extern const LV2_State_Interface VIP_STATE;

#endif /* VIP_PLUGIN_LV2_STATE_H */
