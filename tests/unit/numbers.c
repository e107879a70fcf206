/* SPDX-License-Identifier: GPL-3.0-or-later */
/* numbers.c -- see numbers.h for the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "numbers.h"

uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u; /* Numerical Recipes; the upper bits are the random ones */
    return *state >> 8;
}

void
assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance)) {
        print_error("%.17g, expected %.17g within %g\n", value, expected, tolerance);
        fail();
    }
}
