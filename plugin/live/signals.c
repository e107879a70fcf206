/* SPDX-License-Identifier: GPL-3.0-or-later */
/* signals.c -- see signals.h for the contract. */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* Lock-free atomics are what a handler may share with other threads. Nothing else comes with them: relaxed. */
static atomic_bool end, reload;

static void
on_end(int number)
{
    (void)number;
    atomic_store_explicit(&end, true, memory_order_relaxed);
}

static void
on_reload(int number)
{
    (void)number;
    atomic_store_explicit(&reload, true, memory_order_relaxed);
}

/* SA_RESTART: a line that waits for a slow reader is written nevertheless. */
static struct {
    int number;
    void (*handler)(int);
    int flags;
    struct sigaction before;
} table[] = {
    {.number = SIGINT, .handler = on_end, .flags = (int)(SA_RESETHAND | SA_RESTART)},
    {.number = SIGTERM, .handler = on_end, .flags = (int)(SA_RESETHAND | SA_RESTART)},
    {.number = SIGHUP, .handler = on_reload, .flags = (int)SA_RESTART},
    {.number = SIGPIPE, .handler = SIG_IGN},
};

void
vip_signals_take(void)
{
    atomic_store_explicit(&end, false, memory_order_relaxed);
    atomic_store_explicit(&reload, false, memory_order_relaxed);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sigaction action = {.sa_handler = table[i].handler, .sa_flags = table[i].flags};
        (void)sigemptyset(&action.sa_mask);
        (void)sigaction(table[i].number, &action, &table[i].before);
    }
}

void
vip_signals_give_back(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        (void)sigaction(table[i].number, &table[i].before, NULL);
    }
}

void
vip_signals_interrupt(bool does)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sigaction action;
        if (table[i].handler == on_end && !vip_signals_end() && sigaction(table[i].number, NULL, &action) == 0) {
            action.sa_flags = does ? action.sa_flags & ~(int)SA_RESTART : action.sa_flags | (int)SA_RESTART;
            (void)sigaction(table[i].number, &action, NULL);
        }
    }
}

bool
vip_signals_end(void)
{
    return atomic_load_explicit(&end, memory_order_relaxed);
}

bool
vip_signals_reload(void)
{
    return atomic_exchange_explicit(&reload, false, memory_order_relaxed);
}
