/* SPDX-License-Identifier: GPL-3.0-or-later */
/* frontends.h -- the published front-ends by name (Kong et al. 2020). */
#ifndef VIP_TRAINER_FRONTENDS_H
#define VIP_TRAINER_FRONTENDS_H

#include <model/model.h>

/* Their names, for options; ends with NULL. */
extern const char *const VIP_FRONTEND_NAMES[];

/* The one of that name, or NULL. */
const vip_frontend_spec *vip_frontend_named(const char *name);

#endif /* VIP_TRAINER_FRONTENDS_H */
