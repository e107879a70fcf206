/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jobs.c -- see jobs.h for the contract.
 *
 * A job is one recording. With one thread a job writes straight to the output. With more, each writes into memory, and
 * the first thread brings what is finished to the output in order; the lock guards `next`, `done` and `fraction`. */
#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <common/progress.h>
#include <common/support.h>

enum { MOST_THREADS = 64, WAKE_NS = 100000000 };

typedef struct desk desk;

typedef struct {
    desk *desk;
    vip_report report;
    double weight, fraction; /* its share of all the work, and how much of that is done; negative: unknown */
    bool done, failed;
    FILE *lines;               /* what is for stderr, if it has to wait; NULL: it need not */
    char *out_text, *err_text; /* what has been written into memory */
    size_t out_size, err_size;
} job;

struct desk {
    const vip_jobs *jobs;
    job *all;
    vip_progress progress;
    double weight;
    int output_errno;
    atomic_bool
        stop; /* set by the first thread; the others look at every step and need nothing else with it: relaxed */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job is done */
    size_t next;            /* the first job that no thread has taken */
};

/* ------------------------------------------------------------------------------------------------ what is written */

static void
write_line(job *j, const char *text)
{
    if (j->lines == NULL) {
        vip_progress_clear(&j->desk->progress);
    }
    (void)fprintf(j->lines != NULL ? j->lines : stderr, "%s: %s\n", j->desk->jobs->program, text);
}

/* Brings what has been written to its place at once, for whoever waits at the other end of a pipe. */
static bool
reach_output(desk *d, FILE *out)
{
    if (fflush(out) != 0 || ferror(out) != 0) {
        d->output_errno = errno != 0 ? errno : EIO;
        return false;
    }
    return true;
}

static bool
written(job *j)
{
    FILE *out = j->report.out;
    return j->lines == NULL ? reach_output(j->desk, out) : ferror(out) == 0;
}

static bool
on_begin(void *user, const vip_audio_facts *facts, const vipann_options *options)
{
    job *j = user;
    j->report.options = *options;
    if (j->desk->jobs->format->file == NULL) {
        return true;
    }
    if (j->lines == NULL) {
        vip_progress_clear(&j->desk->progress);
    }
    j->desk->jobs->format->file(&j->report, facts);
    return written(j);
}

static bool
on_result(void *user, const vipann_result *result)
{
    job *j = user;
    if (j->lines == NULL && j->report.style.terminal) {
        vip_progress_clear(&j->desk->progress);
    }
    j->desk->jobs->format->result(&j->report, result);
    return written(j);
}

static bool
on_note(void *user, const char *text)
{
    write_line(user, text);
    return true;
}

/* ------------------------------------------------------------------------------------------------------ progress */

/* The bytes of a recording stand for its length; unknown for a pipe. */
static double
weigh(const char *path)
{
    struct stat facts;
    int found = strcmp(path, "-") == 0 ? fstat(0, &facts) : stat(path, &facts);
    if (found != 0) {
        return 0; /* it will fail at once */
    }
    return S_ISREG(facts.st_mode) ? (double)facts.st_size : -1;
}

static void
show_progress(desk *d, const char *what)
{
    double done = 0;
    bool known = d->weight > 0;
    for (size_t i = 0; i < d->jobs->n_paths; i++) {
        known = known && d->all[i].weight >= 0 && d->all[i].fraction >= 0;
        done += d->all[i].weight * d->all[i].fraction;
    }
    vip_progress_update(&d->progress, known ? done / d->weight : -1, what);
}

static bool
on_progress(void *user, double fraction)
{
    job *j = user;
    if (j->lines == NULL) {
        j->fraction = fraction;
        show_progress(j->desk, j->report.file);
        return true;
    }
    (void)pthread_mutex_lock(&j->desk->lock);
    j->fraction = fraction;
    (void)pthread_mutex_unlock(&j->desk->lock);
    return !atomic_load_explicit(&j->desk->stop, memory_order_relaxed);
}

/* ---------------------------------------------------------------------------------------------------- one thread */

static void
run_job(job *j)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_listener listener = {j, on_begin, on_result, on_progress, on_note};
    vipann_status status = vip_report_begin(&j->report, j->desk->jobs->analysis.model, &error);
    if (status == VIPANN_OK) {
        status = vip_analyse(&j->desk->jobs->analysis, j->report.file, &listener, &error);
    }
    if (status != VIPANN_OK) {
        j->failed = true;
        if (error.text[0] != '\0') {
            write_line(j, error.text);
        }
    }
    vip_report_end(&j->report);
}

static void
run_in_order(desk *d)
{
    for (size_t i = 0; i < d->jobs->n_paths && d->output_errno == 0; i++) {
        run_job(&d->all[i]);
        d->all[i].fraction = 1;
    }
}

