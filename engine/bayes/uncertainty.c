/* SPDX-License-Identifier: GPL-3.0-or-later */
/* uncertainty.c -- see uncertainty.h for the contract.
 *
 * Every hop needs the exponential and the logarithms of members * classes numbers, which through the C library cost as
 * much as a small layer of the network. So they are written out here, without branches, and the loops run over LANES
 * classes at a time, because compilers vectorise a loop at -O2 only if its length is a constant. Only additions,
 * multiplications and divisions in a written order: the bits do not depend on the width of the vectors. */
#include "uncertainty.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 }; /* classes */

static const double LN2 = 0.693147180559945309417;

/* ---------------------------------------------------------------------------------------------- scalar functions */

static inline uint64_t
bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double
with_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* sign < 0 ? negative : positive, by the sign's bit: of the plain form, compilers that mind floating-point traps make a
 * branch, and then do not vectorise the loop round it. */
static inline double
by_sign(double sign, double negative, double positive)
{
    uint64_t mask = (uint64_t)0 - (bits_of(sign) >> 63);
    return with_bits((bits_of(negative) & mask) | (bits_of(positive) & ~mask));
}

static const double LEAST = -700.0; /* the least exponent: exp gives about 1e-304, a normal number */

/* exp(x) for LEAST <= x <= 0, relative error below 1e-13.
 * x = k ln 2 + r with |r| <= ln 2 / 2; adding 1.5 * 2^52 rounds to an integer and leaves k in the lowest bits. */
static inline double
exp_of_negative(double x)
{
    static const double SHIFT = 0x1.8p52, PER_LN2 = 1.44269504088896340736;
    static const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33; /* k * LN2_HIGH is exact */
    double shifted = x * PER_LN2 + SHIFT;
    double k = shifted - SHIFT;
    double r = x - k * LN2_HIGH - k * LN2_LOW;
    double square = r * r, even, odd; /* Taylor, r^12 / 12! is below 1e-14; in two halves, which run side by side */
    even = 1.0 / 3628800.0;
    odd = 1.0 / 39916800.0;
    even = even * square + 1.0 / 40320.0;
    odd = odd * square + 1.0 / 362880.0;
    even = even * square + 1.0 / 720.0;
    odd = odd * square + 1.0 / 5040.0;
    even = even * square + 1.0 / 24.0;
    odd = odd * square + 1.0 / 120.0;
    even = even * square + 0.5;
    odd = odd * square + 1.0 / 6.0;
    even = even * square + 1.0;
    odd = odd * square + 1.0;
    double series = even + r * odd;
    return series * with_bits((bits_of(shifted) + 1023) << 52);
}

/* -log r for 0 <= r <= 1, absolute error below 1e-10; of 0 and subnormal numbers some finite number.
 * r = m * 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m-1)/(m+1), |s| <= 0.172. */
static inline double
minus_log(double r)
{
    static const uint64_t ONE = 0x3ff0000000000000u, ROOT_HALF = 0x3fe6a09e667f3bcdu, MANTISSA = 0x000fffffffffffffu;
    static const uint64_t TWO_TO_52 = 0x4330000000000000u;
    uint64_t bits = bits_of(r) + (ONE - ROOT_HALF);
    double e = with_bits(bits >> 52 | TWO_TO_52) - (0x1p52 + 1023.0);
    double m = with_bits((bits & MANTISSA) + ROOT_HALF);
    double s = (m - 1.0) / (m + 1.0), x = s * s, xx = x * x;
    double even = (xx * (1.0 / 9.0) + 1.0 / 5.0) * xx + 1.0;
    double odd = (xx * (1.0 / 11.0) + 1.0 / 7.0) * xx + 1.0 / 3.0;
    double series = even + x * odd;
    return -(e * LN2 + 2.0 * s * series);
}

