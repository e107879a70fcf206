/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_store.c -- events kept in a file, and moments as people write them: C17 to C21 of common/README.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/store.h"
#include "common/when.h"
#include "scratch.h"

static const double UTC = 1.8e9; /* 2027-01-15T08:00:00Z */
static const char HOSTILE[] = "a'b\"c\n\033[2J$(x);\xff\xc2\x9b";

enum { MOST = 64 };

/* What was read, as text; the newest MOST rows. */
typedef struct {
    size_t n;
    char rows[MOST][256];
} listing;

static void
take(void *user, const vip_store_row *row)
{
    listing *l = user;
    char *out = l->rows[l->n++ % MOST];
    (void)snprintf(out, sizeof l->rows[0], "%.2f %.2f %s %s %s %s %.2f %.2f %d %llu %llu", row->begin - UTC,
                   row->seconds, row->input, row->label, row->model, row->clip != NULL ? row->clip : "-", row->p_max,
                   row->epistemic_nats, (int)row->unknown, (unsigned long long)row->events,
                   (unsigned long long)row->unknown_events);
}

static const vip_store_query ALL = {.since = NAN, .until = NAN};

static vipann_status
read_store(const char *path, const vip_store_query *query, listing *l, vipann_error *error)
{
    l->n = 0;
    return vip_store_read(path, query, take, l, error);
}

