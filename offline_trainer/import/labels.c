/* SPDX-License-Identifier: GPL-3.0-or-later */
/* labels.c -- see labels.h for the contract. */
#include "labels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>
#include <model/network.h>

enum { MOST_BYTES = 1 << 20 /* of a file of labels */, NO_COLUMN = -1 };

/* Where we are in the file. */
typedef struct {
    vip_labels *labels;
    const char *path;
    size_t line;       /* from 1 */
    int name, index;   /* columns of a table, or NO_COLUMN */
    bool table, begun; /* the first line has been looked at */
    vipann_error *error;
} list;

static vipann_status
refuse(const list *l, const char *what)
{
    return vip_fail(l->error, VIPANN_E_FORMAT, "%.120s: line %zu: %s", l->path, l->line, what);
}

static bool
is_text(const char *text)
{
    while (*text != '\0') {
        uint32_t character;
        text += vip_next_character(text, SIZE_MAX, &character);
        if (character == VIP_NO_CHARACTER || vip_is_control(character)) {
            return false;
        }
    }
    return true;
}

static vipann_status
add(list *l, const char *label)
{
    vip_labels *labels = l->labels;
    if (labels->n == VIP_MAX_CLASSES) {
        return vip_fail(l->error, VIPANN_E_FORMAT, "%.120s: line %zu: more than %d labels", l->path, l->line,
                        VIP_MAX_CLASSES);
    }
    for (size_t i = 0; i < labels->n; i++) {
        if (strcmp(labels->all[i], label) == 0) {
            return vip_fail(l->error, VIPANN_E_FORMAT, "%.120s: line %zu: the label '%.60s' is there twice", l->path,
                            l->line, label);
        }
    }
    labels->all[labels->n] = vip_copy_string(label);
    if (labels->all[labels->n] == NULL) {
        return vip_fail_memory(l->error, "labels");
    }
    labels->n++;
    return VIPANN_OK;
}

/* Cuts the first field off the rest of a line and takes its quotes away; false: a quote has no end, or something stands
 * behind it. *rest becomes NULL behind the last one. */
static bool
cut_field(char **rest, char **field)
{
    char *from = *rest, *to = *rest;
    *field = *rest;
    if (*from != '"') {
        char *comma = strchr(from, ',');
        *rest = comma == NULL ? NULL : comma + 1;
        if (comma != NULL) {
            *comma = '\0';
        }
        return true;
    }
    for (from++; *from != '\0' && (*from != '"' || from[1] == '"'); from++) {
        from += *from == '"'; /* two stand for one */
        *to++ = *from;
    }
    if (*from != '"' || (from[1] != ',' && from[1] != '\0')) {
        return false;
    }
    *rest = from[1] == ',' ? from + 2 : NULL;
    *to = '\0';
    return true;
}

/* The columns of a header; a line that names none of ours is no header. */
static vipann_status
read_header(list *l, char *line)
{
    char *copy = vip_copy_string(line), *rest = copy, *field;
    if (copy == NULL) {
        return vip_fail_memory(l->error, "labels");
    }
    for (int column = 0; rest != NULL && cut_field(&rest, &field); column++) {
        if (strcmp(field, "display_name") == 0 || strcmp(field, "label") == 0) {
            l->name = column;
        } else if (strcmp(field, "index") == 0) {
            l->index = column;
        }
    }
    l->begun = true;
    l->table = l->name != NO_COLUMN;
    vip_free(copy);
    return VIPANN_OK;
}

static vipann_status
read_row(list *l, char *line)
{
    char *rest = line, *field, *label = NULL;
    for (int column = 0; rest != NULL; column++) {
        if (!cut_field(&rest, &field)) {
            return refuse(l, "a quote without an end, or text behind one");
        }
        uint64_t index;
        if (column == l->index && (!vip_number_read_whole(field, &index) || index != l->labels->n)) {
            return vip_fail(l->error, VIPANN_E_FORMAT, "%.120s: line %zu: index is '%.40s', expected %zu", l->path,
                            l->line, field, l->labels->n);
        }
        label = column == l->name ? field : label;
    }
    if (label == NULL || *label == '\0') {
        return refuse(l, "there is no label");
    }
    return add(l, label);
}

static vipann_status
read_line(list *l, char *line)
{
    l->line++;
    line[strcspn(line, "\r")] = '\0';
    if (!is_text(line)) {
        return refuse(l, "bytes that are no text in UTF-8");
    }
    if (*line == '\0') {
        return VIPANN_OK;
    }
    if (!l->begun) {
        vipann_status status = read_header(l, line);
        if (status != VIPANN_OK || l->table) {
            return status;
        }
    }
    return l->table ? read_row(l, line) : add(l, line);
}

/* The text of the file with a zero behind it, to be freed with vip_free. */
static vipann_status
load(const char *path, char **text, size_t *n, vipann_error *error)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return vip_fail(error, VIPANN_E_IO, "%.160s: cannot be opened: %s", path, strerror(errno));
    }
    vipann_status status = VIPANN_OK;
    *text = vip_alloc(MOST_BYTES + 2, 1);
    *n = *text == NULL ? 0 : fread(*text, 1, MOST_BYTES + 1, file);
    if (*text == NULL) {
        status = vip_fail_memory(error, "labels");
    } else if (ferror(file) != 0) {
        status = vip_fail(error, VIPANN_E_IO, "%.160s: cannot be read: %s", path, strerror(errno));
    } else if (*n > MOST_BYTES || memchr(*text, '\0', *n) != NULL) {
        status = vip_fail(error, VIPANN_E_FORMAT, "%.160s: is no list of labels: %s", path,
                          *n > MOST_BYTES ? "more than a megabyte" : "a zero byte is in it");
    }
    (void)fclose(file);
    return status;
}

vipann_status
vip_labels_read(vip_labels *labels, const char *path, vipann_error *error)
{
    list l = {.labels = labels, .path = path, .name = NO_COLUMN, .index = NO_COLUMN, .error = error};
    char *text = NULL;
    size_t n = 0;
    vipann_status status = load(path, &text, &n, error);
    if (status == VIPANN_OK) {
        labels->all = vip_alloc(VIP_MAX_CLASSES, sizeof *labels->all);
        status = labels->all == NULL ? vip_fail_memory(error, "labels") : VIPANN_OK;
    }
    char *line = text;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        line += 3; /* the mark that some editors put in front of UTF-8 */
    }
    while (status == VIPANN_OK && line != NULL) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        status = read_line(&l, line);
        line = end == NULL ? NULL : end + 1;
    }
    vip_free(text);
    if (status == VIPANN_OK && labels->n == 0) {
        status = vip_fail(error, VIPANN_E_FORMAT, "%.160s: has no label; expected one in each line", path);
    }
    return status;
}

vipann_status
vip_labels_of_audioset(vip_labels *labels, vipann_error *error)
{
    labels->all = vip_alloc(VIP_AUDIOSET_CLASSES, sizeof *labels->all);
    bool complete = labels->all != NULL;
    while (complete && labels->n < VIP_AUDIOSET_CLASSES) {
        labels->all[labels->n] = vip_copy_string(VIP_AUDIOSET_LABELS[labels->n]);
        complete = labels->all[labels->n] != NULL;
        labels->n += complete;
    }
    return complete ? VIPANN_OK : vip_fail_memory(error, "labels");
}

void
vip_labels_free(vip_labels *labels)
{
    for (size_t i = 0; i < labels->n; i++) {
        vip_free(labels->all[i]);
    }
    vip_free(labels->all);
    *labels = (vip_labels){0};
}
