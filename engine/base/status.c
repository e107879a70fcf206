/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status.c -- see status.h for the contract. */
#include "status.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

/* Ends a line of which only n characters fitted behind its last whole word; behind what fits if that word is very long,
 * as paths are, but never within a character of several bytes. */
static void
mark_cut(char *text, size_t n)
{
    static const char mark[] = " ...";
    const size_t most = n - (sizeof mark - 1);
    size_t end = most;
    while (end > most / 2 && text[end] != ' ') {
        end--;
    }
    if (text[end] != ' ') {
        for (end = most; end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80; end--) {
        }
    }
    memcpy(text + end, mark, sizeof mark);
}

/* As vsnprintf, with a decimal point whatever locale the host has chosen. */
static int
format_plain(char *text, size_t size, const char *format, va_list arguments)
{
    const locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    const locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0; /* of this thread only */
    const int length = vsnprintf(text, size, format, arguments);
    if (plain != (locale_t)0) {
        (void)uselocale(before);
        freelocale(plain);
    }
    return length;
}

vipann_status
vip_fail(vipann_error *error, vipann_status status, const char *format, ...)
{
    if (error == NULL) {
        return status;
    }
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    int length = format_plain(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof text) {
        mark_cut(text, sizeof text - 1);
    }
    (void)vip_shown(error->text, sizeof error->text, text, length > 0 ? strlen(text) : 0);
    error->status = status;
    return status;
}

vipann_status
vip_fail_memory(vipann_error *error, const char *what)
{
    return vip_fail(error, VIPANN_E_MEMORY, "not enough memory for %s; close other programs or ask for less", what);
}
