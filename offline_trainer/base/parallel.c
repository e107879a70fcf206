/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parallel.c -- see parallel.h for the contract. The one file that is compiled with OpenMP, whose threads Debian's oneDNN
 * uses; without it loops run alone. */
#include "parallel.h"

#ifdef _OPENMP
#include <omp.h>
#endif

void
vip_parallel(size_t turns, vip_turn *turn, void *context)
{
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic, 1) if (turns > 1)
#endif
    for (size_t i = 0; i < turns; i++) {
        turn(context, i);
    }
}

void
vip_parallel_threads(unsigned threads)
{
#ifdef _OPENMP
    omp_set_dynamic(0);
    omp_set_num_threads(threads != 0 ? (int)threads : omp_get_num_procs());
#else
    (void)threads;
#endif
}

unsigned
vip_parallel_count(void)
{
#ifdef _OPENMP
    return (unsigned)omp_get_max_threads();
#else
    return 1;
#endif
}
