/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scratch.c -- see scratch.h for the contract. */
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
scratch_make(void **state)
{
    char *folder = malloc(SCRATCH_PATH);
    if (folder == NULL) {
        return -1;
    }
    const char *root = getenv("TMPDIR");
    (void)snprintf(folder, SCRATCH_PATH, "%s/vipann-test-XXXXXX", root != NULL && *root != '\0' ? root : "/tmp");
    *state = folder;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
is_file(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int
scratch_remove(void **state)
{
    struct dirent **entries;
    int n = scandir(*state, &entries, is_file, NULL);
    for (int i = 0; i < n; i++) {
        char path[SCRATCH_PATH];
        (void)unlink(scratch_path(path, state, entries[i]->d_name));
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    int failed = rmdir(*state);
    free(*state);
    return failed;
}

const char *
scratch_path(char out[SCRATCH_PATH], void **state, const char *name)
{
    (void)snprintf(out, SCRATCH_PATH, "%s/%s", (const char *)*state, name);
    return out;
}

size_t
scratch_count(void **state)
{
    struct dirent **entries;
    int n = scandir(*state, &entries, is_file, NULL);
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    return n > 0 ? (size_t)n : 0;
}

void
scratch_write(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

size_t
scratch_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t n = file != NULL ? fread(out, 1, size - 1, file) : 0;
    out[n] = '\0';
    if (file != NULL) {
        (void)fclose(file);
    }
    return n;
}
