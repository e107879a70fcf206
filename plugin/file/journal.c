/* SPDX-License-Identifier: GPL-3.0-or-later */
/* journal.c -- see journal.h for the contract. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/number.h>
#include <common/support.h>
#include <common/temporary.h>
#include <common/text.h>

enum { SHOWN = 100, FIELDS = 3 };

static const char MAGIC[] = "vipann journal 1";

struct vip_journal {
    char *path;
    FILE *in; /* its descriptor holds the lock, so it stays open */
    bool begun_now;
    uint64_t first;     /* bytes of the first line */
    uint64_t size, end; /* bytes of whole lines; of the output at the last of them */
    size_t finished;
};

/* One line of a finished recording, cut up in place. */
typedef struct {
    uint64_t end;
    bool failed;
    char *path;
} entry;

/* ------------------------------------------------------------------------------------------------------- lines */

/* text with what would break a line written as \xHH; NULL: memory is short. */
static char *
escape(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *whole = vip_alloc(strlen(text) + 1, 4), *at = whole;
    if (whole == NULL) {
        return NULL;
    }
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c != 0x7f && c != '\\') {
            *at++ = (char)c;
        } else {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    return whole;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes escapes out of text, in place; false: there is a wrong one. */
static bool
unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        int high = from[1] == 'x' ? hex_digit(from[2]) : -1, low = high >= 0 ? hex_digit(from[3]) : -1;
        if (low < 0 || (high == 0 && low == 0)) {
            return false;
        }
        *to++ = (char)(high << 4 | low);
        from += 3;
    }
    *to = '\0';
    return true;
}

/* Cuts up a line of n bytes with its line break; false: it is not whole or makes no sense. */
static bool
read_entry(char *line, size_t n, entry *e)
{
    if (n == 0 || line[n - 1] != '\n' || strlen(line) != n) {
        return false;
    }
    line[n - 1] = '\0';
    char *field[FIELDS] = {line};
    for (int i = 1; i < FIELDS; i++) {
        char *tab = strchr(field[i - 1], '\t');
        if (tab == NULL) {
            return false;
        }
        *tab = '\0';
        field[i] = tab + 1;
    }
    e->failed = strcmp(field[1], "failed") == 0;
    e->path = field[2];
    return vip_number_read_whole(field[0], &e->end) && (e->failed || strcmp(field[1], "ok") == 0) && unescape(e->path);
}

/* ----------------------------------------------------------------------------------------------------- settings */

static char *
write_settings(const vip_setting *settings, size_t n)
{
    size_t size = sizeof MAGIC + 1;
    for (size_t i = 0; i < n; i++) {
        size += strlen(settings[i].key) + strlen(settings[i].value) + 2;
    }
    char *line = vip_alloc(size, 1);
    if (line == NULL) {
        return NULL;
    }
    int at = snprintf(line, size, "%s", MAGIC);
    for (size_t i = 0; i < n; i++) {
        at += snprintf(line + at, size - (size_t)at, "\t%s=%s", settings[i].key, settings[i].value);
    }
    (void)snprintf(line + at, size - (size_t)at, "\n");
    return line;
}

/* Says what is different between the first line of the journal (n bytes, cut up here) and what is wanted now. */
static vipann_status
refuse_settings(const vip_journal *j, char *line, const vip_setting *settings, size_t n, vipann_error *error)
{
    const char *name = vip_text_tail(j->path, SHOWN);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, MAGIC, sizeof MAGIC - 1) != 0) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is no journal of vipann; choose another name for the output",
                        name);
    }
    const char *rest = line + sizeof MAGIC - 1;
    for (size_t i = 0; i < n; i++) {
        size_t key = strlen(settings[i].key);
        bool same = rest[0] == '\t' && strncmp(rest + 1, settings[i].key, key) == 0 && rest[1 + key] == '=';
        const char *before = same ? rest + key + 2 : rest;
        size_t length = same ? strcspn(before, "\t") : 0;
        if (!same || strlen(settings[i].value) != length || strncmp(before, settings[i].value, length) != 0) {
            return vip_fail(error, VIPANN_E_ARG,
                            "%s: begun with other settings: %s was \"%.*s\" and is now \"%s\"; give the same ones, or "
                            "another output",
                            name, settings[i].key, (int)(length < 80 ? length : 80), before, settings[i].value);
        }
        rest = before + length;
    }
    return vip_fail(error, VIPANN_E_ARG, "%s: begun by another version of vipann; choose another name for the output",
                    name);
}

