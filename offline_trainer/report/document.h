/* SPDX-License-Identifier: GPL-3.0-or-later */
/* document.h -- runs side by side on one page. */
#ifndef VIP_TRAINER_DOCUMENT_H
#define VIP_TRAINER_DOCUMENT_H

#include <stdio.h>

#include "history.h"

/* Writes the page of n >= 1 runs; errors of writing are found in the stream.
 * Errors: E_ARG (more runs and evaluations than can be told apart), E_MEMORY. */
vipann_status vip_document_write(vip_history *const *runs, size_t n, FILE *out, vipann_error *error);

#endif /* VIP_TRAINER_DOCUMENT_H */
