/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loader.c -- see loader.h for the contract. */
#include "loader.h"

#include <signal.h>
#include <time.h>

#include "owner.h"

enum { ROUND_MS = 10 };

/* The one thing that a process has once: instances know nothing of each other, and one thread for all of them has to be
 * found somewhere. `door` guards coming and going, `list` the list and whoever is being attended. */
static struct {
    pthread_mutex_t door, list;
    vip_instance *first;
    pthread_t thread;
    bool running, leave;
} loader = {.door = PTHREAD_MUTEX_INITIALIZER, .list = PTHREAD_MUTEX_INITIALIZER};

static void *
attend_all(void *unused)
{
    (void)unused;
    static const struct timespec pause = {0, ROUND_MS * 1000000L};
    for (;;) {
        pthread_mutex_lock(&loader.list);
        bool leave = loader.leave;
        for (vip_instance *p = loader.first; p != NULL && !leave; p = p->next) {
            vip_owner_attend(p, false);
        }
        pthread_mutex_unlock(&loader.list);
        if (leave) {
            return NULL;
        }
        (void)nanosleep(&pause, NULL);
    }
}

/* The host's signals are for the host's threads. */
static bool
start(void)
{
    sigset_t all, before;
    sigfillset(&all);
    loader.leave = false;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loader.running = pthread_create(&loader.thread, NULL, attend_all, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loader.running;
}

bool
vip_loader_add(vip_instance *p)
{
    pthread_mutex_lock(&loader.door);
    pthread_mutex_lock(&loader.list);
    p->next = loader.first;
    loader.first = p;
    pthread_mutex_unlock(&loader.list);
    bool running = loader.running || start();
    pthread_mutex_unlock(&loader.door);
    return running;
}

void
vip_loader_remove(vip_instance *p)
{
    pthread_mutex_lock(&loader.door);
    pthread_mutex_lock(&loader.list);
    vip_instance **place = &loader.first;
    while (*place != NULL && *place != p) {
        place = &(*place)->next;
    }
    if (*place != NULL) { /* one that was never added is not there */
        *place = p->next;
    }
    bool last = loader.first == NULL && loader.running;
    loader.leave = last;
    pthread_mutex_unlock(&loader.list);
    if (last) {
        pthread_join(loader.thread, NULL);
        loader.running = false;
    }
    pthread_mutex_unlock(&loader.door);
}
