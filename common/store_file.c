/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_file.c -- see store_file.h for the contract. */
#include "store_file.h"

#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "text.h"

enum { PATIENCE_MS = 200, MOST_NAME = 100 /* bytes of a path in a message */ };

vipann_status
vip_store_file_fail(sqlite3 *db, const char *path, vipann_error *error)
{
    const int code = db != NULL ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
    const char *name = vip_text_tail(path, MOST_NAME), *why = db != NULL ? sqlite3_errmsg(db) : "";
    switch (code) {
    case SQLITE_NOMEM:
        return vip_fail_memory(error, name);
    case SQLITE_NOTADB:
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is no event store; give another file", name);
    case SQLITE_CORRUPT:
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: the event store is damaged: %s; what can be saved comes out with sqlite3 FILE .recover",
                        name, why);
    case SQLITE_FULL:
        return vip_fail(error, VIPANN_E_IO, "%s: the event store cannot be written: the disk is full; make room", name);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return vip_fail(error, VIPANN_E_IO, "%s: the event store is locked by another program; give each its own",
                        name);
    case SQLITE_READONLY: /* to read, too, SQLite has to lock it in a file beside it */
        return vip_fail(
            error, VIPANN_E_IO,
            "%s: the event store or its folder cannot be written to; copy it elsewhere, or let this user write there",
            name);
    case SQLITE_ERROR: /* a table of ours is not there or has other columns */
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is no event store of ours: %s; give another file", name, why);
    default:
        return vip_fail(error, VIPANN_E_IO, "%s: the event store cannot be used: %s", name, why);
    }
}

vipann_status
vip_store_file_do(sqlite3 *db, const char *path, const char *statements, vipann_error *error)
{
    return sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK ? VIPANN_OK
                                                                       : vip_store_file_fail(db, path, error);
}

static bool
read_number(sqlite3 *db, const char *statement, int64_t *number)
{
    sqlite3_stmt *s = NULL;
    const bool good = sqlite3_prepare_v2(db, statement, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    *number = good ? sqlite3_column_int64(s, 0) : 0;
    return sqlite3_finalize(s) == SQLITE_OK && good;
}

/* Whose file it is. */
static vipann_status
check(sqlite3 *db, const char *path, bool *empty, vipann_error *error)
{
    int64_t mark, version, tables;
    if (!read_number(db, "PRAGMA application_id", &mark) || !read_number(db, "PRAGMA user_version", &version) ||
        !read_number(db, "SELECT count(*) FROM sqlite_schema", &tables)) {
        return vip_store_file_fail(db, path, error);
    }
    const char *name = vip_text_tail(path, MOST_NAME);
    *empty = mark == 0 && version == 0 && tables == 0;
    if (*empty) {
        return VIPANN_OK;
    }
    if (mark != VIP_STORE_MARK) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: is no event store but a database of something else; give another file", name);
    }
    if (version != VIP_STORE_VERSION) {
        return vip_fail(error, VIPANN_E_FORMAT,
                        "%s: is an event store of version %lld, and this program knows %d; use a newer program", name,
                        (long long)version, VIP_STORE_VERSION);
    }
    return VIPANN_OK;
}

/* To SQLite some names are no names of files. To be freed; NULL: memory is short. */
static char *
plain_name(const char *path)
{
    const size_t size = strlen(path) + 3;
    char *name = vip_alloc(size, 1);
    if (name != NULL) {
        (void)snprintf(name, size, "%s%s", path[0] == '/' || path[0] == '.' ? "" : "./", path);
    }
    return name;
}

sqlite3 *
vip_store_file_open(const char *path, bool write, bool *empty, vipann_error *error)
{
    sqlite3 *db = NULL;
    char *name = plain_name(path);
    /* Whoever only reads may tidy up behind a writer that has gone, where it can; else SQLite's own files would stay. */
    const int flags = SQLITE_OPEN_READWRITE | (write ? SQLITE_OPEN_CREATE : 0);
    if (name == NULL) {
        (void)vip_fail_memory(error, path);
        return NULL;
    }
    const int code = sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    vip_free(name);
    vipann_status status = VIPANN_OK;
    if (code != SQLITE_OK) {
        status = code == SQLITE_CANTOPEN
                     ? vip_fail(error, VIPANN_E_IO,
                                "%s: the event store cannot be opened; check the name and who may read it",
                                vip_text_tail(path, MOST_NAME))
                     : vip_store_file_fail(db, path, error);
    } else {
        (void)sqlite3_busy_timeout(db, PATIENCE_MS);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL); /* the file may come from anywhere */
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        (void)sqlite3_exec(db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
        (void)sqlite3_exec(db, write ? "" : "PRAGMA query_only = ON", NULL, NULL, NULL);
        status = check(db, path, empty, error);
    }
    if (status != VIPANN_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}
