/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_file.h -- how the file of a store is opened and what its messages say; for store.c and store_read.c. */
#ifndef VIP_COMMON_STORE_FILE_H
#define VIP_COMMON_STORE_FILE_H

#include <sqlite3.h>
#include <stdbool.h>

#include <vipann/vipann.h>

/* Opens the file, for writing also one that is not there, and checks that it is a store or nothing yet (*empty), as one is
 * whose maker was killed. NULL: E_IO, E_FORMAT, E_MEMORY. */
sqlite3 *vip_store_file_open(const char *path, bool write, bool *empty, vipann_error *error);

/* Fails as SQLite's newest answer asks for: one line with the path. */
vipann_status vip_store_file_fail(sqlite3 *db, const char *path, vipann_error *error);

/* Runs statements that give nothing back. */
vipann_status vip_store_file_do(sqlite3 *db, const char *path, const char *statements, vipann_error *error);

enum { VIP_STORE_MARK = 0x76697061 /* "vipa" */, VIP_STORE_VERSION = 1 };

#endif /* VIP_COMMON_STORE_FILE_H */
