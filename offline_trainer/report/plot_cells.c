/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_cells.c -- a matrix of coloured cells; see plot.h for the contract. */
#include "plot.h"

#include <math.h>
#include <stdio.h>

#include <base/words.h>

enum { NAME_CHARACTERS = 22, TEXT = 400, NUMBERED = 22, GUIDE = 5, CORNER = 22, EDGE = 6 };

typedef struct {
    FILE *out;
    const vip_cells *cells;
    double cell, left, top, overhang;
} matrix;

static size_t
characters(const char *text)
{
    size_t n = 0;
    while (*text != '\0' && n < NAME_CHARACTERS) {
        uint32_t c;
        text += vip_next_character(text, SIZE_MAX, &c);
        n++;
    }
    return n;
}

static matrix
plan(vip_page *page, const vip_cells *cells)
{
    size_t longest = 1;
    for (size_t i = 0; i < cells->n; i++) {
        size_t n = characters(cells->names[i]);
        longest = n > longest ? n : longest;
    }
    double cell = fmin(fmax(floor(720 / (double)cells->n), 12), 44), length = 7.0 * (double)longest + 14;
    return (matrix){.out = page->out,
                    .cells = cells,
                    .cell = cell,
                    .left = length + CORNER,
                    .top = 0.87 * length + CORNER,
                    .overhang = 0.5 * length};
}

static void
put_at(FILE *out, const char *before, double x, const char *between, double y, const char *behind)
{
    (void)fputs(before, out);
    vip_plot_put(out, x);
    (void)fputs(between, out);
    vip_plot_put(out, y);
    (void)fputs(behind, out);
}

static double
row_sum(const vip_cells *cells, size_t row)
{
    double sum = 0;
    for (size_t k = 0; k < cells->n; k++) {
        sum += cells->counts[row * cells->n + k];
    }
    return sum;
}

static void
put_names(const matrix *m)
{
    for (size_t i = 0; i < m->cells->n; i++) {
        double middle = ((double)i + 0.5) * m->cell;
        put_at(m->out, "<text class=\"name end\" x=\"", m->left - EDGE, "\" y=\"", m->top + middle + 4, "\">");
        vip_page_short(m->out, m->cells->names[i], NAME_CHARACTERS);
        (void)fputs("<title>", m->out);
        vip_page_text(m->out, m->cells->names[i]);
        (void)fputs(": ", m->out);
        vip_page_whole(m->out, row_sum(m->cells, i));
        (void)fputs(" clips</title></text>\n", m->out);
        put_at(m->out, "<text class=\"name\" transform=\"translate(", m->left + middle + 3, " ", m->top - EDGE,
               ") rotate(-60)\">");
        vip_page_short(m->out, m->cells->names[i], NAME_CHARACTERS);
        (void)fputs("<title>", m->out);
        vip_page_text(m->out, m->cells->names[i]);
        (void)fputs("</title></text>\n", m->out);
    }
}

static void
put_cell(const matrix *m, size_t row, size_t column, double count, double sum)
{
    double share = count / sum, x = m->left + (double)column * m->cell, y = m->top + (double)row * m->cell;
    put_at(m->out, row == column ? "<g><rect class=\"hit\" x=\"" : "<g><rect class=\"miss\" x=\"", x + 0.5, "\" y=\"",
           y + 0.5, "\"");
    put_at(m->out, " width=\"", m->cell - 1, "\" height=\"", m->cell - 1, "\"");
    (void)fputs(" fill-opacity=\"", m->out);
    vip_plot_put(m->out, 0.18 + 0.82 * share);
    (void)fputs("\"/>", m->out);
    if (m->cell >= NUMBERED) {
        put_at(m->out, share > 0.5 ? "<text class=\"count on mid\" x=\"" : "<text class=\"count mid\" x=\"",
               x + m->cell / 2, "\" y=\"", y + m->cell / 2 + 4, "\">");
        vip_page_whole(m->out, count);
        (void)fputs("</text>", m->out);
    }
    (void)fputs("<title>", m->out);
    vip_page_text(m->out, m->cells->names[row]);
    (void)fputs(row == column ? " heard as it is: " : " heard as ", m->out);
    if (row != column) {
        vip_page_text(m->out, m->cells->names[column]);
        (void)fputs(": ", m->out);
    }
    vip_page_whole(m->out, count);
    (void)fputs(" of ", m->out);
    vip_page_whole(m->out, sum);
    (void)fputs("</title></g>\n", m->out);
}

static void
put_guides(const matrix *m)
{
    double size = (double)m->cells->n * m->cell;
    put_at(m->out, "<rect class=\"field\" x=\"", m->left, "\" y=\"", m->top, "\"");
    put_at(m->out, " width=\"", size, "\" height=\"", size, "\"/>\n");
    for (size_t i = 0; i <= m->cells->n; i += GUIDE) {
        double at = (double)i * m->cell;
        put_at(m->out, "<path class=\"grid\" d=\"M", m->left + at, " ", m->top, "v");
        vip_plot_put(m->out, size);
        put_at(m->out, "M", m->left, " ", m->top + at, "h");
        vip_plot_put(m->out, size);
        (void)fputs("\"/>\n", m->out);
    }
}

void
vip_plot_cells(vip_page *page, const vip_cells *cells)
{
    matrix m = plan(page, cells);
    double size = (double)cells->n * m.cell;
    vip_plot_open(page, m.left + size + m.overhang, m.top + size + EDGE, true, cells->title, cells->description);
    put_guides(&m);
    put_at(m.out, "<text class=\"label\" x=\"", 2, "\" y=\"", m.top - EDGE, "\">");
    vip_page_text(m.out, cells->row_label);
    put_at(m.out, "</text>\n<text class=\"label\" x=\"", 2, "\" y=\"", m.top - EDGE - 18, "\">");
    vip_page_text(m.out, cells->column_label);
    (void)fputs("</text>\n", m.out);
    for (size_t row = 0; row < cells->n; row++) {
        double sum = row_sum(cells, row);
        for (size_t column = 0; column < cells->n; column++) {
            double count = cells->counts[row * cells->n + column];
            if (count > 0) {
                put_cell(&m, row, column, count, sum);
            }
        }
    }
    put_names(&m);
    (void)fputs("</svg>\n", m.out);
}
