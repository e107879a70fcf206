/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_read.c -- see store.h for the contract: the side that reads. */
#include "store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <base/status.h>

#include "store_file.h"

/* Both have the same columns, so that rows are read in one way. */
static const char EVENTS[] =
    "SELECT begin, end, seconds, input, label, model, clip, p_max, p_mean, epistemic, unknown, 1,"
    " unknown, event AS row FROM events";
static const char HOURS[] =
    "SELECT hour AS begin, hour + 3600, seconds, input, label, NULL, NULL, NULL, NULL, NULL, NULL,"
    " events, unknown, input || ' ' || label AS row FROM hours";

/* Appends to a statement, which has room. */
static void
append(char *statement, size_t size, const char *text)
{
    const size_t used = strlen(statement);
    (void)snprintf(statement + used, size - used, "%s", text);
}

/* Values are bound by number: what is not asked for has no condition. */
static void
write_statement(const vip_store_query *q, char *statement, size_t size)
{
    const char *time = q->hours ? "hour" : "begin";
    (void)snprintf(statement, size, "SELECT * FROM (%s WHERE 1", q->hours ? HOURS : EVENTS);
    if (!isnan(q->since)) {
        append(statement, size, " AND ");
        append(statement, size, time);
        append(statement, size, " >= ?1");
    }
    if (!isnan(q->until)) {
        append(statement, size, " AND ");
        append(statement, size, time);
        append(statement, size, " < ?2");
    }
    append(statement, size, q->label != NULL ? " AND lower(label) GLOB lower(?3)" : "");
    append(statement, size, q->input != NULL ? " AND input = ?4" : "");
    append(statement, size, q->unknown ? " AND unknown > 0" : "");
    append(statement, size, " ORDER BY ");
    append(statement, size, time);
    append(statement, size, " DESC, row DESC LIMIT ?5) ORDER BY begin, row");
}

static double
number_at(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

/* NULL stays NULL only where it may. */
static const char *
text_at(sqlite3_stmt *s, int column, const char *otherwise)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    return text != NULL ? (const char *)text : otherwise;
}

static void
give_row(sqlite3_stmt *s, vip_store_take *take, void *user)
{
    const vip_store_row row = {
        .begin = number_at(s, 0),
        .end = number_at(s, 1),
        .seconds = number_at(s, 2),
        .input = text_at(s, 3, ""),
        .label = text_at(s, 4, ""),
        .model = text_at(s, 5, ""),
        .clip = text_at(s, 6, NULL),
        .p_max = number_at(s, 7),
        .p_mean = number_at(s, 8),
        .epistemic_nats = number_at(s, 9),
        .unknown = sqlite3_column_type(s, 10) == SQLITE_NULL ? VIPANN_CANNOT_SAY
                   : sqlite3_column_int(s, 10) > 0           ? VIPANN_YES
                                                             : VIPANN_NO,
        .events = (uint64_t)sqlite3_column_int64(s, 11),
        .unknown_events = (uint64_t)sqlite3_column_int64(s, 12),
    };
    take(user, &row);
}

vipann_status
vip_store_read(const char *path, const vip_store_query *query, vip_store_take *take, void *user, vipann_error *error)
{
    char statement[768];
    sqlite3_stmt *s = NULL;
    bool empty;
    sqlite3 *db = vip_store_file_open(path, false, &empty, error);
    if (db == NULL || empty) {
        (void)sqlite3_close(db);
        return db == NULL ? error->status : VIPANN_OK;
    }
    write_statement(query, statement, sizeof statement);
    int code = sqlite3_prepare_v2(db, statement, -1, &s, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_double(s, 1, query->since);
        (void)sqlite3_bind_double(s, 2, query->until);
        (void)sqlite3_bind_text(s, 3, query->label, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(s, 4, query->input, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(s, 5, query->newest > 0 ? (int64_t)query->newest : -1);
        while ((code = sqlite3_step(s)) == SQLITE_ROW) {
            give_row(s, take, user);
        }
    }
    const vipann_status status = code == SQLITE_DONE ? VIPANN_OK : vip_store_file_fail(db, path, error);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return status;
}
