/* SPDX-License-Identifier: GPL-3.0-or-later */
/* words.c -- see words.h for the contract. */
#include "words.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

/* --------------------------------------------------------------------------------------------------------- numbers */

bool
vip_number_read(const char *text, double *value)
{
    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) {
        return false; /* also keeps out "nan", "inf", hexadecimal and leading space, which strtod takes */
    }
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return false;
    }
    locale_t before = uselocale(plain); /* of this thread only */
    char *end;
    double read = strtod(text, &end);
    (void)uselocale(before);
    freelocale(plain);
    if (*end != '\0' || end == text || !isfinite(read)) {
        return false;
    }
    *value = read;
    return true;
}

bool
vip_number_read_whole(const char *text, uint64_t *value)
{
    uint64_t read = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (read > (UINT64_MAX - digit) / 10) {
            return false;
        }
        read = read * 10 + digit;
    }
    *value = read;
    return true;
}

/* ----------------------------------------------------------------------------------------------------------- words */

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t
vip_word_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST_WORD || m > LONGEST_WORD) {
        return SIZE_MAX;
    }
    size_t rows[3][LONGEST_WORD + 1]; /* of the table of distances between beginnings: before last, last, this */
    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = rows[1][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = smaller(rows[1][j], rows[2][j - 1]) + 1;
            best = smaller(best, rows[1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = smaller(best, rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
    }
    return rows[1][m];
}

bool
vip_word_is_near(const char *mistyped, size_t distance)
{
    return distance <= 2 && distance < strlen(mistyped);
}

/* ----------------------------------------------------------------------------------------------------------- shown */

size_t
vip_next_character(const char *text, size_t n, uint32_t *code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* by length: a longer form than needed is wrong */
    const unsigned char *s = (const unsigned char *)text;
    const size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    *code_point = VIP_NO_CHARACTER;
    if (length == 0 || s[0] > 0xf4) {
        return 1;
    }
    uint32_t c = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (i == n || (s[i] & 0xc0) != 0x80) { /* the final zero too */
            return i;
        }
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 1;
    }
    *code_point = c;
    return length;
}

bool
vip_is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

const char *
vip_shown(char *out, size_t size, const char *text, size_t length)
{
    static const char mark[] = "...";
    size_t written = 0, cut = 0; /* cut: where the mark would go */
    for (size_t i = 0; i < length;) {
        uint32_t c;
        const size_t n = vip_next_character(text + i, length - i, &c);
        const bool fit = c != VIP_NO_CHARACTER && !vip_is_control(c);
        const size_t bytes = fit ? n : 1;
        if (written + bytes >= size) {
            memcpy(out + cut, mark, sizeof mark);
            return out;
        }
        memcpy(out + written, fit ? text + i : "?", bytes);
        written += bytes;
        i += n;
        cut = written + sizeof mark <= size ? written : cut;
    }
    out[written] = '\0';
    return out;
}
