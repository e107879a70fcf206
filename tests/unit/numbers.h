/* SPDX-License-Identifier: GPL-3.0-or-later */
/* numbers.h -- random numbers that are the same on every machine, and numbers that are only nearly the same. */
#ifndef TESTS_UNIT_NUMBERS_H
#define TESTS_UNIT_NUMBERS_H

#include <stdint.h>

/* The next number below 2^24; *state, the seed at first, goes on to the one after it. */
uint32_t next_random(uint32_t *state);

/* Says both numbers if they are further apart, or not numbers. */
void assert_near(double value, double expected, double tolerance);

#endif /* TESTS_UNIT_NUMBERS_H */
