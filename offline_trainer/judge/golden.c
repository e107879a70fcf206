/* SPDX-License-Identifier: GPL-3.0-or-later */
/* golden.c -- see golden.h for the contract. */
#include "golden.h"

#include <math.h>

double
vip_golden_section(double (*function)(void *context, double at), void *context, double low, double high, int turns)
{
    const double golden = (sqrt(5) - 1) / 2;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = function(context, a), at_b = function(context, b);
    for (int i = 0; i < turns; i++) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = function(context, a);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = function(context, b);
        }
    }
    return (low + high) / 2;
}
