/* SPDX-License-Identifier: GPL-3.0-or-later */
/* atomic_file.h -- a file that appears whole or not at all.
 *
 * What is written goes to another file in the same folder, without a name where the system can do that, which takes the
 * name only when everything has reached the disk. Until then, and after any failure, what stood under the name before is
 * untouched. A name that leads through links replaces what they point at. Devices and pipes have nothing to keep whole:
 * they are written directly. */
#ifndef VIP_COMMON_ATOMIC_FILE_H
#define VIP_COMMON_ATOMIC_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include <vipann/vipann.h>

typedef struct vip_atomic_file vip_atomic_file;

/* Errors: E_IO (the folder cannot be written to, the name is a directory), E_MEMORY. */
vip_atomic_file *vip_atomic_file_open(const char *path, vipann_error *error);

/* Where to write; belongs to the file. */
FILE *vip_atomic_file_stream(vip_atomic_file *file);

/* Gives the file its name and frees it, if nothing went wrong since it was opened; else does as discard does and says
 * why. A file that replaces another keeps its permissions. */
vipann_status vip_atomic_file_commit(vip_atomic_file *file, vipann_error *error);

/* Forgets what was written and frees the file; NULL is allowed. */
void vip_atomic_file_discard(vip_atomic_file *file);

/* Makes the folders that lead to path, which is changed on the way and is the same in the end. False: errno says why, and path
 * is cut behind the folder that could not be made. */
bool vip_make_folders(char *path);

#endif /* VIP_COMMON_ATOMIC_FILE_H */
