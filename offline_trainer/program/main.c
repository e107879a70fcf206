/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c -- the program `vipann-train`. */
#include <stdlib.h>
#include <unistd.h>

#include "train_commands.h"

/* Threads that wait for one another sleep, unless the user wants otherwise: on a machine that does other things too they would
 * keep it from them, and it costs nothing where it is alone (BENCHMARKS.md). OpenMP reads this before main begins, so the
 * program begins once more. */
static void
let_threads_sleep(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") == NULL && setenv("OMP_WAIT_POLICY", "passive", 0) == 0) {
        (void)execv("/proc/self/exe", argv); /* where that fails, they wait awake */
    }
}

int
main(int argc, char **argv)
{
    let_threads_sleep(argv);
    return vip_program_main(&VIP_TRAIN_PROGRAM, argc, argv);
}
