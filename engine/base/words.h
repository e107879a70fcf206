/* SPDX-License-Identifier: GPL-3.0-or-later */
/* words.h -- what people write: numbers with a decimal point, words that are nearly right, and text from anywhere that
 * is to be shown. Nothing here depends on the locale of the process. */
#ifndef VIP_BASE_WORDS_H
#define VIP_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a finite decimal number that is the whole of text: "5", "-0.25", "1e3". false: it is not, or is out of range;
 * *value is unchanged then. */
bool vip_number_read(const char *text, double *value);

/* The same for a whole number of 0 .. 2^64 - 1, digits only. */
bool vip_number_read_whole(const char *text, uint64_t *value);

/* How many letters one must insert, delete, replace or swap with a neighbour to make one word of the other, up to 64
 * letters; longer words are infinitely far (SIZE_MAX). */
size_t vip_word_distance(const char *a, const char *b);

/* Whether a word at this distance is near enough to be offered for the mistyped one. */
bool vip_word_is_near(const char *mistyped, size_t distance);

#define VIP_NO_CHARACTER UINT32_MAX

/* The character at the beginning of UTF-8 text of n > 0 bytes, which may end earlier with a zero; returns its length in
 * bytes. *code_point is VIP_NO_CHARACTER if these bytes are none. */
size_t vip_next_character(const char *text, size_t n, uint32_t *code_point);

/* Whether it commands a terminal instead of showing something: below 0x20, and 0x7f to 0x9f. */
bool vip_is_control(uint32_t code_point);

/* Writes the first `length` bytes of text to out, which has size > 4 bytes, for a message: control characters and bytes
 * that are not UTF-8 become '?', what does not fit is cut behind a whole character and ends with "...". Returns out. */
const char *vip_shown(char *out, size_t size, const char *text, size_t length);

#endif /* VIP_BASE_WORDS_H */