/* ---------------------------------------------------------------------------------------------------- the file */

static vipann_status
refuse_file(const vip_journal *j, const char *what, vipann_error *error)
{
    return vip_fail(error, VIPANN_E_IO, "%s: %s: %s", vip_text_tail(j->path, SHOWN), what, strerror(errno));
}

static vipann_status
open_locked(vip_journal *j, vipann_error *error)
{
    struct stat facts;
    int fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    j->in = fd >= 0 ? fdopen(fd, "r+") : NULL;
    if (j->in == NULL) {
        vipann_status status = refuse_file(j, "cannot be opened", error);
        if (fd >= 0) {
            (void)close(fd);
        }
        return status;
    }
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return vip_fail(error, VIPANN_E_IO, "%s: is no file that can be gone on with; --resume needs one",
                        vip_text_tail(j->path, SHOWN));
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) != 0) {
        if (errno == EACCES || errno == EAGAIN) {
            return vip_fail(error, VIPANN_E_BUSY,
                            "%s: another vipann is at work on this output; wait, or choose another",
                            vip_text_tail(j->path, SHOWN));
        }
        return refuse_file(j, "cannot be locked", error);
    }
    return VIPANN_OK;
}

/* Puts bytes behind the last whole line; on failure takes away what was written of them. */
static vipann_status
append(vip_journal *j, const char *bytes, vipann_error *error)
{
    int fd = fileno(j->in);
    size_t n = strlen(bytes);
    if (lseek(fd, (off_t)j->size, SEEK_SET) < 0 || !vip_write_all(fd, bytes, n)) {
        vipann_status status = refuse_file(j, "cannot be written", error);
        (void)!ftruncate(fd, (off_t)j->size);
        return status;
    }
    j->size += n;
    return VIPANN_OK;
}

/* Reads what is there and cuts off a line that was not finished. */
static vipann_status
read_all(vip_journal *j, const vip_setting *settings, size_t n_settings, vipann_error *error)
{
    char *wanted = write_settings(settings, n_settings), *line = NULL;
    size_t room = 0;
    vipann_status status = VIPANN_OK;
    if (wanted == NULL) {
        return vip_fail_memory(error, "the journal");
    }
    ssize_t n = getline(&line, &room, j->in);
    if (n > 0 && line[n - 1] == '\n' && strcmp(line, wanted) != 0) {
        status = refuse_settings(j, line, settings, n_settings, error);
    } else if (n > 0 && line[n - 1] != '\n' && strncmp(line, wanted, (size_t)n) != 0) {
        status = vip_fail(error, VIPANN_E_FORMAT, "%s: is no journal of vipann; choose another name for the output",
                          vip_text_tail(j->path, SHOWN));
    } else if (n <= 0 || line[n - 1] != '\n') {
        j->begun_now = true;
        status =
            ftruncate(fileno(j->in), 0) == 0 ? append(j, wanted, error) : refuse_file(j, "cannot be written", error);
        if (status == VIPANN_OK && fsync(fileno(j->in)) != 0) {
            status = refuse_file(j, "cannot be written", error);
        }
        j->first = j->size;
    } else {
        entry e;
        j->first = j->size = (uint64_t)n;
        while ((n = getline(&line, &room, j->in)) > 0) {
            const uint64_t bytes = (uint64_t)n;
            if (!read_entry(line, (size_t)n, &e) || e.end < j->end) {
                break;
            }
            j->size += bytes;
            j->end = e.end;
            j->finished++;
        }
        if (ferror(j->in) || ftruncate(fileno(j->in), (off_t)j->size) != 0) {
            status = refuse_file(j, "cannot be read", error);
        }
    }
    free(line); /* getline's own */
    vip_free(wanted);
    return status;
}

