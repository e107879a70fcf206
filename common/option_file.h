/* SPDX-License-Identifier: GPL-3.0-or-later */
/* option_file.h -- options of a command from a file, so that they need not be typed again and again.
 *
 * A file has lines KEY = VALUE. KEY is the long name of an option without its dashes; flags are yes or no. What stands
 * between quotes is the value as it is; else it ends before a comment, which begins with a '#' at the start of a line or
 * behind a blank. Text is UTF-8, at most 64 KiB of it; lines may end as on Windows. Paths in values are those of the
 * current folder, as on the command line. */
#ifndef VIP_COMMON_OPTION_FILE_H
#define VIP_COMMON_OPTION_FILE_H

#include "options.h"

/* Keys that are special. */
typedef struct {
    const vip_option *option;       /* the one that names the file: refused as a key, so that no file names another */
    const vip_subcommand *commands; /* of the program: a key that only others of them have is passed over, so that one
                                     * file serves all; ends with a NULL name. NULL: none */
    const char *const *others;      /* further keys to be passed over; ends with NULL. NULL: none */
} vip_option_keys;

enum { VIP_OPTION_FILE_BYTES = 1 << 16 }; /* at most */

/* Gives the arguments, which vip_options_parse has filled, the values of the file for all options that the command line
 * does not give; `given` is then true of them. They live as long as the arguments. At most once for the same arguments.
 *
 * Errors, with one line and without effect: E_IO (the file cannot be read), E_FORMAT (what it says is no option or no
 * value of one, or is said twice; FILE:LINE comes first, and the nearest name is offered), E_MEMORY. */
vipann_status vip_option_file_read(vip_arguments *arguments, const vip_option_keys *keys, const char *path,
                                   vipann_error *error);

/* The same from text of that many bytes, which need not live on; messages call it `name`. */
vipann_status vip_option_file_parse(vip_arguments *arguments, const vip_option_keys *keys, const char *name,
                                    const char *text, size_t bytes, vipann_error *error);

#endif /* VIP_COMMON_OPTION_FILE_H */
