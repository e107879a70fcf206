/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status.h -- how a function of the library says that it failed: a status, and one line of text for a person. */
#ifndef VIP_BASE_STATUS_H
#define VIP_BASE_STATUS_H

#include <vipann/vipann.h>

/* Fills *error (NULL is allowed) with the status and the printf-formatted line, cut behind a word to fit and
 * ended with "..." then, line breaks, control characters and what is not UTF-8 shown as '?' (a name from a hostile file
 * must not steer a terminal, and a name may have been cut within a character), and returns the status. The format says: what, where, what was found, what was expected, what to do. */
__attribute__((format(printf, 3, 4))) vipann_status vip_fail(vipann_error *error, vipann_status status,
                                                             const char *format, ...);

/* The usual line for VIPANN_E_MEMORY; what names the thing that did not fit, such as "the model". */
vipann_status vip_fail_memory(vipann_error *error, const char *what);

#endif /* VIP_BASE_STATUS_H */
