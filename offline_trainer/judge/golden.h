/* SPDX-License-Identifier: GPL-3.0-or-later */
/* golden.h -- where a function of one number is least. */
#ifndef VIP_TRAINER_GOLDEN_H
#define VIP_TRAINER_GOLDEN_H

/* The middle of what golden section (Kiefer 1953) leaves of low .. high after so many turns; each leaves 0.618 of it. Exact
 * for functions that fall and then rise. */
double vip_golden_section(double (*function)(void *context, double at), void *context, double low, double high,
                          int turns);

#endif /* VIP_TRAINER_GOLDEN_H */
