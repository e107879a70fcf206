/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.c -- see page.h for the contract. */
#include "page.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <base/words.h>
#include <common/number.h>
#include <vipann/vipann.h>

void
vip_page_short(FILE *out, const char *text, size_t most)
{
    for (size_t i = 0; *text != '\0'; i++) {
        uint32_t c;
        size_t n = vip_next_character(text, SIZE_MAX, &c);
        if (i == most) {
            (void)fputs("…", out);
            return;
        }
        if (c == '<') {
            (void)fputs("&lt;", out);
        } else if (c == '>') {
            (void)fputs("&gt;", out);
        } else if (c == '&') {
            (void)fputs("&amp;", out);
        } else if (c == '"') {
            (void)fputs("&quot;", out);
        } else if (c == '\'') {
            (void)fputs("&#39;", out);
        } else if (c == VIP_NO_CHARACTER || vip_is_control(c) || c == 0xfffe || c == 0xffff) { /* XML has no such */
            (void)fputs("\xef\xbf\xbd", out);
        } else {
            (void)fwrite(text, 1, n, out);
        }
        text += n;
    }
}

void
vip_page_text(FILE *out, const char *text)
{
    vip_page_short(out, text, SIZE_MAX);
}

void
vip_page_number(FILE *out, double value, int decimals)
{
    char text[VIP_NUMBER_SIZE];
    if (!isfinite(value)) {
        (void)fputs("–", out);
    } else if (fabs(value) < 1e12) {
        (void)fputs(vip_number_fixed(text, value, decimals), out);
    } else {
        (void)fputs(vip_number_write(text, value, 4), out);
    }
}

void
vip_page_percent(FILE *out, double share, int decimals)
{
    vip_page_number(out, 100 * share, decimals);
    if (isfinite(share)) {
        (void)fputs("\xc2\xa0%", out);
    }
}

void
vip_page_whole(FILE *out, double value)
{
    char text[VIP_NUMBER_SIZE];
    if (!(fabs(value) < 1e12)) {
        vip_page_number(out, value, 0);
        return;
    }
    size_t n = strlen(vip_number_fixed(text, value, 0));
    for (size_t i = 0; i < n; i++) {
        bool apart = i > 0 && text[i - 1] != '-' && (n - i) % 3 == 0 && n > 4;
        (void)fprintf(out, "%s%c", apart ? "\xe2\x80\xaf" : "", text[i]); /* a narrow space that does not break */
    }
}

void
vip_page_begin(vip_page *page, const char *title)
{
    FILE *out = page->out;
    (void)fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
        "<title>",
        out);
    vip_page_text(out, title);
    (void)fputs("</title>\n<style>\n", out);
    for (size_t i = 0; VIP_PAGE_STYLE[i] != NULL; i++) {
        (void)fputs(VIP_PAGE_STYLE[i], out);
    }
    (void)fputs("</style>\n</head>\n<body>\n<main>\n", out);
}

void
vip_page_end(vip_page *page)
{
    (void)fprintf(page->out,
                  "<footer>Written by vipann-train %s. The page holds all that it shows and fetches nothing."
                  "</footer>\n</main>\n</body>\n</html>\n",
                  vipann_version());
}

void
vip_page_section(vip_page *page, const char *id, const char *heading, const char *lead)
{
    (void)fprintf(page->out, "<section id=\"%s\">\n<h2>%s</h2>\n<p class=\"lead\">%s</p>\n", id, heading, lead);
}

void
vip_page_section_end(vip_page *page)
{
    (void)fputs("</section>\n", page->out);
}

void
vip_page_figure(vip_page *page, const char *kind, const char *heading)
{
    (void)fprintf(page->out, "<figure class=\"%s\">\n", kind);
    if (heading != NULL) {
        (void)fputs("<h3>", page->out);
        vip_page_text(page->out, heading);
        (void)fputs("</h3>\n", page->out);
    }
}

void
vip_page_figure_end(vip_page *page, const char *caption)
{
    if (caption != NULL) {
        (void)fprintf(page->out, "<figcaption>%s</figcaption>\n", caption);
    }
    (void)fputs("</figure>\n", page->out);
}
