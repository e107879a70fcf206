/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_train_plot.c -- plots as SVG: round ticks, finite coordinates whatever is drawn, text that is harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offline_trainer/report/plot.h>

#include "markup.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

typedef struct {
    char *text;
    size_t size;
    vip_page page;
} drawing;

static void
begin(drawing *d)
{
    *d = (drawing){NULL, 0, {NULL, 0}};
    d->page.out = open_memstream(&d->text, &d->size);
    assert_non_null(d->page.out);
    vip_page_begin(&d->page, "Plots");
}

/* The page, to be freed with free; it is well-formed and its coordinates are numbers, or the test fails. */
static char *
end(drawing *d)
{
    char why[MARKUP_WHY];
    vip_page_end(&d->page);
    assert_int_equal(fclose(d->page.out), 0);
    const char *fault = markup_fault(d->text, why);
    if (fault != NULL) {
        fail_msg("%s", fault);
    }
    return d->text;
}

static void
test_ticks_are_one_two_or_five_times_a_power_of_ten(void **state)
{
    (void)state;
    static const struct {
        double span;
        unsigned most;
        double step;
    } table[] = {{1, 5, 0.2}, {1, 10, 0.1},  {1.01, 10, 0.2}, {100, 5, 20}, {0.0013, 5, 0.0005}, {7, 5, 2},
                 {9, 3, 5},   {1e9, 5, 2e8}, {3e-7, 5, 1e-7}, {NAN, 5, 1},  {0, 5, 1},           {-3, 5, 1}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        assert_true(fabs(vip_plot_step(table[i].span, table[i].most) - table[i].step) < 1e-9 * table[i].step);
    }
}

static void
test_axes_begin_and_end_at_round_numbers_round_what_is_there(void **state)
{
    (void)state;
    static const struct {
        double least, most;
        bool logarithmic;
        double begin, end;
    } table[] = {{0.03, 0.97, false, 0, 1},   {0.133, 0.182, false, 0.12, 0.2},
                 {-3, 12, false, -5, 15},     {0, 96000, false, 0, 100000},
                 {2, 2, false, 1.8, 2.2},     {0, 0, false, -0.1, 0.1},
                 {NAN, 3, false, 0, 1},       {INFINITY, -INFINITY, false, 0, 1},
                 {0.013, 4.2, true, 0.01, 5}, {3, 3, true, 2, 5},
                 {-1, 10, true, 1e-12, 10}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_axis axis = {.logarithmic = table[i].logarithmic};
        vip_plot_round(&axis, table[i].least, table[i].most);
        if (fabs(axis.least - table[i].begin) > 1e-9 || fabs(axis.most - table[i].end) > 1e-9 * table[i].end) {
            fail_msg("%g to %g: the axis spans %g to %g; expected %g to %g", table[i].least, table[i].most, axis.least,
                     axis.most, table[i].begin, table[i].end);
        }
    }
}

static void
test_ticks_are_written_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        vip_axis axis;
        const char *first, *last;
    } table[] = {{{0, 1, VIP_AXIS_PERCENT, false, NULL}, ">0\xc2\xa0%<", ">100\xc2\xa0%<"},
                 {{0, 100000, VIP_AXIS_COUNT, false, NULL}, ">0<", ">100k<"},
                 {{0, 3e6, VIP_AXIS_COUNT, false, NULL}, ">1M<", ">3M<"},
                 {{0, 1000, VIP_AXIS_COUNT, false, NULL}, ">200<", ">1000<"},
                 {{0, 0.001, VIP_AXIS_PLAIN, false, NULL}, ">0.0000<", ">0.0010<"},
                 {{0.01, 10, VIP_AXIS_PLAIN, true, NULL}, ">0.01<", ">10<"},
                 {{0.5, 5, VIP_AXIS_PLAIN, true, NULL}, ">0.5<", ">5<"},
                 {{-5, 5, VIP_AXIS_PLAIN, false, NULL}, ">-4<", ">4<"}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        drawing d;
        begin(&d);
        vip_plot_options options = {"Ticks", "None.", 400, 200, 0, {0, 1, VIP_AXIS_NONE, false, NULL}, table[i].axis};
        vip_plot plot = vip_plot_begin(&d.page, &options);
        vip_plot_end(&plot);
        char *page = end(&d);
        if (strstr(page, table[i].first) == NULL || strstr(page, table[i].last) == NULL) {
            fail_msg("axis %zu lacks %s or %s: %s", i, table[i].first, table[i].last, strstr(page, "<svg"));
        }
        free(page);
    }
}

