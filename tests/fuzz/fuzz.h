/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz.h -- what the fuzzers share: what must hold, decisions drawn from the input, mutations that keep JSON valid. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vipann/vipann.h>

struct json_t; /* jansson's */

/* The fuzzer's side: libFuzzer calls these. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* libFuzzer's own mutation of bytes, for custom mutators. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Ends the run, so that the input is kept, unless the condition holds. */
#define fuzz_check(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* Whether the text can be shown in one line: not empty, UTF-8, no control characters. */
bool fuzz_is_line(const char *text);

/* What every refusal promises: this status, in the error as well, and a text of one line. */
void fuzz_check_refusal(vipann_status expected, const vipann_error *error);

/* Nothing was refused; else shows what was said. */
void fuzz_check_success(const vipann_error *error);

/* ------------------------------------------------------------------------------------------------------ decisions */

/* The part of the input that is not used up. An exhausted input answers with zeros and least values. */
typedef struct {
    const uint8_t *at;
    size_t left;
} fuzz_bytes;

uint8_t fuzz_byte(fuzz_bytes *bytes);
uint32_t fuzz_word(fuzz_bytes *bytes);

/* least .. most, from as few bytes as suffice. */
uint32_t fuzz_range(fuzz_bytes *bytes, uint32_t least, uint32_t most);

/* Any double at all, odd ones often. */
double fuzz_double(fuzz_bytes *bytes);

/* Copies a text of at most `most` bytes (and its end) to out and returns its length. */
size_t fuzz_text(fuzz_bytes *bytes, char *out, size_t most);

/* ----------------------------------------------------------------------------------------------------------- files */

/* A file of these bytes in a folder that is removed when the fuzzer ends well; the same path at each call with the same
 * name. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);

/* The path alone. */
const char *fuzz_path(const char *name);

/* The whole of a file, to be freed with free. */
uint8_t *fuzz_load(const char *path, size_t *size);

/* ------------------------------------------------------------------------------------------------------- mutations */

/* The next of a sequence of random numbers. */
uint32_t fuzz_random(uint32_t *state);

/* Changes one thing somewhere in a JSON value: a key goes, comes twice under another name or is renamed, a value
 * becomes another one or another kind; strings that hold JSON themselves are entered. */
void fuzz_mutate_json(struct json_t *value, uint32_t *random);

#endif /* TESTS_FUZZ_FUZZ_H */
