/* SPDX-License-Identifier: GPL-3.0-or-later */
/* append_file.h -- a file that grows by whole lines for months: each is with the system as soon as it is written, so that it
 * outlasts the program however that ends; none stays there by half; and what has grown large is put aside under another
 * name. One thread at a time.
 *
 * A program that is killed in the middle of the system's own copying, where a line lies in two pages, leaves a part of it;
 * as does a machine that loses its power. That part goes when the file is opened again. */
#ifndef VIP_COMMON_APPEND_FILE_H
#define VIP_COMMON_APPEND_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <vipann/vipann.h>

typedef struct vip_append_file vip_append_file;

typedef struct {
    const char *path;
    uint64_t most; /* bytes; a file that would grow beyond becomes PATH.1, that PATH.2 and so on. 0: no limit */
    uint32_t keep; /* such files at most; the oldest goes */
    bool anew;     /* what is there, if anything, is put aside at once */
} vip_append_setup;

/* Makes the file, or goes on with what is there, less an unfinished last line. NULL: E_IO (it cannot be written, or is no regular file), E_MEMORY. */
vip_append_file *vip_append_open(const vip_append_setup *setup, vipann_error *error);

/* What has not been committed is lost. NULL is allowed. */
void vip_append_close(vip_append_file *file);

/* Where to write one or several lines; belongs to the file. */
FILE *vip_append_stream(vip_append_file *file);

/* Bytes in the file, what has not been committed left out. */
uint64_t vip_append_size(const vip_append_file *file);

/* Hands the lines to the system. On failure they are lost, wholly, and the next ones are tried again: E_IO. */
vipann_status vip_append_commit(vip_append_file *file, vipann_error *error);

#endif /* VIP_COMMON_APPEND_FILE_H */