/* -------------------------------------------------------------------------------------------------- more threads */

static void
run_in_memory(job *j)
{
    j->report.out = open_memstream(&j->out_text, &j->out_size);
    j->lines = open_memstream(&j->err_text, &j->err_size);
    if (j->report.out != NULL && j->lines != NULL) {
        run_job(j);
    }
    bool short_of_memory = j->report.out == NULL || j->lines == NULL || ferror(j->report.out) || ferror(j->lines);
    short_of_memory |= j->report.out != NULL && fclose(j->report.out) != 0;
    short_of_memory |= j->lines != NULL && fclose(j->lines) != 0;
    j->lines = NULL;
    if (short_of_memory) {
        j->failed = true;
        j->out_size = 0; /* whole or not at all */
        j->err_size = 0;
    }
}

static void *
work(void *argument)
{
    desk *d = argument;
    (void)pthread_mutex_lock(&d->lock);
    while (d->next < d->jobs->n_paths && !atomic_load_explicit(&d->stop, memory_order_relaxed)) {
        job *j = &d->all[d->next++];
        (void)pthread_mutex_unlock(&d->lock);
        run_in_memory(j);
        (void)pthread_mutex_lock(&d->lock);
        j->done = true;
        j->fraction = 1;
        (void)pthread_cond_signal(&d->changed);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void
wait_for(desk *d, const job *j)
{
    (void)pthread_mutex_lock(&d->lock);
    while (!j->done) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        long ns = until.tv_nsec + WAKE_NS;
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        (void)pthread_cond_timedwait(&d->changed, &d->lock, &until);
        show_progress(d, j->report.file);
    }
    (void)pthread_mutex_unlock(&d->lock);
}

static void
bring_out(desk *d, job *j)
{
    FILE *out = d->jobs->report.out;
    vip_progress_clear(&d->progress);
    (void)fwrite(j->out_text, 1, j->out_size, out);
    if (!reach_output(d, out)) {
        return;
    }
    if (j->err_size > 0) {
        (void)fwrite(j->err_text, 1, j->err_size, stderr);
    } else if (j->failed) {
        vipann_error error;
        (void)vip_fail_memory(&error, j->report.file);
        write_line(j, error.text);
    }
    free(j->out_text); /* open_memstream's own */
    free(j->err_text);
    j->out_text = j->err_text = NULL;
}

static void
run_at_once(desk *d, size_t threads)
{
    pthread_t workers[MOST_THREADS];
    size_t n = 0;
    for (; n < threads && n < MOST_THREADS && n < d->jobs->n_paths; n++) {
        if (pthread_create(&workers[n], NULL, work, d) != 0) {
            break;
        }
    }
    if (n == 0) {
        run_in_order(d);
        return;
    }
    for (size_t i = 0; i < d->jobs->n_paths && d->output_errno == 0; i++) {
        wait_for(d, &d->all[i]);
        bring_out(d, &d->all[i]);
    }
    atomic_store_explicit(&d->stop, true, memory_order_relaxed);
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(workers[i], NULL);
    }
}

/* ---------------------------------------------------------------------------------------------------------- all */

vipann_status
vip_jobs_run(const vip_jobs *jobs, vip_jobs_outcome *outcome, vipann_error *error)
{
    desk d = {.jobs = jobs};
    d.all = vip_alloc(jobs->n_paths, sizeof *d.all);
    if (d.all == NULL) {
        return vip_fail_memory(error, "the list of files");
    }
    for (size_t i = 0; i < jobs->n_paths; i++) {
        d.all[i] = (job){.desk = &d, .report = jobs->report, .weight = weigh(jobs->paths[i])};
        d.all[i].report.file = jobs->paths[i];
        d.all[i].report.index = i;
        d.weight += d.all[i].weight > 0 ? d.all[i].weight : 0;
    }
    (void)pthread_mutex_init(&d.lock, NULL);
    (void)pthread_cond_init(&d.changed, NULL);
    d.progress = vip_progress_begin(stderr);
    if (jobs->format->head != NULL) {
        jobs->format->head(&jobs->report);
        (void)reach_output(&d, jobs->report.out);
    }
    if (jobs->threads > 1 && jobs->n_paths > 1) {
        run_at_once(&d, jobs->threads);
    } else {
        run_in_order(&d);
    }
    vip_progress_clear(&d.progress);
    outcome->failed = 0;
    outcome->output_errno = d.output_errno;
    for (size_t i = 0; i < jobs->n_paths; i++) {
        outcome->failed += d.all[i].failed;
        free(d.all[i].out_text);
        free(d.all[i].err_text);
    }
    (void)pthread_cond_destroy(&d.changed);
    (void)pthread_mutex_destroy(&d.lock);
    vip_free(d.all);
    return VIPANN_OK;
}