static listing *
list(const char *path, const vip_store_query *query)
{
    static listing l;
    vipann_error error;
    if (read_store(path, query, &l, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
    return &l;
}

static vip_store *
open_store(const char *path, double days, uint64_t bytes)
{
    vipann_error error;
    const vip_store_setup setup = {path, days, bytes};
    vip_store *store = vip_store_open(&setup, &error);
    if (store == NULL) {
        fail_msg("%s", error.text);
    }
    return store;
}

static vipann_event
event_of(uint64_t id, double start, double end)
{
    return (vipann_event){.id = id,
                          .start_seconds = start,
                          .end_seconds = end,
                          .ended = end > 0,
                          .p_max = 0.75,
                          .p_mean = 0.5,
                          .has_epistemic = true,
                          .epistemic_nats = 0.25,
                          .unknown = id % 2 == 0 ? VIPANN_YES : VIPANN_NO,
                          .passes = 8};
}

static vipann_status
put_at(vip_store *store, const char *input, const char *label, double utc, const vipann_event *event,
       vipann_error *error)
{
    const vip_store_event told = {input, label, "a model", utc, event};
    return vip_store_put(store, &told, error);
}

static void
put(vip_store *store, const char *input, const char *label, uint64_t id, double start, double end)
{
    const vipann_event event = event_of(id, start, end);
    vipann_error error;
    if (put_at(store, input, label, UTC, &event, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
}

static void
test_events_are_found_again_as_they_were(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "heard.db");
    vip_store *store = open_store(path, 0, 0);
    put(store, "in_1", "Dog", 1, 1, 0);
    put(store, "in_2", HOSTILE, 1, 2, 0);
    put(store, "in_1", "Cat", 2, 4000, 0);
    listing *l = list(path, &ALL); /* while it is written to, and while they last */
    assert_int_equal(l->n, 3);
    assert_string_equal(l->rows[0], "1.00 nan in_1 Dog a model - 0.75 0.25 0 1 0");
    put(store, "in_1", "Dog", 1, 1.5, 3);
    put(store, "in_1", "Cat", 2, 4000, 4001.25);
    assert_int_equal(vip_store_clip(store, "in_1", 2, "clips/cat.flac", NULL), VIPANN_OK);
    vip_store_close(store);
    store = open_store(path, 0, 0); /* ids begin anew, and are others' */
    put(store, "in_1", "dogs", 1, 4002, 4003);
    vip_store_close(store);
    l = list(path, &ALL);
    assert_int_equal(scratch_count(state), 1); /* who reads leaves nothing beside it */
    assert_int_equal(l->n, 4);
    assert_string_equal(l->rows[0], "1.50 1.50 in_1 Dog a model - 0.75 0.25 0 1 0");
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted, "2.00 nan in_2 %s a model - 0.75 0.25 0 1 0", HOSTILE);
    assert_string_equal(l->rows[1], wanted);
    assert_string_equal(l->rows[2], "4000.00 1.25 in_1 Cat a model clips/cat.flac 0.75 0.25 1 1 1");
    assert_string_equal(l->rows[3], "4002.00 1.00 in_1 dogs a model - 0.75 0.25 0 1 0");
}

static void
test_what_is_asked_for_is_listed(void **state)
{
    char path[SCRATCH_PATH];
    (void)scratch_path(path, state, "asked.db");
    vip_store *store = open_store(path, 0, 0);
    for (uint64_t id = 1; id <= 8; id++) {
        put(store, id % 3 == 0 ? "in_2" : "in_1", id % 4 == 0 ? "Dog, barking" : "Cat", id, 1000 * (double)id,
            1000 * (double)id + 2);
    }
    vip_store_close(store);
    static const struct {
        vip_store_query query;
        size_t n;
        const char *first;
    } table[] = {
        {{.since = 1.8e9 + 2000, .until = 1.8e9 + 4000}, 2, "2000.00 "},
        {{.since = NAN, .until = NAN, .label = "DOG*"}, 2, "4000.00 "},
        {{.since = NAN, .until = NAN, .label = "dog"}, 0, ""},
        {{.since = NAN, .until = NAN, .input = "in_2"}, 2, "3000.00 "},
        {{.since = NAN, .until = NAN, .unknown = true, .newest = 2}, 2, "6000.00 "},
        {{.since = NAN, .until = NAN, .newest = 3}, 3, "6000.00 "},
        {{.since = NAN, .until = NAN, .input = "' OR 1 --"}, 0, ""},
        {{.since = NAN, .until = NAN, .hours = true, .label = "cat"}, 4, "0.00 4.00 in_1 Cat"},
        {{.since = 1.8e9 + 3600, .until = 1.8e9 + 7200, .hours = true}, 3, "3600.00 4.00 in_1 Cat"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const listing *l = list(path, &table[i].query);
        if (l->n != table[i].n || strncmp(l->rows[0], table[i].first, l->n > 0 ? strlen(table[i].first) : 0) != 0) {
            fail_msg("case %zu: %zu rows, the first %s", i, l->n, l->rows[0]);
        }
    }
    const listing *l = list(path, &(vip_store_query){.since = NAN, .until = NAN, .hours = true});
    assert_string_equal(l->rows[0], "0.00 4.00 in_1 Cat  - nan nan 2 2 1");
}

static void
test_a_store_keeps_its_limits(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error;
    (void)scratch_path(path, state, "limits.db");
    enum { EVENTS = 6000, LIMIT = 256 << 10 };
    vip_store *store = open_store(path, 2, LIMIT);
    struct stat there;
    off_t largest = 0;
    bool more;
    for (uint64_t id = 1; id <= EVENTS; id++) {
        put(store, "in_1", "a label of some length, as there are", id, 60 * (double)id, 60 * (double)id + 1);
        if (id % 500 == 0) { /* the clock goes on by 500 minutes */
            assert_int_equal(vip_store_tend(store, UTC + 60 * (double)id, &more, &error), VIPANN_OK);
            assert_int_equal(stat(path, &there), 0);
            largest = there.st_size > largest ? there.st_size : largest;
        }
    }
    assert_true(largest < LIMIT * 3 / 2);
    const listing *l = list(path, &ALL);
    assert_true(l->n > 500 && l->n < EVENTS / 2);
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "%.2f 1.00 ", 60.0 * EVENTS);
    assert_memory_equal(l->rows[(l->n - 1) % MOST], wanted, strlen(wanted)); /* the newest are there */
    assert_int_equal(list(path, &(vip_store_query){.since = NAN, .until = NAN, .hours = true})->n, EVENTS / 60 + 1);
    vip_store_close(store);
    store = open_store(path, 1, 0);
    for (more = true; more;) {
        assert_int_equal(vip_store_tend(store, UTC + 60.0 * EVENTS + 86400 - 6000, &more, &error), VIPANN_OK);
    }
    vip_store_close(store);
    assert_int_equal(list(path, &ALL)->n, 101); /* of the last day's: those of the last 100 minutes, and their first */
}

static void
test_what_is_no_store_is_refused_and_left_alone(void **state)
{
    char path[SCRATCH_PATH], text[64];
    vipann_error error;
    listing l;
    const vip_store_setup setup = {path, 0, 0};
    (void)scratch_path(path, state, "text.db");
    scratch_write(path,
                  "no database at all, but long enough to look like a file of one: a heading of a hundred bytes "
                  "and more",
                  100);
    assert_null(vip_store_open(&setup, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "is no event store; give another file"));
    assert_int_equal(read_store(path, &ALL, &l, &error), VIPANN_E_FORMAT);
    (void)scratch_read(path, text, 20);
    assert_string_equal(text, "no database at all,");

    sqlite3 *db;
    (void)scratch_path(path, state, "foreign.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE events (a)", NULL, NULL, NULL), SQLITE_OK);
    assert_null(vip_store_open(&setup, &error));
    assert_non_null(strstr(error.text, "a database of something else"));
    assert_int_equal(sqlite3_exec(db, "PRAGMA application_id = 1986621537; PRAGMA user_version = 2", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_null(vip_store_open(&setup, &error));
    assert_non_null(strstr(error.text, "version 2, and this program knows 1"));
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    assert_null(vip_store_open(&setup, &error)); /* it says that it is one, but is not */
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_int_equal(read_store(path, &ALL, &l, &error), VIPANN_E_FORMAT);
    (void)sqlite3_close(db);

    (void)scratch_path(path, state, "empty.db"); /* its maker was killed: it becomes one */
    scratch_write(path, "", 0);
    assert_int_equal(read_store(path, &ALL, &l, &error), VIPANN_OK);
    assert_int_equal(l.n, 0);
    vip_store_close(open_store(path, 0, 0));

    (void)scratch_path(path, state, "missing.db");
    assert_int_equal(read_store(path, &ALL, &l, &error), VIPANN_E_IO);
    assert_int_equal(access(path, F_OK), -1);
    (void)scratch_path(path, state, "text.db/below.db");
    assert_null(vip_store_open(&setup, &error));
    assert_int_equal(error.status, VIPANN_E_IO);
}

/* Somebody else writes, and a limit on the size of files stands for a full disk: the event is lost, the store is not. */
static void
test_what_cannot_be_kept_is_said_and_the_next_may_be(void **state)
{
    char path[SCRATCH_PATH];
    vipann_error error;
    (void)scratch_path(path, state, "locked.db");
    vip_store *store = open_store(path, 0, 0);
    put(store, "in_1", "Dog", 1, 1, 0);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    const vipann_event event = event_of(1, 1, 2);
    const double before = vip_clock_seconds(CLOCK_MONOTONIC);
    assert_int_equal(put_at(store, "in_1", "Dog", UTC, &event, &error), VIPANN_E_IO);
    assert_true(vip_clock_seconds(CLOCK_MONOTONIC) - before < 2);
    assert_non_null(strstr(error.text, "locked by another program"));
    (void)sqlite3_close(db);

    struct rlimit usual, small = {1, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    small.rlim_max = usual.rlim_max;
    void (*const handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const vipann_status status = put_at(store, "in_1", "Dog", UTC, &event, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(status, VIPANN_E_IO);
    put(store, "in_1", "Dog", 1, 1, 2.5);
    vip_store_close(store);
    const listing *l = list(path, &ALL);
    assert_int_equal(l->n, 1);
    assert_string_equal(l->rows[0], "1.00 1.50 in_1 Dog a model - 0.75 0.25 0 1 0");
    assert_int_equal(list(path, &(vip_store_query){.since = NAN, .until = NAN, .hours = true})->n, 1);
}

static void
test_a_killed_writer_loses_nothing_that_it_had_put(void **state)
{
    char path[SCRATCH_PATH];
    uint64_t known = 0;
    (void)scratch_path(path, state, "killed.db");
    for (unsigned round = 0; round < 20; round++) {
        int done[2];
        assert_int_equal(pipe(done), 0);
        const pid_t child = fork();
        if (child == 0) {
            vip_store *store = open_store(path, 0, 0);
            for (uint64_t id = 1;; id++) {
                put(store, "in_1", "Dog", id, 1e4 * round + (double)id, id % 2 == 0 ? 1e4 * round + (double)id + 1 : 0);
                if (write(done[1], &id, sizeof id) != sizeof id) {
                    _exit(1);
                }
            }
        }
        (void)close(done[1]);
        const struct timespec moment = {0, 10000000 + 1700000 * (long)round};
        (void)nanosleep(&moment, NULL);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        uint64_t id, last = 0;
        while (read(done[0], &id, sizeof id) == sizeof id) {
            last = id;
        }
        (void)close(done[0]);
        const vip_store_query query = {.since = UTC + 1e4 * round, .until = UTC + 1e4 * (round + 1)};
        const listing *l = list(path, &query);
        assert_true(l->n >= last && l->n <= last + 1);
        known += last;
    }
    assert_true(known > 0);
}

/* Whatever a file holds, reading and opening it end, with an answer or with a line. */
static void
test_damaged_stores_are_read_as_far_as_they_go_or_refused(void **state)
{
    char path[SCRATCH_PATH], damaged[SCRATCH_PATH];
    static char bytes[1 << 18];
    uint32_t random = 1;
    (void)scratch_path(path, state, "whole.db");
    (void)scratch_path(damaged, state, "damaged.db");
    vip_store *store = open_store(path, 0, 0);
    for (uint64_t id = 1; id <= 300; id++) {
        put(store, "in_1", "Dog", id, (double)id, (double)id + 1);
    }
    vip_store_close(store);
    const size_t n = scratch_read(path, bytes, sizeof bytes);
    assert_true(n > 4096);
    for (unsigned round = 0; round < 200; round++) {
        char *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, bytes, n);
        for (unsigned i = 0; i < 1 + round % 20; i++) {
            random = random * 1664525 + 1013904223;
            copy[(random >> 4) % (round % 2 == 0 ? 4096 : n)] = (char)(random >> 24);
        }
        scratch_write(damaged, copy, round % 7 == 0 ? n / 2 : n);
        free(copy);
        listing l;
        vipann_error error = {VIPANN_OK, ""};
        const vip_store_setup setup = {damaged, 1, 1 << 16};
        (void)read_store(damaged, &ALL, &l, &error);
        store = vip_store_open(&setup, &error);
        if (store != NULL) {
            const vipann_event event = event_of(1, 1, 2);
            bool more;
            (void)put_at(store, "in_1", "Dog", UTC, &event, &error);
            (void)vip_store_tend(store, UTC + 1e6, &more, &error);
        }
        vip_store_close(store);
        assert_true(strchr(error.text, '\n') == NULL);
        char name[SCRATCH_PATH + 8];
        (void)unlink(damaged);
        (void)snprintf(name, sizeof name, "%s-wal", damaged);
        (void)unlink(name);
        (void)snprintf(name, sizeof name, "%s-shm", damaged);
        (void)unlink(name);
    }
}

static void
test_moments_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } table[] = {
        {"90s", 1.8e9 - 90},
        {"1.5h", 1.8e9 - 5400},
        {"2d", 1.8e9 - 172800},
        {"1w", 1.8e9 - 604800},
        {"2027-01-15T08:00Z", 1.8e9},
        {"2027-01-15T08:00:30Z", 1.8e9 + 30},
        {"2027-01-15T09:00", 1.8e9}, /* an hour before UTC */
        {"2027-01-15", 1.8e9 - 9 * 3600},
        {"2027-07-01T10:00", 1.8e9 + 14428800}, /* two in summer */
    };
    static const char *const bad[] = {"",
                                      "12",
                                      "h",
                                      "-2h",
                                      "2027",
                                      "2027-13-01",
                                      "2027-02-30",
                                      "2027-01-15T8",
                                      "2027-01-15T24:00",
                                      "yesterday",
                                      "2027-01-15 08:00"};
    const char *before = getenv("TZ");
    char *zone = before != NULL ? strdup(before) : NULL;
    assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
    tzset();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double seconds = 0;
        vipann_error error = {VIPANN_OK, ""};
        (void)vip_when_read(table[i].text, 1.8e9, "--since", &seconds, &error);
        if (error.text[0] != '\0' || seconds != table[i].seconds) {
            fail_msg("%s: %f %s", table[i].text, seconds, error.text);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double seconds;
        vipann_error error = {VIPANN_OK, ""};
        if (vip_when_read(bad[i], 1.8e9, "--since", &seconds, &error) != VIPANN_E_ARG) {
            fail_msg("%s was read as %f", bad[i], seconds);
        }
        assert_non_null(strstr(error.text, "--since: found \""));
    }
    (void)(zone != NULL ? setenv("TZ", zone, 1) : unsetenv("TZ"));
    free(zone);
    tzset();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_found_again_as_they_were),
        cmocka_unit_test(test_what_is_asked_for_is_listed),
        cmocka_unit_test(test_a_store_keeps_its_limits),
        cmocka_unit_test(test_what_is_no_store_is_refused_and_left_alone),
        cmocka_unit_test(test_what_cannot_be_kept_is_said_and_the_next_may_be),
        cmocka_unit_test(test_a_killed_writer_loses_nothing_that_it_had_put),
        cmocka_unit_test(test_damaged_stores_are_read_as_far_as_they_go_or_refused),
        cmocka_unit_test(test_moments_are_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
