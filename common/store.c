/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.c -- see store.h for the contract: the side that writes. */
#include "store.h"

#include <math.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "atomic_file.h"
#include "store_file.h"

static const char SCHEMA[] =
    "PRAGMA auto_vacuum = INCREMENTAL; BEGIN IMMEDIATE;"
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, version TEXT NOT NULL);"
    "CREATE TABLE events (event INTEGER PRIMARY KEY, run INTEGER NOT NULL, id INTEGER NOT NULL, input TEXT NOT NULL,"
    " label TEXT NOT NULL, model TEXT NOT NULL, begin REAL, end REAL, seconds REAL, p_max REAL, p_mean REAL,"
    " epistemic REAL, unknown INTEGER, passes INTEGER, calibrated INTEGER, clip TEXT, UNIQUE (run, input, id));"
    "CREATE INDEX events_begin ON events (begin);"
    "CREATE TABLE hours (hour INTEGER NOT NULL, input TEXT NOT NULL, label TEXT NOT NULL, events INTEGER NOT NULL,"
    " seconds REAL NOT NULL, unknown INTEGER NOT NULL, PRIMARY KEY (hour, input, label)) WITHOUT ROWID;"
    "PRAGMA application_id = 1986621537; PRAGMA user_version = 1; COMMIT;";
_Static_assert(VIP_STORE_MARK == 1986621537 && VIP_STORE_VERSION == 1, "as the schema has them");

