/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.h -- reads a table in CSV (RFC 4180) whose columns have names. */
#ifndef VIP_TRAINER_TABLE_H
#define VIP_TRAINER_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <vipann/vipann.h>

enum { VIP_TABLE_COLUMNS = 16 };

typedef struct {
    const char *name;
    bool required;
} vip_column;

typedef struct {
    size_t line; /* where it begins, 1 is the header's */
    const char
        *fields[VIP_TABLE_COLUMNS]; /* in the order of the columns asked for; NULL: the table has no such column */
} vip_table_row;

typedef struct {
    char *text; /* what the fields point into */
    size_t n;
    vip_table_row *rows;
} vip_table;

/* Reads text of that many bytes with a header that has the columns in any order and no others; columns ends with a NULL
 * name and has at most VIP_TABLE_COLUMNS. Lines may end as on Windows; a byte order mark is passed over; empty lines are no
 * rows. Errors, one line that begins with NAME:LINE: E_FORMAT (an unknown, missing or double column, a row of another
 * length, quotes that do not close or do not stand alone, a zero byte), E_MEMORY. */
vip_table *vip_table_parse(const char *name, const char *text, size_t bytes, const vip_column *columns,
                           vipann_error *error);
void vip_table_free(vip_table *table);

#endif /* VIP_TRAINER_TABLE_H */
