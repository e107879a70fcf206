/* SPDX-License-Identifier: GPL-3.0-or-later */
/* temporary.h -- files without a name, for what is too large for memory. */
#ifndef VIP_COMMON_TEMPORARY_H
#define VIP_COMMON_TEMPORARY_H

#include <stdbool.h>
#include <stddef.h>

#include <vipann/vipann.h>

/* Opens an empty file in TMPDIR, else in the system's folder for such files; it vanishes with the descriptor, whatever
 * ends the program. `whose` begins the message. Returns a descriptor that belongs to the caller; -1: E_IO. */
int vip_temporary_open(const char *whose, vipann_error *error);

/* Fills *error with what errno says about writing to such a file. */
void vip_temporary_refuse(const char *whose, vipann_error *error);

/* Writes all n bytes, however many calls that takes; false: errno says why. */
bool vip_write_all(int fd, const void *bytes, size_t n);

#endif /* VIP_COMMON_TEMPORARY_H */
