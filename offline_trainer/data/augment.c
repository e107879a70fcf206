/* SPDX-License-Identifier: GPL-3.0-or-later */
/* augment.c -- see augment.h for the contract. Powers and logarithms by polynomials that the compiler can vectorise: libm's
 * would take longer than the rest of a batch. */
#include "augment.h"

#include <base/half.h>
#include <model/network.h>

static const float DB_PER_OCTAVE = 3.01029995664f; /* 10 log10(2) */
static const float SMALLEST_POWER = 1e-10f;

/* Taylor's series of 2^f, |f| <= 1/2, to the sixth power. */
static inline float
power_of_two(float x)
{
    const float shifted = x + 0x1.8p23f; /* rounds to a whole number */
    const float whole = shifted - 0x1.8p23f, f = x - whole;
    const float series =
        1 + f * (0.693147181f +
                 f * (0.240226507f +
                      f * (0.0555041087f + f * (0.00961812911f + f * (0.00133335581f + f * 0.000154035304f)))));
    const int32_t exponent = (int32_t)whole;
    return vip_float_of_bits(vip_bits_of_float(series) + ((uint32_t)exponent << 23));
}

/* x = 2^e m, m in sqrt(1/2) .. sqrt(2); log m = 2 artanh((m - 1) / (m + 1)). */
static inline float
octaves(float x)
{
    const uint32_t bits = vip_bits_of_float(x), offset = bits - 0x3f3504f3u; /* of sqrt(1/2) */
    const float exponent = (float)((int32_t)offset >> 23);
    const float m = vip_float_of_bits((offset & 0x7fffffu) + 0x3f3504f3u);
    const float z = (m - 1) / (m + 1), q = z * z;
    return exponent + z * (2.88539008f + q * (0.961796694f + q * (0.577078016f + q * 0.412198583f)));
}

float
vip_exp2(float x)
{
    return power_of_two(x);
}

float
vip_log2(float x)
{
    return octaves(x);
}

void
vip_augment_level(float *frames, size_t n_frames, float gain, float tilt)
{
    float shift[VIP_MELS];
    for (int m = 0; m < VIP_MELS; m++) {
        shift[m] = gain + tilt * ((float)m / (VIP_MELS - 1) - 0.5f);
    }
    for (size_t t = 0; t < n_frames; t++, frames += VIP_MELS) {
        for (int m = 0; m < VIP_MELS; m++) {
            const float level = frames[m] + shift[m];
            frames[m] = level < VIP_SILENCE_DB ? VIP_SILENCE_DB : level;
        }
    }
}

/* The mean power of a band in a frame, and the largest of a frame. */
static void
powers(const float *frames, size_t n_frames, double *mean, float *largest)
{
    double total = 0;
    *largest = 0;
    for (size_t t = 0; t < n_frames; t++, frames += VIP_MELS) {
        float sum = 0;
        for (int m = 0; m < VIP_MELS; m++) {
            sum += power_of_two(frames[m] / DB_PER_OCTAVE);
        }
        total += (double)sum;
        *largest = sum > *largest ? sum : *largest;
    }
    *mean = total / ((double)n_frames * VIP_MELS);
    *largest /= VIP_MELS;
}

void
vip_augment_add(float *frames, const float *other, size_t n_frames, float below, float floor)
{
    double mean, other_mean = 1;
    float largest, other_largest;
    powers(frames, n_frames, &mean, &largest);
    float scale = 0;
    if (other != NULL) {
        powers(other, n_frames, &other_mean, &other_largest);
        scale = (float)(mean / (other_mean + (double)SMALLEST_POWER)) * power_of_two(-below / DB_PER_OCTAVE);
    }
    const float steady = floor > 0 ? largest * power_of_two(-floor / DB_PER_OCTAVE) : 0;
    for (size_t i = 0; i < n_frames * VIP_MELS; i++) {
        float sum = power_of_two(frames[i] / DB_PER_OCTAVE) + steady;
        if (other != NULL) {
            sum += scale * power_of_two(other[i] / DB_PER_OCTAVE);
        }
        sum = sum < SMALLEST_POWER ? SMALLEST_POWER : sum;
        frames[i] = DB_PER_OCTAVE * octaves(sum);
    }
}
