/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catalogue.c -- see catalogue.h for the contract. Rows are kept as they stand in the file, so that what users change in
 * them stays. */
#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/append_file.h>
#include <common/atomic_file.h>
#include <common/csv.h>
#include <common/support.h>

static const char HEAD[] = "path,labels,fold,group\r\n";
static const char NAME_LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
static const double SPARE =
    0.9; /* of the limit is left once there was too much, so that not each clip writes all anew */

typedef struct {
    char *line;     /* with its line break */
    uint64_t bytes; /* of the clip; 0: it is no row of ours, and stays */
} row;

struct vip_catalogue {
    char *folder, *table; /* table: the path of clips.csv */
    uint64_t most, bytes, count;
    vip_append_file *file;
    row *rows; /* in their order */
    size_t n, room;
};

/* FOLDER/NAME, to be freed; NULL: memory is short. */
static char *
path_of(const vip_catalogue *c, const char *name, size_t length)
{
    const size_t size = strlen(c->folder) + length + 2;
    char *path = vip_alloc(size, 1);
    if (path != NULL) {
        (void)snprintf(path, size, "%s/%.*s", c->folder, (int)length, name);
    }
    return path;
}

/* Bytes of the clip that a line speaks of; 0: it speaks of none that is there and could be ours. */
static uint64_t
clip_bytes(const vip_catalogue *c, const char *line)
{
    const size_t length = strspn(line, NAME_LETTERS);
    struct stat there;
    if (line[length] != ',' || length == 0 || line[0] == '.') {
        return 0;
    }
    char *path = path_of(c, line, length);
    const bool is = path != NULL && lstat(path, &there) == 0 && S_ISREG(there.st_mode);
    vip_free(path);
    return is ? (uint64_t)there.st_size : 0;
}

/* Takes line over, or frees it. */
static bool
keep(vip_catalogue *c, char *line, uint64_t bytes)
{
    if (line != NULL && c->n == c->room) {
        const size_t room = c->room > 0 ? 2 * c->room : 64;
        row *rows = vip_alloc(room, sizeof *rows);
        if (rows == NULL) {
            vip_free(line);
            return false;
        }
        if (c->n > 0) {
            memcpy(rows, c->rows, c->n * sizeof *rows);
        }
        vip_free(c->rows);
        c->rows = rows;
        c->room = room;
    }
    if (line == NULL) {
        return false;
    }
    c->rows[c->n++] = (row){line, bytes};
    c->bytes += bytes;
    c->count += bytes > 0;
    return true;
}

static vipann_status
open_table(vip_catalogue *c, vipann_error *error)
{
    const vip_append_setup setup = {.path = c->table};
    c->file = vip_append_open(&setup, error);
    if (c->file == NULL) {
        return error->status;
    }
    if (vip_append_size(c->file) > 0) {
        return VIPANN_OK;
    }
    (void)fputs(HEAD, vip_append_stream(c->file));
    return vip_append_commit(c->file, error);
}

/* The rows that are there, less the heading; which has to be ours, or there is nothing to go on with. */
static vipann_status
read_table(vip_catalogue *c, vipann_error *error)
{
    FILE *in = fopen(c->table, "r");
    char *line = NULL;
    size_t room = 0;
    vipann_status status = in != NULL ? VIPANN_OK : vip_fail(error, VIPANN_E_IO, "%s: %s", c->table, strerror(errno));
    bool headed = false;
    while (status == VIPANN_OK && getline(&line, &room, in) >= 0) {
        if (!headed) {
            headed = strncmp(line, HEAD, sizeof HEAD - 3) == 0 && strspn(line + sizeof HEAD - 3, "\r\n") > 0;
            status = headed ? VIPANN_OK
                            : vip_fail(error, VIPANN_E_FORMAT,
                                       "%s: found another heading than path,labels,fold,group; give another folder",
                                       c->table);
        } else if (!keep(c, vip_copy_string(line), clip_bytes(c, line))) {
            status = vip_fail_memory(error, c->table);
        }
    }
    free(line);
    if (in != NULL) {
        (void)fclose(in);
    }
    return status;
}

vip_catalogue *
vip_catalogue_open(const char *folder, uint64_t most, vipann_error *error)
{
    vip_catalogue *c = vip_alloc(1, sizeof *c);
    if (c != NULL) {
        c->most = most;
        c->folder = vip_copy_string(folder);
        c->table = c->folder != NULL ? path_of(c, "clips.csv", 9) : NULL;
    }
    if (c == NULL || c->table == NULL) {
        vip_catalogue_close(c);
        (void)vip_fail_memory(error, folder);
        return NULL;
    }
    if (!vip_make_folders(c->table)) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: this folder cannot be made: %s", c->table, strerror(errno));
    } else if (open_table(c, error) == VIPANN_OK && read_table(c, error) == VIPANN_OK) {
        return c;
    }
    vip_catalogue_close(c);
    return NULL;
}

