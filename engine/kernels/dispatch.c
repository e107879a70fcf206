/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dispatch.c -- which variant of the kernels runs here. */
#include "kernels.h"

#include <base/status.h>

#include <stdlib.h>
#include <string.h>

static bool
has_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

static bool
has_avx2(void) /* every processor with AVX2 converts halves (F16C) */
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

static bool
always(void)
{
    return true;
}

/* Fastest first. */
static const struct {
    const vip_kernels *kernels;
    bool (*runs_here)(void);
} variants[] = {{&vip_kernels_avx512, has_avx512}, {&vip_kernels_avx2, has_avx2}, {&vip_kernels_c, always}};

enum { N_VARIANTS = sizeof variants / sizeof *variants };

/* Variant i if it was compiled in and runs here, else NULL. */
static const vip_kernels *
variant(int i)
{
    return variants[i].kernels->tiles[0].runs > 0 && variants[i].runs_here() ? variants[i].kernels : NULL;
}

const vip_kernels *
vip_kernels_find(const char *name)
{
    for (int i = 0; i < N_VARIANTS; i++) {
        const vip_kernels *kernels = variant(i);
        if (kernels != NULL && strcmp(kernels->name, name) == 0) {
            return kernels;
        }
    }
    return NULL;
}

const vip_kernels *
vip_kernels_choose(vipann_error *error)
{
    const char *wanted = getenv("VIPANN_KERNELS");
    if (wanted != NULL && *wanted != '\0') {
        const vip_kernels *kernels = vip_kernels_find(wanted);
        if (kernels == NULL) {
            vip_fail(error, VIPANN_E_ARG,
                     "VIPANN_KERNELS is '%s', which cannot run here; unset it, or set it to avx512, avx2 or c", wanted);
        }
        return kernels;
    }
    for (int i = 0; i < N_VARIANTS; i++) {
        const vip_kernels *kernels = variant(i);
        if (kernels != NULL) {
            return kernels;
        }
    }
    return &vip_kernels_c;
}
