/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scratch.h -- an empty folder for a test's files. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stddef.h>

/* For cmocka: make a folder, whose path becomes *state, and remove it with all files in it (but no folders). */
int scratch_make(void **state);
int scratch_remove(void **state);

/* folder/name, into out. Returns out. */
enum { SCRATCH_PATH = 512 };
const char *scratch_path(char out[SCRATCH_PATH], void **state, const char *name);

/* How many files are in the folder, hidden ones too. */
size_t scratch_count(void **state);

/* Writes bytes to the file of that name, or reads at most size - 1 bytes and a final zero from it (returns how many). */
void scratch_write(const char *path, const void *bytes, size_t n);
size_t scratch_read(const char *path, char *out, size_t size);

#endif /* TESTS_UNIT_SCRATCH_H */