/* -log(1 - r) for 0 <= r <= 1/2, relative error below 2e-11: 2 atanh(s), s = r/(2-r) <= 1/3. */
static inline double
minus_log_of_rest(double r)
{
    double s = r / (2.0 - r), x = s * s, xx = x * x;
    double even = (((xx * (1.0 / 17.0) + 1.0 / 13.0) * xx + 1.0 / 9.0) * xx + 1.0 / 5.0) * xx + 1.0;
    double odd = (((xx * (1.0 / 19.0) + 1.0 / 15.0) * xx + 1.0 / 11.0) * xx + 1.0 / 7.0) * xx + 1.0 / 3.0;
    double series = even + x * odd;
    return 2.0 * s * series;
}

/* The entropy of a Bernoulli from the smaller of its two probabilities, which has all the digits. */
static inline double
pair_entropy(double p, double q)
{
    double r = by_sign(p - q, p, q);
    return r * minus_log(r) + (1.0 - r) * minus_log_of_rest(r);
}

/* -p log p, from q where p is near 1. */
static inline double
entropy_term(double p, double q)
{
    double r = by_sign(p - q, p, q);
    return p * by_sign(p - q, minus_log(r), minus_log_of_rest(r));
}

double
vip_bernoulli_entropy(double z)
{
    double a = fabs(z);
    double e = exp(-a);
    return e > 0.0 ? log1p(e) + a * e / (1.0 + e) : 0.0; /* an infinite logit: 0, not infinity times 0 */
}

double
vip_pair_entropy(double p, double q)
{
    return pair_entropy(p, q);
}

/* --------------------------------------------------------------------------------------------------- probabilities */

/* NaN counts as low, so that every probability is finite whatever the logits. */
static inline double
within(double x, double low, double high)
{
    double y = x > low ? x : low;
    return y < high ? y : high;
}

static void
sigmoid_lanes(const double z[restrict LANES], vip_probability out[restrict LANES])
{
    for (size_t i = 0; i < LANES; i++) {
        double e = exp_of_negative(-fabs(z[i]));
        double large = 1.0 / (1.0 + e), small = e * large;
        out[i].p = by_sign(z[i], small, large);
        out[i].q = by_sign(z[i], large, small);
    }
}

static void
sigmoid(const float *logits, size_t classes, vip_probability *out)
{
    double z[LANES] = {0.0};
    vip_probability lanes[LANES];
    for (size_t begin = 0; begin < classes; begin += LANES) {
        size_t n = classes - begin < LANES ? classes - begin : LANES;
        for (size_t i = 0; i < n; i++) {
            z[i] = within((double)logits[begin + i], LEAST, -LEAST);
        }
        sigmoid_lanes(z, lanes);
        memcpy(out + begin, lanes, n * sizeof *lanes);
    }
}

static void
exp_lanes(double z[LANES])
{
    for (size_t i = 0; i < LANES; i++) {
        z[i] = exp_of_negative(z[i]);
    }
}

/* The most probable class's q is the sum of the others, so that it keeps its digits; the others have p <= 1/2, where
 * 1 - p loses nothing. */
static void
softmax(const float *logits, size_t classes, vip_probability *out)
{
    size_t top = 0;
    double highest = -INFINITY;
    for (size_t i = 0; i < classes; i++) {
        if ((double)logits[i] > highest) { /* never NaN */
            highest = (double)logits[i];
            top = i;
        }
    }
    double z[LANES] = {0.0}, others = 0.0;
    for (size_t begin = 0; begin < classes; begin += LANES) {
        size_t n = classes - begin < LANES ? classes - begin : LANES;
        for (size_t i = 0; i < n; i++) {
            z[i] = within((double)logits[begin + i] - highest, LEAST, 0.0);
        }
        exp_lanes(z);
        for (size_t i = 0; i < n; i++) {
            out[begin + i].p = z[i];
            others += begin + i == top ? 0.0 : z[i];
        }
    }
    double scale = 1.0 / (1.0 + others);
    for (size_t i = 0; i < classes; i++) {
        out[i].p *= scale;
        out[i].q = 1.0 - out[i].p;
    }
    out[top] = (vip_probability){scale, others * scale};
}

void
vip_probabilities(vipann_task task, const float *logits, size_t classes, vip_probability *probabilities)
{
    if (task == VIPANN_MULTICLASS) {
        softmax(logits, classes, probabilities);
    } else {
        sigmoid(logits, classes, probabilities);
    }
}

