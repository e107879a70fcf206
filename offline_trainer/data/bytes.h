/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bytes.h -- a whole file in memory. */
#ifndef VIP_TRAINER_BYTES_H
#define VIP_TRAINER_BYTES_H

#include <stddef.h>

#include <vipann/vipann.h>

/* The file's bytes with a zero behind them, to be freed with vip_free; *bytes is their number without it. Errors: E_IO,
 * E_FORMAT (more than `most` bytes), E_MEMORY. */
char *vip_file_bytes(const char *path, size_t most, size_t *bytes, vipann_error *error);

#endif /* VIP_TRAINER_BYTES_H */
