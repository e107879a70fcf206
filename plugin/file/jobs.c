/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jobs.c -- see jobs.h for the contract.
 *
 * A job is one recording. Where results may be written as they come, the only thread does that. Otherwise each job writes
 * into a spool, and the first thread brings what is finished to its place in order. With more threads there is a ring of
 * a few jobs: a thread takes the next recording when its place in the ring is free, so that none runs far ahead. The
 * lock guards `next`, `brought`, and `done` and `fraction` of each job. */
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

enum { MOST_THREADS = 64, AHEAD = 4, WAKE_NS = 100000000 };

typedef struct desk desk;

typedef struct {
    desk *desk;
    const vip_path *path;
    vip_report report;
    vip_summary summary;     /* of this recording, where a summary is asked for */
    double weight, fraction; /* its share of all the work, and how much of that is done; negative: unknown */
    bool done, begun, failed, again;
    vip_spool *spool; /* NULL: results go straight to the stream */
    FILE *lines;      /* what is for stderr, if it has to wait; NULL: it need not */
    char *text;       /* what `lines` has written */
    size_t size;
    vipann_error broken; /* why the batch must stop, if it must: no room for what was heard */
} job;

struct desk {
    const vip_jobs *jobs;
    job *ring;
    size_t places;
    vip_head head; /* where it belongs, as it was at the beginning */
    vip_summary summary;
    vip_progress progress;
    double weight, finished; /* of all the work, and of what has been brought; weight is negative: unknown */
    size_t failed;
    atomic_bool
        stop; /* set by the first thread; the others look at every step and need nothing else with it: relaxed */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job is done, or a place is free */
    size_t next, brought;   /* the first recording that no thread has taken; that has not been brought */
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

/* Whether what was written has found room; straight to a stream it goes at once, for whoever waits at the other end. */
static bool
written(job *j)
{
    vip_delivery *delivery = j->desk->jobs->delivery;
    return j->spool != NULL ? ferror(j->report.out) == 0 : vip_delivery_flush(delivery, &j->broken) == VIPANN_OK;
}

/* Takes the progress bar from a terminal that is about to be written to. */
static void
make_room(job *j)
{
    if (j->spool == NULL && j->report.style.terminal) {
        vip_progress_clear(&j->desk->progress);
    }
}

static bool
on_begin(void *user, const vip_audio_facts *facts, const vipann_options *options)
{
    job *j = user;
    const vip_jobs *jobs = j->desk->jobs;
    j->begun = true;
    j->report.options = *options;
    j->report.rate = facts->rate;
    if (jobs->report.subject == VIP_SUMMARY) {
        return true;
    }
    make_room(j);
    if (jobs->format->head != NULL && j->desk->head == VIP_HEAD_EACH) {
        jobs->format->head(&j->report);
    }
    if (jobs->format->file != NULL) {
        jobs->format->file(&j->report, facts);
    }
    return written(j);
}

static bool
on_result(void *user, const vipann_result *result)
{
    job *j = user;
    make_room(j);
    j->desk->jobs->format->result(&j->report, result);
    return written(j);
}

static bool
on_event(void *user, const vipann_event *event)
{
    job *j = user;
    if (j->desk->jobs->report.subject == VIP_SUMMARY) {
        vip_summary_add(&j->summary, j->report.file, event);
        return true;
    }
    make_room(j);
    j->desk->jobs->format->event(&j->report, event);
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
weigh_all(desk *d)
{
    for (size_t i = 0; i < d->jobs->paths->n && d->progress.style.terminal; i++) {
        double weight = weigh(d->jobs->paths->all[i].path);
        d->weight = weight < 0 || d->weight < 0 ? -1 : d->weight + weight;
    }
}

/* With the lock, if there are threads. */
static void
show_progress(desk *d, const char *what)
{
    double done = d->finished;
    bool known = d->weight > 0;
    for (size_t i = 0; i < d->places; i++) {
        const job *j = &d->ring[i];
        if (j->path != NULL) {
            known = known && j->fraction >= 0;
            done += j->weight * j->fraction;
        }
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

/* ------------------------------------------------------------------------------------------------------ one job */

static void
analyse(job *j)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_listener listener = {j, on_begin, on_result, on_event, on_progress, on_note};
    vipann_status status = vip_analyse(&j->desk->jobs->analysis, j->path->path, &listener, &error);
    if (status != VIPANN_OK) {
        j->failed = true;
        j->again = status == VIPANN_E_MEMORY;
        if (error.text[0] != '\0') {
            write_line(j, error.text);
        }
    }
}

/* Whether what the job writes has to wait until it can be brought whole. */
static bool
waits(const desk *d, bool threaded)
{
    return threaded || (vip_delivery_stream(d->jobs->delivery) == NULL && d->jobs->report.subject != VIP_SUMMARY);
}

/* Runs the i-th recording. Whatever goes wrong with room for it is in `broken`. */
static void
run_job(job *j, size_t i, bool threaded)
{
    const desk *d = j->desk;
    const vip_jobs *jobs = d->jobs;
    j->report = jobs->report;
    j->report.file = j->path->path;
    j->report.index = d->head == VIP_HEAD_EACH ? 0 : jobs->report.index + i;
    vipann_status status = vip_report_begin(&j->report, jobs->analysis.model, &j->broken);
    if (status == VIPANN_OK && jobs->report.subject == VIP_SUMMARY) {
        status = vip_summary_begin(&j->summary, j->report.info.classes, &j->broken);
    }
    if (status == VIPANN_OK && waits(d, threaded)) {
        j->spool = vip_spool_new(&j->broken);
        status = j->spool != NULL ? VIPANN_OK : VIPANN_E_MEMORY;
    }
    if (status == VIPANN_OK && threaded) {
        j->lines = open_memstream(&j->text, &j->size);
        status = j->lines != NULL ? VIPANN_OK : vip_fail_memory(&j->broken, "messages");
    }
    if (status == VIPANN_OK) {
        j->report.out = j->spool != NULL ? vip_spool_stream(j->spool) : vip_delivery_stream(jobs->delivery);
        analyse(j);
    }
    if (j->spool != NULL && status == VIPANN_OK) {
        (void)vip_spool_finish(j->spool, &j->broken);
    }
    if (j->lines != NULL && fclose(j->lines) != 0) {
        (void)vip_fail_memory(&j->broken, "messages");
    }
    j->lines = NULL;
    vip_report_end(&j->report);
}

static void
empty_place(job *j)
{
    vip_spool_free(j->spool);
    vip_summary_end(&j->summary);
    free(j->text); /* open_memstream's own */
    *j = (job){.desk = j->desk};
}

/* Brings what a job has given to its place. */
static vipann_status
bring(desk *d, job *j, vipann_error *error)
{
    if (j->broken.status != VIPANN_OK) {
        return vip_fail(error, j->broken.status, "%s", j->broken.text);
    }
    vip_progress_clear(&d->progress);
    vip_delivered what = {j->begun, j->failed, j->again};
    vipann_status status = VIPANN_OK;
    if (j->spool != NULL && d->jobs->report.subject != VIP_SUMMARY) {
        status = vip_delivery_bring(d->jobs->delivery, j->path, j->spool, &what, error);
    } else if (d->jobs->report.subject == VIP_SUMMARY) {
        vip_summary_merge(&d->summary, &j->summary);
    }
    if (status == VIPANN_OK && j->size > 0) {
        (void)fwrite(j->text, 1, j->size, stderr);
    }
    d->failed += j->failed;
    return status;
}

/* ---------------------------------------------------------------------------------------------------- one thread */

static vipann_status
run_in_order(desk *d, vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    job *j = &d->ring[0];
    for (size_t i = 0; i < d->jobs->paths->n && status == VIPANN_OK; i++) {
        j->path = &d->jobs->paths->all[i];
        j->weight = weigh(j->path->path);
        run_job(j, i, false);
        status = bring(d, j, error);
        d->finished += j->weight;
        empty_place(j);
    }
    return status;
}

/* -------------------------------------------------------------------------------------------------- more threads */

static void *
work(void *argument)
{
    desk *d = argument;
    const vip_paths *paths = d->jobs->paths;
    (void)pthread_mutex_lock(&d->lock);
    while (d->next < paths->n && !atomic_load_explicit(&d->stop, memory_order_relaxed)) {
        if (d->next >= d->brought + d->places) {
            (void)pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        size_t i = d->next++;
        job *j = &d->ring[i % d->places];
        j->path = &paths->all[i];
        j->weight = weigh(j->path->path);
        (void)pthread_mutex_unlock(&d->lock);
        run_job(j, i, true);
        (void)pthread_mutex_lock(&d->lock);
        j->done = true;
        j->fraction = 1;
        (void)pthread_cond_broadcast(&d->changed);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void
wait_for(desk *d, size_t i)
{
    const job *j = &d->ring[i % d->places];
    (void)pthread_mutex_lock(&d->lock);
    while (!j->done) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        long ns = until.tv_nsec + WAKE_NS;
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        (void)pthread_cond_timedwait(&d->changed, &d->lock, &until);
        show_progress(d, d->jobs->paths->all[i].path);
    }
    (void)pthread_mutex_unlock(&d->lock);
}

/* Lets the place of the recording that has been brought go. */
static void
let_go(desk *d)
{
    (void)pthread_mutex_lock(&d->lock);
    job *j = &d->ring[d->brought % d->places];
    d->finished += j->weight;
    empty_place(j);
    d->brought++;
    (void)pthread_cond_broadcast(&d->changed);
    (void)pthread_mutex_unlock(&d->lock);
}

static vipann_status
run_at_once(desk *d, size_t threads, vipann_error *error)
{
    pthread_t workers[MOST_THREADS];
    vipann_status status = VIPANN_OK;
    size_t n = 0;
    while (n < threads && n < MOST_THREADS && pthread_create(&workers[n], NULL, work, d) == 0) {
        n++;
    }
    if (n == 0) {
        return run_in_order(d, error);
    }
    for (size_t i = 0; i < d->jobs->paths->n && status == VIPANN_OK; i++) {
        wait_for(d, i);
        status = bring(d, &d->ring[i % d->places], error);
        if (status == VIPANN_OK) {
            let_go(d);
        }
    }
    (void)pthread_mutex_lock(&d->lock);
    atomic_store_explicit(&d->stop, true, memory_order_relaxed);
    (void)pthread_cond_broadcast(&d->changed);
    (void)pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(workers[i], NULL);
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- all */

/* What stands before all recordings. */
static vipann_status
write_head(const desk *d, const vip_report *report, vipann_error *error)
{
    const vip_jobs *jobs = d->jobs;
    if (jobs->format->head == NULL || d->head != VIP_HEAD_FIRST) {
        return VIPANN_OK;
    }
    vip_spool *spool = vip_spool_new(error);
    if (spool == NULL) {
        return VIPANN_E_MEMORY;
    }
    vip_report head = *report;
    head.out = vip_spool_stream(spool);
    jobs->format->head(&head);
    vipann_status status = vip_spool_finish(spool, error);
    if (status == VIPANN_OK) {
        status = vip_delivery_begin(jobs->delivery, spool, error);
    }
    vip_spool_free(spool);
    return status;
}

static vipann_status
write_summary(desk *d, vip_report *report, vipann_error *error)
{
    uint32_t *order = vip_alloc(d->summary.classes, sizeof *order);
    if (order == NULL) {
        return vip_fail_memory(error, "the summary");
    }
    vip_progress_clear(&d->progress);
    report->out = vip_delivery_stream(d->jobs->delivery);
    d->jobs->format->summary(report, &d->summary, order, vip_summary_rank(&d->summary, order));
    vip_free(order);
    return vip_delivery_flush(d->jobs->delivery, error);
}

static vipann_status
run_all(desk *d, vip_report *report, vipann_error *error)
{
    const vip_jobs *jobs = d->jobs;
    bool threaded = jobs->threads > 1 && jobs->paths->n > 1;
    vipann_status status = VIPANN_OK;
    if (jobs->report.subject == VIP_SUMMARY) {
        status = vip_summary_begin(&d->summary, report->info.classes, error);
    }
    d->places = threaded ? jobs->threads + AHEAD : 1;
    d->ring = status == VIPANN_OK ? vip_alloc(d->places, sizeof *d->ring) : NULL;
    if (d->ring == NULL) {
        return vip_fail_memory(error, "the list of files");
    }
    for (size_t i = 0; i < d->places; i++) {
        d->ring[i].desk = d;
    }
    status = write_head(d, report, error);
    weigh_all(d);
    if (status == VIPANN_OK) {
        status = threaded ? run_at_once(d, jobs->threads, error) : run_in_order(d, error);
    }
    for (size_t i = 0; i < d->places; i++) {
        empty_place(&d->ring[i]);
    }
    if (status == VIPANN_OK && jobs->report.subject == VIP_SUMMARY) {
        status = write_summary(d, report, error);
    }
    return status;
}

vipann_status
vip_jobs_run(const vip_jobs *jobs, size_t *failed, vipann_error *error)
{
    desk d = {.jobs = jobs, .progress = vip_progress_begin(stderr), .head = vip_delivery_head(jobs->delivery)};
    vip_report report = jobs->report;
    *failed = 0;
    if (vip_report_begin(&report, jobs->analysis.model, error) != VIPANN_OK) {
        return VIPANN_E_MEMORY;
    }
    (void)pthread_mutex_init(&d.lock, NULL);
    (void)pthread_cond_init(&d.changed, NULL);
    vipann_status status = run_all(&d, &report, error);
    *failed = d.failed;
    vip_progress_clear(&d.progress);
    vip_summary_end(&d.summary);
    vip_report_end(&report);
    vip_free(d.ring);
    (void)pthread_cond_destroy(&d.changed);
    (void)pthread_mutex_destroy(&d.lock);
    return status;
}