static void
forget_rows(vip_catalogue *c)
{
    for (size_t i = 0; i < c->n; i++) {
        vip_free(c->rows[i].line);
    }
    c->n = 0;
    c->bytes = c->count = 0;
}

void
vip_catalogue_close(vip_catalogue *c)
{
    if (c == NULL) {
        return;
    }
    forget_rows(c);
    vip_append_close(c->file);
    vip_free(c->rows);
    vip_free(c->folder);
    vip_free(c->table);
    vip_free(c);
}

/* ------------------------------------------------------------------------------------------------------- the limit */

static void
remove_clip(vip_catalogue *c, row *r)
{
    char *path = path_of(c, r->line, strspn(r->line, NAME_LETTERS));
    if (path != NULL) {
        (void)unlink(path);
    }
    vip_free(path);
    c->bytes -= r->bytes;
    c->count--;
    vip_free(r->line);
    r->line = NULL;
}

/* What is left, in another file that takes the name of the first. */
static vipann_status
write_anew(vip_catalogue *c, vipann_error *error)
{
    vip_atomic_file *out = vip_atomic_file_open(c->table, error);
    if (out == NULL) {
        return error->status;
    }
    (void)fputs(HEAD, vip_atomic_file_stream(out));
    for (size_t i = 0; i < c->n; i++) {
        (void)fputs(c->rows[i].line, vip_atomic_file_stream(out));
    }
    const vipann_status status = vip_atomic_file_commit(out, error);
    if (status == VIPANN_OK) { /* the next row opens it */
        vip_append_close(c->file);
        c->file = NULL;
    }
    return status;
}

/* The newest clip stays whatever its size. The table is read again, since somebody may have changed it meanwhile. */
static vipann_status
make_room(vip_catalogue *c, vipann_error *error)
{
    if (c->most == 0 || c->bytes <= c->most) {
        return VIPANN_OK;
    }
    forget_rows(c);
    const vipann_status status = read_table(c, error);
    if (status != VIPANN_OK) {
        return status;
    }
    const uint64_t enough = (uint64_t)((double)c->most * SPARE);
    for (size_t i = 0; i + 1 < c->n && c->bytes > enough; i++) {
        if (c->rows[i].bytes > 0) {
            remove_clip(c, &c->rows[i]);
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->rows[i].line != NULL) {
            c->rows[left++] = c->rows[i];
        }
    }
    c->n = left;
    return write_anew(c, error);
}

/* ------------------------------------------------------------------------------------------------------------ rows */

/* In a manifest ';' stands between labels, and a row should be a line. */
static char *
plain_label(const char *label)
{
    char *copy = vip_copy_string(label);
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        *at = *at == ';' ? ',' : (unsigned char)*at < ' ' ? ' ' : *at;
    }
    return copy;
}

/* To be freed with free; NULL: memory is short. */
static char *
write_row(const vip_clip_row *from)
{
    char *line = NULL, *label = plain_label(from->label);
    size_t size = 0;
    FILE *out = label != NULL ? open_memstream(&line, &size) : NULL;
    if (out != NULL) {
        vip_csv csv = {.out = out};
        vip_csv_text(&csv, from->name);
        vip_csv_text(&csv, label);
        vip_csv_text(&csv, "");
        vip_csv_text(&csv, from->group);
        vip_csv_end(&csv);
        if (fclose(out) != 0) {
            free(line);
            line = NULL;
        }
    }
    vip_free(label);
    return line;
}

vipann_status
vip_catalogue_add(vip_catalogue *c, const vip_clip_row *from, vipann_error *error)
{
    if (c->file == NULL && open_table(c, error) != VIPANN_OK) {
        return error->status;
    }
    char *line = write_row(from);
    if (line == NULL) {
        return vip_fail_memory(error, c->table);
    }
    (void)fputs(line, vip_append_stream(c->file));
    vipann_status status = vip_append_commit(c->file, error);
    if (status == VIPANN_OK && !keep(c, vip_copy_string(line), from->bytes)) {
        status = vip_fail_memory(error, c->table);
    }
    free(line);
    return status == VIPANN_OK ? make_room(c, error) : status;
}

uint64_t
vip_catalogue_count(const vip_catalogue *c)
{
    return c->count;
}

uint64_t
vip_catalogue_bytes(const vip_catalogue *c)
{
    return c->bytes;
}
