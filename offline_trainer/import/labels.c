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
#include <offline_trainer/data/table.h>

enum { MOST_BYTES = 1 << 20 /* of a file of labels */ };

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
add(vip_labels *labels, const char *path, size_t line, const char *label, vipann_error *error)
{
    if (!is_text(label)) {
        return vip_fail(error, VIPANN_E_FORMAT, "%.120s:%zu: bytes that are no text in UTF-8", path, line);
    }
    if (labels->n == VIP_MAX_CLASSES) {
        return vip_fail(error, VIPANN_E_FORMAT, "%.120s:%zu: more than %d labels", path, line, VIP_MAX_CLASSES);
    }
    for (size_t i = 0; i < labels->n; i++) {
        if (strcmp(labels->all[i], label) == 0) {
            return vip_fail(error, VIPANN_E_FORMAT, "%.120s:%zu: the label '%.60s' is there twice", path, line, label);
        }
    }
    labels->all[labels->n] = vip_copy_string(label);
    if (labels->all[labels->n] == NULL) {
        return vip_fail_memory(error, "labels");
    }
    labels->n++;
    return VIPANN_OK;
}

/* ----------------------------------------------------------------------------------------------------- lists, tables */

enum { INDEX, MID, DISPLAY_NAME, LABEL };
static const vip_column COLUMNS[] = {
    {"index", false}, {"mid", false}, {"display_name", false}, {"label", false}, {NULL, false}};

/* Whether the first line has a column of names; quotes do not matter. */
static bool
is_table(const char *text)
{
    const char *end = text + strcspn(text, "\r\n");
    while (text < end) {
        text += *text == '"';
        const size_t n = strcspn(text, ",\"\r\n");
        if ((n == 12 && strncmp(text, "display_name", n) == 0) || (n == 5 && strncmp(text, "label", n) == 0)) {
            return true;
        }
        text += strcspn(text, ",\r\n");
        text += *text == ',';
    }
    return false;
}

static vipann_status
read_table(vip_labels *labels, const char *path, const char *text, size_t n, vipann_error *error)
{
    vip_table *table = vip_table_parse(path, text, n, COLUMNS, error);
    vipann_status status = table == NULL ? error->status : VIPANN_OK;
    for (size_t i = 0; status == VIPANN_OK && i < table->n; i++) {
        const vip_table_row *row = &table->rows[i];
        const char *index = row->fields[INDEX];
        const char *label = row->fields[DISPLAY_NAME] != NULL ? row->fields[DISPLAY_NAME] : row->fields[LABEL];
        uint64_t number;
        if (index != NULL && (!vip_number_read_whole(index, &number) || number != labels->n)) {
            status = vip_fail(error, VIPANN_E_FORMAT, "%.120s:%zu: index is '%.40s', expected %zu", path, row->line,
                              index, labels->n);
        } else if (*label == '\0') {
            status = vip_fail(error, VIPANN_E_FORMAT, "%.120s:%zu: there is no label", path, row->line);
        } else {
            status = add(labels, path, row->line, label, error);
        }
    }
    vip_table_free(table);
    return status;
}

static vipann_status
read_list(vip_labels *labels, const char *path, char *text, vipann_error *error)
{
    vipann_status status = VIPANN_OK;
    for (size_t line = 1; status == VIPANN_OK && text != NULL; line++) {
        char *end = strchr(text, '\n');
        text[strcspn(text, "\r\n")] = '\0';
        if (*text != '\0') {
            status = add(labels, path, line, text, error);
        }
        text = end == NULL ? NULL : end + 1;
    }
    return status;
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
    static const char mark[] = "\xef\xbb\xbf"; /* some editors put it in front of UTF-8 */
    vipann_error unseen;
    char *text = NULL;
    size_t n = 0;
    error = error == NULL ? &unseen : error;
    vipann_status status = load(path, &text, &n, error);
    if (status == VIPANN_OK) {
        labels->all = vip_alloc(VIP_MAX_CLASSES, sizeof *labels->all);
        status = labels->all == NULL ? vip_fail_memory(error, "labels") : VIPANN_OK;
    }
    if (status == VIPANN_OK) {
        char *begin = text + (strncmp(text, mark, 3) == 0 ? 3 : 0);
        status = is_table(begin) ? read_table(labels, path, begin, n - (size_t)(begin - text), error)
                                 : read_list(labels, path, begin, error);
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
