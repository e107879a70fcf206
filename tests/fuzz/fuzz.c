/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz.c -- see fuzz.h for the contract; mutations are in mutate.c. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/text.h>

void
fuzz_broken(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
    abort();
}

bool
fuzz_is_line(const char *text)
{
    if (*text == '\0') {
        return false;
    }
    while (*text != '\0') {
        uint32_t c;
        text += vip_next_character(text, SIZE_MAX, &c);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == VIP_NO_CHARACTER) {
            return false;
        }
    }
    return true;
}

void
fuzz_check_refusal(vipann_status expected, const vipann_error *error)
{
    bool ended = memchr(error->text, '\0', sizeof error->text) != NULL;
    if (!ended || error->status != expected || !fuzz_is_line(error->text)) {
        (void)fprintf(stderr, "status %d, expected %d: %.256s\n", (int)error->status, (int)expected, error->text);
        fuzz_broken("a refusal has its status and one line of text", __FILE__, __LINE__);
    }
}

void
fuzz_check_success(const vipann_error *error)
{
    if (error->status != VIPANN_OK) {
        (void)fprintf(stderr, "status %d: %.256s\n", (int)error->status, error->text);
        fuzz_broken("this is not refused", __FILE__, __LINE__);
    }
}

/* ------------------------------------------------------------------------------------------------------ decisions */

uint8_t
fuzz_byte(fuzz_bytes *bytes)
{
    if (bytes->left == 0) {
        return 0;
    }
    bytes->left--;
    return *bytes->at++;
}

uint32_t
fuzz_word(fuzz_bytes *bytes)
{
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) {
        word = word << 8 | fuzz_byte(bytes);
    }
    return word;
}

uint32_t
fuzz_range(fuzz_bytes *bytes, uint32_t least, uint32_t most)
{
    uint32_t span = most - least, word = 0;
    for (uint32_t reach = span; reach > 0; reach >>= 8) {
        word = word << 8 | fuzz_byte(bytes);
    }
    return least + (span == UINT32_MAX ? word : word % (span + 1));
}

double
fuzz_double(fuzz_bytes *bytes)
{
    static const double odd[] = {0,        -0.0,      1,     -1,  0.5,  1e-300,   5e-324,     1e300,
                                 -1e300,   1e15,      1e16,  0.1, 32,   16777217, 4294967296, NAN,
                                 INFINITY, -INFINITY, 65535, 1e9, 1e10, 3.4e38,   1.5};
    uint8_t kind = fuzz_byte(bytes);
    if (kind < sizeof odd / sizeof *odd) {
        return odd[kind];
    }
    if (kind < 128) {
        return ((double)fuzz_word(bytes) - 2147483648.0) / (double)(1u << (kind % 31));
    }
    uint64_t bits = (uint64_t)fuzz_word(bytes) << 32 | fuzz_word(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

size_t
fuzz_text(fuzz_bytes *bytes, char *out, size_t most)
{
    size_t length = fuzz_byte(bytes);
    length = length < most ? length : most;
    for (size_t i = 0; i < length; i++) {
        out[i] = (char)fuzz_byte(bytes);
    }
    out[length] = '\0';
    return strlen(out); /* a zero among them ends it */
}

/* ----------------------------------------------------------------------------------------------------------- files */

static char folder[64]; /* "": not made yet */

enum { MOST_FILES = 8, MOST_PATH = 128 };
static char paths[MOST_FILES][MOST_PATH];

static void
remove_files(void)
{
    for (size_t i = 0; i < MOST_FILES; i++) {
        if (paths[i][0] != '\0') {
            (void)unlink(paths[i]);
        }
    }
    (void)rmdir(folder);
}

const char *
fuzz_path(const char *name)
{
    if (folder[0] == '\0') { /* in memory where that is possible: a model is written thousands of times */
        bool memory = access("/dev/shm", W_OK) == 0;
        (void)snprintf(folder, sizeof folder, "%s/vipann-fuzz-XXXXXX", memory ? "/dev/shm" : "/tmp");
        fuzz_check(mkdtemp(folder) != NULL);
        (void)atexit(remove_files);
    }
    char path[MOST_PATH];
    fuzz_check((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path);
    for (size_t i = 0; i < MOST_FILES; i++) {
        if (paths[i][0] == '\0') {
            memcpy(paths[i], path, sizeof path);
        }
        if (strcmp(paths[i], path) == 0) {
            return paths[i];
        }
    }
    fuzz_broken("there is room for the names of all files", __FILE__, __LINE__);
}

const char *
fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    fuzz_check(file != NULL);
    fuzz_check(fwrite(data, 1, size, file) == size);
    fuzz_check(fclose(file) == 0);
    return path;
}

uint8_t *
fuzz_load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    fuzz_check(file != NULL);
    fuzz_check(fseek(file, 0, SEEK_END) == 0);
    long end = ftell(file);
    fuzz_check(end >= 0 && fseek(file, 0, SEEK_SET) == 0);
    uint8_t *data = malloc((size_t)end + 1);
    fuzz_check(data != NULL);
    *size = fread(data, 1, (size_t)end, file);
    fuzz_check(*size == (size_t)end);
    (void)fclose(file);
    return data;
}