/* --------------------------------------------------------------------------------------------------- decomposition */

/* Some classes' probabilities of one member, or their means. */
typedef struct {
    double p[LANES], q[LANES];
} lane_pairs;

/* n <= LANES classes; the lanes behind them are certain, which adds nothing to any sum. */
static void
load(const vip_probability *restrict from, size_t n, lane_pairs *restrict to)
{
    if (n == LANES) {
        for (size_t i = 0; i < LANES; i++) {
            to->p[i] = from[i].p;
            to->q[i] = from[i].q;
        }
        return;
    }
    for (size_t i = 0; i < LANES; i++) {
        to->p[i] = i < n ? from[i].p : 0.0;
        to->q[i] = i < n ? from[i].q : 1.0;
    }
}

static void
entropies(vipann_task task, const lane_pairs *restrict x, double out[restrict LANES])
{
    if (task == VIPANN_MULTICLASS) {
        for (size_t i = 0; i < LANES; i++) {
            out[i] = entropy_term(x->p[i], x->q[i]);
        }
    } else {
        for (size_t i = 0; i < LANES; i++) {
            out[i] = pair_entropy(x->p[i], x->q[i]);
        }
    }
}

/* The members' mean of some classes, and of their entropies unless entropy is NULL. */
static void
mean_of(vipann_task task, const vip_probability *x, size_t members, size_t classes, size_t n, lane_pairs *restrict mean,
        double *restrict entropy)
{
    lane_pairs one, sum = {{0.0}, {0.0}};
    double h[LANES], sum_h[LANES] = {0.0};
    for (size_t member = 0; member < members; member++) {
        load(x + member * classes, n, &one);
        for (size_t i = 0; i < LANES; i++) {
            sum.p[i] += one.p[i];
            sum.q[i] += one.q[i];
        }
        if (entropy != NULL) {
            entropies(task, &one, h);
            for (size_t i = 0; i < LANES; i++) {
                sum_h[i] += h[i];
            }
        }
    }
    for (size_t i = 0; i < LANES; i++) {
        mean->p[i] = sum.p[i] / (double)members;
        mean->q[i] = sum.q[i] / (double)members;
    }
    for (size_t i = 0; i < LANES && entropy != NULL; i++) {
        entropy[i] = sum_h[i] / (double)members;
    }
}

/* Population variance of p. A second pass over the members, about their mean: sums of squares would lose small ones. */
static void
variance_of(const vip_probability *x, size_t members, size_t classes, size_t n, const lane_pairs *restrict mean,
            double variance[restrict LANES])
{
    lane_pairs one;
    double sum[LANES] = {0.0};
    for (size_t member = 0; member < members; member++) {
        load(x + member * classes, n, &one);
        for (size_t i = 0; i < LANES; i++) {
            double off = one.p[i] - mean->p[i];
            sum[i] += off * off;
        }
    }
    for (size_t i = 0; i < LANES; i++) {
        variance[i] = sum[i] / (double)members;
    }
}

vip_doubt
vip_decompose(vipann_task task, const vip_probability *probabilities, size_t members, size_t classes, float *mean,
              float *deviation, float *aleatoric, float *epistemic)
{
    vip_doubt sum = {0.0, 0.0, 0.0};
    lane_pairs average;
    double total[LANES], own[LANES], variance[LANES];
    for (size_t begin = 0; begin < classes; begin += LANES) {
        size_t n = classes - begin < LANES ? classes - begin : LANES;
        const vip_probability *x = probabilities + begin;
        mean_of(task, x, members, classes, n, &average, own);
        variance_of(x, members, classes, n, &average, variance);
        entropies(task, &average, total);
        for (size_t i = 0; i < n; i++) {
            double disagreement = total[i] - own[i];
            disagreement = disagreement > 0.0 ? disagreement : 0.0; /* Jensen: below 0 is rounding */
            sum.total += total[i];
            sum.epistemic += disagreement;
            sum.aleatoric += total[i] - disagreement;
            if (mean != NULL) {
                mean[begin + i] = (float)average.p[i];
            }
            if (deviation != NULL) {
                deviation[begin + i] = (float)sqrt(variance[i]);
            }
            if (aleatoric != NULL) {
                aleatoric[begin + i] = (float)(total[i] - disagreement);
            }
            if (epistemic != NULL) {
                epistemic[begin + i] = (float)disagreement;
            }
        }
    }
    return sum;
}

