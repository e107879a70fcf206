/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.h -- one HTML page that needs nothing but itself: no script, no font, no file from elsewhere.
 *
 * What is written is well-formed XML too. Text from anywhere goes through vip_page_text, and only constants of ours go
 * around it: so a label or a name can show whatever it likes and do nothing. Errors of writing are found in the stream. */
#ifndef VIP_TRAINER_PAGE_H
#define VIP_TRAINER_PAGE_H

#include <stdio.h>

typedef struct {
    FILE *out;       /* borrowed */
    unsigned titles; /* ids given to titles of plots so far */
} vip_page;

/* From the doctype to where sections begin, and the end. */
void vip_page_begin(vip_page *page, const char *title);
void vip_page_end(vip_page *page);

/* id: for links within the page. lead: a sentence or two below the heading. Sections do not lie within each other. */
void vip_page_section(vip_page *page, const char *id, const char *heading, const char *lead);
void vip_page_section_end(vip_page *page);

/* A figure; what stands between is its content. heading: NULL for none. caption: how it is read. */
void vip_page_figure(vip_page *page, const char *kind, const char *heading);
void vip_page_figure_end(vip_page *page, const char *caption);

/* Text or part of the value of an attribute in double quotes, disarmed: the characters of markup are written as
 * references, what is not UTF-8 or a control character becomes U+FFFD. */
void vip_page_text(FILE *out, const char *text);

/* The first `most` characters of it, with an ellipsis where more were. */
void vip_page_short(FILE *out, const char *text, size_t most);

/* A number with so many decimals; times 100 with " %" behind; a dash for what is not finite. */
void vip_page_number(FILE *out, double value, int decimals);
void vip_page_percent(FILE *out, double share, int decimals);

/* A whole number, such as a count; long ones in groups of three digits. */
void vip_page_whole(FILE *out, double value);

/* The page's style sheet in pieces, with a NULL behind them; no character in it is one of markup. */
extern const char *const VIP_PAGE_STYLE[];

#endif /* VIP_TRAINER_PAGE_H */