/* A number of any size, sometimes none; from a seed that the test prints. */
static double
wild(uint64_t *state)
{
    static const double special[] = {0, -0.0, 1, -1, 1e300, -1e300, 1e-300, NAN, INFINITY, -INFINITY};
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint64_t r = *state >> 33;
    return r % 3 == 0 ? special[r / 3 % LENGTH(special)] : ldexp((double)(r % 2001) - 1000, (int)(r / 2001 % 120) - 60);
}

static void
test_coordinates_are_numbers_whatever_is_drawn(void **state)
{
    (void)state;
    uint64_t seed = 7;
    print_message("# seed %d\n", (int)seed);
    for (int turn = 0; turn < 300; turn++) {
        vip_plot_options options = {.title = "Wild", .description = "Anything.", .width = 400, .height = 200};
        vip_point points[40];
        drawing d;
        begin(&d);
        options.x.kind = (vip_axis_kind)(turn % 4);
        options.y.kind = (vip_axis_kind)(turn / 4 % 4);
        options.x.logarithmic = turn % 5 == 0;
        options.y.logarithmic = turn % 3 == 0;
        vip_plot_round(&options.x, wild(&seed), wild(&seed));
        vip_plot_round(&options.y, wild(&seed), wild(&seed));
        vip_plot plot = vip_plot_begin(&d.page, &options);
        for (size_t i = 0; i < LENGTH(points); i++) {
            points[i] = (vip_point){wild(&seed), wild(&seed)};
            vip_plot_mark(&plot, points[i], (unsigned)i, "a mark");
        }
        vip_plot_line(&plot, points, LENGTH(points), 3);
        vip_plot_line(&plot, points, 0, 3);
        vip_plot_bar(&plot, points[0], points[1], "bar", "a bar");
        vip_plot_rule(&plot, points[2], points[3], "axis");
        vip_plot_range(d.page.out, (const double[2]){wild(&seed), wild(&seed)}, wild(&seed), wild(&seed), wild(&seed),
                       1);
        vip_plot_end(&plot);
        free(end(&d));
    }
}

static void
test_lines_break_where_a_value_is_missing(void **state)
{
    (void)state;
    static const vip_point points[] = {{NAN, 1}, {0, 0}, {0.5, 1}, {0.6, NAN}, {1, 0}, {1, 1}};
    drawing d;
    begin(&d);
    vip_plot_options options = {.title = "Line",
                                .description = "Two pieces.",
                                .width = 120,
                                .height = 100,
                                .left = 10,
                                .x = {0, 1, VIP_AXIS_NONE, false, NULL},
                                .y = {0, 1, VIP_AXIS_NONE, false, NULL}};
    vip_plot plot = vip_plot_begin(&d.page, &options);
    vip_plot_line(&plot, points, LENGTH(points), 2);
    char line[200];
    (void)snprintf(line, sizeof line, "<path class=\"line s2\" d=\"M10 %gL55 %gM100 %gL100 %g\"/>", plot.bottom,
                   plot.top, plot.bottom, plot.top);
    vip_plot_end(&plot);
    char *page = end(&d);
    assert_non_null(strstr(page, line));
    free(page);
}

static void
test_cells_show_counts_and_where_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {"dog", "<cat>", "a bird with a name that has no end"};
    static const double counts[] = {6, 2, 0, 0, 8, 0, 0, 0, 0};
    drawing d;
    begin(&d);
    vip_cells cells = {"Cells", "Three classes.", 3, names, counts, "is", "heard as"};
    vip_plot_cells(&d.page, &cells);
    char *page = end(&d);
    assert_int_equal(markup_count(page, "class=\"hit\""), 2);
    assert_int_equal(markup_count(page, "class=\"miss\""), 1);
    assert_non_null(strstr(page, "<title>dog heard as &lt;cat&gt;: 2 of 8</title>"));
    assert_non_null(strstr(page, "<title>dog heard as it is: 6 of 8</title>"));
    assert_non_null(strstr(page, "fill-opacity=\"0.8\""));      /* 0.18 + 0.82 * 6 / 8, rounded */
    assert_non_null(strstr(page, ">a bird with a name tha…<")); /* the whole is said on hovering */
    assert_non_null(strstr(page, "<title>a bird with a name that has no end: 0 clips</title>"));
    free(page);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks_are_one_two_or_five_times_a_power_of_ten),
        cmocka_unit_test(test_axes_begin_and_end_at_round_numbers_round_what_is_there),
        cmocka_unit_test(test_ticks_are_written_as_people_write_them),
        cmocka_unit_test(test_coordinates_are_numbers_whatever_is_drawn),
        cmocka_unit_test(test_lines_break_where_a_value_is_missing),
        cmocka_unit_test(test_cells_show_counts_and_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