vip_journal *
vip_journal_open(const char *path, const vip_setting *settings, size_t n, vipann_error *error)
{
    vip_journal *j = vip_alloc(1, sizeof *j);
    if (j == NULL || (j->path = vip_copy_string(path)) == NULL) {
        (void)vip_fail_memory(error, "the journal");
        vip_journal_close(j);
        return NULL;
    }
    if (open_locked(j, error) != VIPANN_OK || read_all(j, settings, n, error) != VIPANN_OK) {
        vip_journal_close(j);
        return NULL;
    }
    return j;
}

void
vip_journal_close(vip_journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->in != NULL) {
        (void)fclose(journal->in);
    }
    vip_free(journal->path);
    vip_free(journal);
}

bool
vip_journal_is_new(const vip_journal *journal)
{
    return journal->finished == 0;
}

bool
vip_journal_was_begun_now(const vip_journal *journal)
{
    return journal->begun_now;
}

uint64_t
vip_journal_end(const vip_journal *journal)
{
    return journal->end;
}

/* --------------------------------------------------------------------------------------------------- recordings */

/* Marks the first path of that name that is not marked yet; order is sorted by path. */
static bool
mark(const vip_paths *paths, const size_t *order, const char *path, bool *done)
{
    size_t from = 0, to = paths->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(paths->all[order[middle]].path, path) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    for (; from < paths->n && strcmp(paths->all[order[from]].path, path) == 0; from++) {
        if (!done[order[from]]) {
            done[order[from]] = true;
            return true;
        }
    }
    return false;
}

vipann_status
vip_journal_skip(vip_journal *journal, vip_paths *paths, size_t *failed, size_t *finished, vipann_error *error)
{
    size_t *order = vip_alloc(paths->n, sizeof *order), room = 0;
    bool *done = vip_alloc(paths->n, sizeof *done);
    vipann_status status = VIPANN_OK;
    char *line = NULL;
    entry e;
    *failed = 0;
    *finished = journal->finished;
    if (order == NULL || done == NULL) {
        status = vip_fail_memory(error, "the list of recordings");
    } else {
        vip_paths_sort(paths, false, order);
        (void)fseeko(journal->in, (off_t)journal->first, SEEK_SET);
        for (size_t i = 0; i < journal->finished; i++) {
            ssize_t n = getline(&line, &room, journal->in);
            if (n <= 0 || !read_entry(line, (size_t)n, &e)) {
                status = refuse_file(journal, "cannot be read again", error);
                break;
            }
            bool found = mark(paths, order, e.path, done);
            *failed += found && e.failed;
        }
        if (status == VIPANN_OK) {
            vip_paths_remove(paths, done);
        }
    }
    free(line);
    vip_free(order);
    vip_free(done);
    return status;
}

vipann_status
vip_journal_add(vip_journal *journal, const char *path, bool failed, uint64_t end, vipann_error *error)
{
    char *name = escape(path);
    size_t size = name != NULL ? strlen(name) + 40 : 0; /* 20 digits, the word, tabs and line break */
    char *line = name != NULL ? vip_alloc(size, 1) : NULL;
    vipann_status status;
    if (line == NULL) {
        status = vip_fail_memory(error, "the journal");
    } else {
        (void)snprintf(line, size, "%llu\t%s\t%s\n", (unsigned long long)end, failed ? "failed" : "ok", name);
        status = append(journal, line, error);
    }
    if (status == VIPANN_OK) {
        journal->end = end;
        journal->finished++;
    }
    vip_free(name);
    vip_free(line);
    return status;
}