/* One transaction per event is with the system when it is done; the disk is waited for now and then only. */
static const char SETTINGS[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 250;"
    "PRAGMA journal_size_limit = 1048576; PRAGMA cache_size = -1024";

enum { PUT, COUNT, CLIP, OLD, OLDEST, OLDEST_HOURS, BEGIN, COMMIT, ROLLBACK, N_STATEMENTS };
static const char *const STATEMENTS[N_STATEMENTS] = {
    [PUT] = "INSERT INTO events (run, id, input, label, model, begin, end, seconds, p_max, p_mean, epistemic, unknown,"
            " passes, calibrated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            " ON CONFLICT (run, input, id) DO UPDATE SET begin = excluded.begin, end = excluded.end,"
            " seconds = excluded.seconds, p_max = excluded.p_max, p_mean = excluded.p_mean,"
            " epistemic = excluded.epistemic, unknown = excluded.unknown, passes = excluded.passes,"
            " calibrated = excluded.calibrated",
    [COUNT] = "INSERT INTO hours VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT DO UPDATE SET events = events + 1,"
              " seconds = seconds + excluded.seconds, unknown = unknown + excluded.unknown",
    [CLIP] = "UPDATE events SET clip = ?4 WHERE run = ?1 AND id = ?2 AND input = ?3",
    [OLD] = "DELETE FROM events WHERE event IN (SELECT event FROM events WHERE begin < ?1 ORDER BY begin LIMIT 1000)",
    [OLDEST] = "DELETE FROM events WHERE event IN (SELECT event FROM events ORDER BY begin LIMIT 1000)",
    [OLDEST_HOURS] = "DELETE FROM hours WHERE hour <= (SELECT max(hour) FROM"
                     " (SELECT hour FROM hours ORDER BY hour LIMIT 1000)) AND hour < (SELECT max(hour) FROM hours)",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
};

struct vip_store {
    vip_store_setup setup;
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
    int64_t run;
};

static vipann_status
fail(const vip_store *s, vipann_error *error)
{
    return vip_store_file_fail(s->db, s->path, error);
}

/* ----------------------------------------------------------------------------------------------------------- set-up */

static vipann_status
begin_run(vip_store *s, vipann_error *error)
{
    const vipann_status status =
        vip_store_file_do(s->db, s->path, "INSERT INTO runs (version) VALUES ('" VIPANN_VERSION "')", error);
    s->run = sqlite3_last_insert_rowid(s->db);
    return status;
}

static vipann_status
open_all(vip_store *s, vipann_error *error)
{
    bool empty;
    if (!vip_make_folders(s->path)) {
        return vip_fail(error, VIPANN_E_IO, "%s: this folder cannot be made", s->path);
    }
    s->db = vip_store_file_open(s->path, true, &empty, error);
    if (s->db == NULL) {
        return error->status;
    }
    vipann_status status = empty ? vip_store_file_do(s->db, s->path, SCHEMA, error) : VIPANN_OK;
    status = status == VIPANN_OK ? vip_store_file_do(s->db, s->path, SETTINGS, error) : status;
    for (int i = 0; i < N_STATEMENTS && status == VIPANN_OK; i++) {
        if (sqlite3_prepare_v3(s->db, STATEMENTS[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) !=
            SQLITE_OK) {
            status = fail(s, error);
        }
    }
    return status == VIPANN_OK ? begin_run(s, error) : status;
}

vip_store *
vip_store_open(const vip_store_setup *setup, vipann_error *error)
{
    vip_store *s = vip_alloc(1, sizeof *s);
    if (s != NULL) {
        s->setup = *setup;
        s->path = vip_copy_string(setup->path);
    }
    if (s == NULL || s->path == NULL) {
        vip_store_close(s);
        (void)vip_fail_memory(error, setup->path);
        return NULL;
    }
    if (open_all(s, error) != VIPANN_OK) {
        vip_store_close(s);
        return NULL;
    }
    return s;
}

void
vip_store_close(vip_store *s)
{
    if (s == NULL) {
        return;
    }
    for (int i = 0; i < N_STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
    }
    (void)sqlite3_close(s->db);
    vip_free(s->path);
    vip_free(s);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void
bind_number(sqlite3_stmt *s, int at, double value)
{
    (void)(isfinite(value) ? sqlite3_bind_double(s, at, value) : sqlite3_bind_null(s, at));
}

static void
bind_text(sqlite3_stmt *s, int at, const char *text)
{
    (void)sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

/* Runs a statement whose values are bound. */
static bool
step(vip_store *s, int which)
{
    const int code = sqlite3_step(s->statements[which]);
    return code == SQLITE_DONE && sqlite3_reset(s->statements[which]) == SQLITE_OK;
}

static bool
put_event(vip_store *s, const vip_store_event *from)
{
    sqlite3_stmt *const q = s->statements[PUT];
    const vipann_event *e = from->event;
    (void)sqlite3_bind_int64(q, 1, s->run);
    (void)sqlite3_bind_int64(q, 2, (int64_t)e->id);
    bind_text(q, 3, from->input);
    bind_text(q, 4, from->label);
    bind_text(q, 5, from->model);
    bind_number(q, 6, from->utc + e->start_seconds);
    bind_number(q, 7, e->ended ? from->utc + e->end_seconds : NAN);
    bind_number(q, 8, e->ended ? e->end_seconds - e->start_seconds : NAN);
    bind_number(q, 9, e->p_max);
    bind_number(q, 10, e->p_mean);
    bind_number(q, 11, e->has_epistemic ? e->epistemic_nats : NAN);
    (void)(e->unknown == VIPANN_CANNOT_SAY ? sqlite3_bind_null(q, 12)
                                           : sqlite3_bind_int(q, 12, e->unknown == VIPANN_YES));
    (void)sqlite3_bind_int64(q, 13, e->passes);
    (void)sqlite3_bind_int(q, 14, e->calibrated);
    return step(s, PUT);
}

static bool
count_event(vip_store *s, const vip_store_event *from)
{
    sqlite3_stmt *const q = s->statements[COUNT];
    const vipann_event *e = from->event;
    const double begin = from->utc + e->start_seconds;
    if (!e->ended || !isfinite(begin)) {
        return true;
    }
    (void)sqlite3_bind_int64(q, 1, 3600 * (int64_t)floor(begin / 3600));
    bind_text(q, 2, from->input);
    bind_text(q, 3, from->label);
    (void)sqlite3_bind_double(q, 4, e->end_seconds - e->start_seconds);
    (void)sqlite3_bind_int(q, 5, e->unknown == VIPANN_YES);
    return step(s, COUNT);
}

/* Ends a transaction: all of it is kept, or nothing. */
static vipann_status
finish(vip_store *s, bool good, vipann_error *error)
{
    if (good && step(s, COMMIT)) {
        return VIPANN_OK;
    }
    const vipann_status status = fail(s, error);
    for (int i = 0; i < N_STATEMENTS; i++) {
        (void)sqlite3_reset(s->statements[i]);
    }
    if (sqlite3_get_autocommit(s->db) == 0) {
        (void)step(s, ROLLBACK);
    }
    return status;
}

vipann_status
vip_store_put(vip_store *s, const vip_store_event *event, vipann_error *error)
{
    return finish(s, step(s, BEGIN) && put_event(s, event) && count_event(s, event), error);
}

vipann_status
vip_store_clip(vip_store *s, const char *input, uint64_t id, const char *path, vipann_error *error)
{
    sqlite3_stmt *const q = s->statements[CLIP];
    (void)sqlite3_bind_int64(q, 1, s->run);
    (void)sqlite3_bind_int64(q, 2, (int64_t)id);
    bind_text(q, 3, input);
    bind_text(q, 4, path);
    return finish(s, step(s, BEGIN) && step(s, CLIP), error);
}

/* ----------------------------------------------------------------------------------------------------------- limits */

static int64_t
pragma(vip_store *s, const char *name)
{
    sqlite3_stmt *q = NULL;
    int64_t value = 0;
    if (sqlite3_prepare_v2(s->db, name, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
        value = sqlite3_column_int64(q, 0);
    }
    (void)sqlite3_finalize(q);
    return value;
}

/* Bytes in use, pages that are free left out: those are given back below. */
static uint64_t
bytes_used(vip_store *s)
{
    return (uint64_t)((pragma(s, "PRAGMA page_count") - pragma(s, "PRAGMA freelist_count")) *
                      pragma(s, "PRAGMA page_size"));
}

vipann_status
vip_store_tend(vip_store *s, double now, bool *more, vipann_error *error)
{
    bool good = step(s, BEGIN);
    *more = false;
    if (good && s->setup.days > 0) {
        (void)sqlite3_bind_double(s->statements[OLD], 1, now - 86400 * s->setup.days);
        good = step(s, OLD);
        *more = sqlite3_changes(s->db) > 0;
    }
    if (good && s->setup.bytes > 0 && bytes_used(s) > s->setup.bytes) {
        const int before = sqlite3_total_changes(s->db);
        good = step(s, OLDEST) && (sqlite3_changes(s->db) > 0 || step(s, OLDEST_HOURS));
        *more = *more || sqlite3_total_changes(s->db) > before;
    }
    const vipann_status status = finish(s, good, error);
    if (status != VIPANN_OK) {
        return status;
    }
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL); /* who reads may put it off */
    return vip_store_file_do(s->db, s->path, "PRAGMA incremental_vacuum(1000)", error);
}
