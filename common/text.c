/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.c -- see text.h for the contract. */
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------- the place */

/* The variable that decides what characters mean: the first of the three that is set and not empty. */
static bool
environment_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0') {
            const char *dot = strchr(value, '.');
            return dot != NULL && (strncasecmp(dot, ".utf-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0);
        }
    }
    return false;
}

vip_text_style
vip_text_style_of(FILE *out)
{
    vip_text_style style = {.unicode = environment_is_utf8()};
    int fd = fileno(out); /* -1 for a stream in memory */
    style.terminal = fd >= 0 && isatty(fd) == 1;
    if (style.terminal) {
        const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
        bool dumb = kind == NULL || strcmp(kind, "dumb") == 0;
        style.colour = !dumb && (no_colour == NULL || *no_colour == '\0');
        struct winsize size;
        style.columns = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    }
    return style;
}

void
vip_text_look_set(FILE *out, const vip_text_style *style, vip_text_look look)
{
    static const char *const codes[] = {[VIP_PLAIN] = "0", [VIP_STRONG] = "1",  [VIP_FAINT] = "2",
                                        [VIP_BLUE] = "36", [VIP_YELLOW] = "33", [VIP_RED] = "1;31"};
    if (style->colour) {
        (void)fprintf(out, "\033[%sm", codes[look]);
    }
}

/* -------------------------------------------------------------------------------------------------------- bars */

void
vip_text_bar(FILE *out, const vip_text_style *style, double fraction, size_t cells)
{
    static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
    size_t steps = style->unicode ? 8 : 1; /* per cell */
    double clamped = fraction > 0 ? fmin(fraction, 1) : 0;
    size_t filled = (size_t)lround(clamped * (double)(cells * steps));
    filled += filled == 0 && clamped > 0 && cells > 0;
    size_t whole = filled / steps, part = filled % steps;
    for (size_t i = 0; i < whole; i++) {
        (void)fputs(style->unicode ? "\u2588" : "#", out);
    }
    (void)fputs(parts[part], out);
    for (size_t i = whole + (part > 0); i < cells; i++) {
        (void)fputs(style->unicode ? " " : ".", out);
    }
}

/* -------------------------------------------------------------------------------------------------- characters */

size_t
vip_text_cells(const char *text)
{
    size_t cells = 0;
    uint32_t c;
    for (; *text != '\0'; text += vip_next_character(text, SIZE_MAX, &c)) {
        cells++;
    }
    return cells;
}

const char *
vip_text_tail(const char *text, size_t most)
{
    size_t length = strlen(text);
    text += length > most ? length - most : 0;
    while (length > most && ((unsigned char)*text & 0xc0) == 0x80) {
        text++;
    }
    return text;
}

bool
vip_text_is_harmless(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } harmful[] = {
        {0x061c, 0x061c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}, /* directions */
        {0x2028, 0x2029},                                                       /* ends of lines */
    };
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++) {
        if (c >= harmful[i].from && c <= harmful[i].to) {
            return false;
        }
    }
    return c != VIP_NO_CHARACTER && !vip_is_control(c);
}

const char *
vip_text_copy(char *out, size_t size, const char *text)
{
    static const char mark[] = "...";
    size_t written = 0, cut = 0; /* cut: where the mark would go */
    while (*text != '\0') {
        uint32_t c;
        const size_t n = vip_next_character(text, SIZE_MAX, &c);
        const bool harmless = vip_text_is_harmless(c);
        const size_t bytes = harmless ? n : 1;
        if (written + bytes >= size) {
            memcpy(out + cut, mark, sizeof mark);
            return out;
        }
        memcpy(out + written, harmless ? text : "?", bytes);
        written += bytes;
        text += n;
        cut = written + sizeof mark <= size ? written : cut;
    }
    out[written] = '\0';
    return out;
}

/* Writes the character at *text, disarmed, and moves on to the next. */
static void
put_character(FILE *out, const char **text)
{
    uint32_t c;
    size_t n = vip_next_character(*text, SIZE_MAX, &c);
    bool shown = vip_text_is_harmless(c);
    (void)fwrite(shown ? *text : "?", 1, shown ? n : 1, out);
    *text += n;
}

size_t
vip_text_put(FILE *out, const vip_text_style *style, const char *text, size_t least, size_t most)
{
    size_t all = vip_text_cells(text), ellipsis = style->unicode ? 1 : 2;
    bool cut = all > most;
    size_t room = !cut ? all : most > ellipsis ? most - ellipsis : 0, cells = 0;
    for (; cells < room; cells++) {
        put_character(out, &text);
    }
    if (cut && most >= ellipsis) {
        (void)fputs(style->unicode ? "\u2026" : "..", out);
        cells += ellipsis;
    }
    for (; cells < least; cells++) {
        (void)fputc(' ', out);
    }
    return cells;
}

void
vip_text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t columns)
{
    static const char space[] = " \t\r\n";
    bool first = true;
    for (text += strspn(text, space); *text != '\0'; text += strspn(text, space)) {
        const char *end = text + strcspn(text, space);
        size_t cells = 0;
        uint32_t c;
        for (const char *s = text; s < end; s += vip_next_character(s, SIZE_MAX, &c)) {
            cells++;
        }
        if (!first && at + 1 + cells > columns) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            (void)fputc(' ', out);
            at++;
        }
        while (text < end) {
            put_character(out, &text);
        }
        at += cells;
        first = false;
    }
    (void)fputc('\n', out);
}