vip_doubt
vip_decompose_variance(const vip_probability *probabilities, size_t members, size_t classes, double *aleatoric,
                       double *epistemic)
{
    vip_doubt sum = {0.0, 0.0, 0.0};
    lane_pairs mean;
    double variance[LANES];
    for (size_t begin = 0; begin < classes; begin += LANES) {
        size_t n = classes - begin < LANES ? classes - begin : LANES;
        const vip_probability *x = probabilities + begin;
        mean_of(VIPANN_MULTILABEL, x, members, classes, n, &mean, NULL);
        variance_of(x, members, classes, n, &mean, variance);
        for (size_t i = 0; i < n; i++) {
            double own = 0.0;
            for (size_t member = 0; member < members; member++) {
                own += x[member * classes + i].p * x[member * classes + i].q;
            }
            own /= (double)members;
            sum.total += own + variance[i]; /* the law of total variance */
            sum.aleatoric += own;
            sum.epistemic += variance[i];
            if (aleatoric != NULL) {
                aleatoric[begin + i] = own;
            }
            if (epistemic != NULL) {
                epistemic[begin + i] = variance[i];
            }
        }
    }
    return sum;
}

/* ----------------------------------------------------------------------------------- few members, many classes */

double
vip_corrected_epistemic(double total, double epistemic, size_t members)
{
    if (members < 2) {
        return 0.0;
    }
    return fmin(total, epistemic * (double)members / (double)(members - 1));
}

static void
add_class(vip_doubt *sum, const float *aleatoric, const float *epistemic, size_t members, size_t i)
{
    const double a = (double)aleatoric[i], e = (double)epistemic[i];
    sum->total += a + e;
    sum->aleatoric += a;
    sum->epistemic += vip_corrected_epistemic(a + e, e, members);
}

/* The sums over the most probable classes, at most N_TOP; of equal ones the first. *n is how many there are. */
static vip_doubt
sum_top(const float *mean, const float *aleatoric, const float *epistemic, size_t members, size_t classes, size_t *n)
{
    enum { N_TOP = 3 };
    size_t top[N_TOP + 1]; /* most probable first; the last place is what falls off */
    *n = 0;
    for (size_t i = 0; i < classes; i++) {
        size_t place = *n;
        while (place > 0 && mean[i] > mean[top[place - 1]]) {
            top[place] = top[place - 1];
            place--;
        }
        top[place] = i;
        *n = *n < N_TOP ? *n + 1 : N_TOP;
    }
    vip_doubt sum = {0.0, 0.0, 0.0};
    for (size_t k = 0; k < *n; k++) {
        add_class(&sum, aleatoric, epistemic, members, top[k]);
    }
    return sum;
}

vip_doubt
vip_active_doubt(const float *mean, const float *aleatoric, const float *epistemic, const float *thresholds,
                 size_t members, size_t classes, size_t *n_active)
{
    vip_doubt sum = {0.0, 0.0, 0.0};
    size_t active = 0;
    for (size_t i = 0; i < classes && thresholds != NULL; i++) {
        if (thresholds[i] >= 0.0f && mean[i] >= thresholds[i]) {
            add_class(&sum, aleatoric, epistemic, members, i);
            active++;
        }
    }
    if (n_active != NULL) {
        *n_active = active;
    }
    size_t n = active;
    if (active == 0) {
        sum = sum_top(mean, aleatoric, epistemic, members, classes, &n);
    }
    const double scale = n > 0 ? 1.0 / (double)n : 0.0;
    return (vip_doubt){sum.total * scale, sum.aleatoric * scale, sum.epistemic * scale};
}
