/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bytes.c -- see bytes.h for the contract. */
#include "bytes.h"

#include <base/memory.h>
#include <base/status.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char *
read_all(FILE *file, const char *path, size_t most, size_t *bytes, vipann_error *error)
{
    struct stat about;
    if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: is not a file that can be read", path);
        return NULL;
    }
    if (about.st_size < 0 || (uint64_t)about.st_size > most) {
        (void)vip_fail(error, VIPANN_E_FORMAT, "%s: has %lld bytes; at most %zu are read", path,
                       (long long)about.st_size, most);
        return NULL;
    }
    char *text = vip_alloc((size_t)about.st_size + 1, 1);
    if (text == NULL) {
        (void)vip_fail_memory(error, path);
        return NULL;
    }
    *bytes = fread(text, 1, (size_t)about.st_size, file);
    if (ferror(file) != 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
        vip_free(text);
        return NULL;
    }
    text[*bytes] = '\0'; /* it may have become shorter meanwhile */
    return text;
}

char *
vip_file_bytes(const char *path, size_t most, size_t *bytes, vipann_error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_all(file, path, most, bytes, error);
    (void)fclose(file);
    return text;
}
