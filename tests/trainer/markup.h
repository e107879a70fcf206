/* SPDX-License-Identifier: GPL-3.0-or-later */
/* markup.h -- reads a page as strictly as XML is read, and holds what must be true of every page of ours. */
#ifndef TESTS_TRAINER_MARKUP_H
#define TESTS_TRAINER_MARKUP_H

#include <stddef.h>

enum { MARKUP_WHY = 300 };

/* NULL, or in `why` what is wrong and where: tags that do not close in order, elements or attributes other than those that
 * our pages are made of (so no script, no handler, nothing from elsewhere), characters that are not disarmed, links
 * that lead out of the page or nowhere, ids that occur twice, coordinates that are not numbers, and pictures that
 * neither say what they are nor are hidden from those who listen. */
const char *markup_fault(const char *page, char why[MARKUP_WHY]);

/* How often a text occurs. */
size_t markup_count(const char *page, const char *text);

#endif /* TESTS_TRAINER_MARKUP_H */
