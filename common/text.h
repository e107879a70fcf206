/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.h -- text for eyes: bars, columns, colour, and names that may hold anything. */
#ifndef VIP_COMMON_TEXT_H
#define VIP_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <base/words.h>

/* What the place where text goes can show. */
typedef struct {
    bool terminal;
    bool colour;    /* a terminal, and neither NO_COLOR nor TERM=dumb is set */
    bool unicode;   /* the locale of the environment is UTF-8 */
    size_t columns; /* of the terminal, 80 if it does not say; 0: no limit, because it is none */
} vip_text_style;

vip_text_style vip_text_style_of(FILE *out);

typedef enum { VIP_PLAIN, VIP_STRONG, VIP_FAINT, VIP_BLUE, VIP_YELLOW, VIP_RED } vip_text_look;

/* Begins (or with VIP_PLAIN ends) a look; nothing without colour. */
void vip_text_look_set(FILE *out, const vip_text_style *style, vip_text_look look);

/* Writes a bar of `cells` cells of which `fraction` is filled (clamped to 0 .. 1; anything above 0 shows a trace). */
void vip_text_bar(FILE *out, const vip_text_style *style, double fraction, size_t cells);

/* Whether a terminal may be given this character of a name: it is none (VIP_NO_CHARACTER, a control character), it ends a
 * line, or it turns the direction of what stands beside it, if not. Shown as '?' then. */
bool vip_text_is_harmless(uint32_t code_point);

/* Copies text to out, which has size > 4 bytes, disarmed so; what does not fit is cut behind a whole character and ends
 * with "...". Returns out. */
const char *vip_text_copy(char *out, size_t size, const char *text);

/* Writes text in at most `most` cells, cut with an ellipsis if it is longer, padded with spaces to `least`. What is not
 * harmless shows as '?': a name must not command the terminal. Returns the cells. */
size_t vip_text_put(FILE *out, const vip_text_style *style, const char *text, size_t least, size_t most);

/* Writes the words of text, disarmed likewise: the first at cell `at` of its line, and where the next would pass `columns`
 * on a new line that is indented by `indent`. A word is never cut, white space is one space; ends the last line. */
void vip_text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t columns);

/* The cells that text takes, one per code point: scripts of double width are not known here. */
size_t vip_text_cells(const char *text);

/* The end of text, at most `most` bytes of it and whole characters: of a long path the end says more than the beginning. */
const char *vip_text_tail(const char *text, size_t most);

#endif /* VIP_COMMON_TEXT_H */
