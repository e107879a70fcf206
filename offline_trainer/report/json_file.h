/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_file.h -- JSON from files that may be damaged: what is broken is named with its file and line. */
#ifndef VIP_TRAINER_JSON_FILE_H
#define VIP_TRAINER_JSON_FILE_H

#include <stddef.h>

#include <vipann/vipann.h>

struct json_t; /* jansson's */

/* A measured value with the interval that it lies in; what is not known is NaN. */
typedef struct {
    double value, low, high;
} vip_measure;

/* Reads values of one file. The first that is not what it should be fills *error; from then on everything is missing,
 * and status says why. Begin with {.file = path, .error = error}. */
typedef struct {
    const char *file;
    vipann_error *error;
    vipann_status status;
} vip_json_reader;

/* The whole text of a file with a zero behind it, to be freed with vip_free. *text is NULL, and that is no failure, if
 * there is no such file. Errors: E_IO, E_FORMAT (larger than such files are), E_MEMORY. */
vipann_status vip_text_read(const char *path, char **text, size_t *bytes, vipann_error *error);

/* *value = what the text says, to be freed with json_decref; NULL on failure. line: of the file, where the text begins,
 * from 1. Errors: E_FORMAT. */
vipann_status vip_json_text_read(const char *text, size_t bytes, const char *file, size_t line, struct json_t **value,
                                 vipann_error *error);

/* Members of an object, which may be NULL; a member that is null is missing. where: how messages call the object, such as
 * "calibrated.". Missing: NaN, NULL. */
double vip_json_get_number(vip_json_reader *reader, const struct json_t *object, const char *where, const char *key);
const char *vip_json_get_text(vip_json_reader *reader, const struct json_t *object, const char *where, const char *key);
struct json_t *vip_json_get_object(vip_json_reader *reader, const struct json_t *object, const char *where,
                                   const char *key);

/* Also refuses arrays of more than `most`. */
struct json_t *vip_json_get_array(vip_json_reader *reader, const struct json_t *object, const char *where,
                                  const char *key, size_t most);

/* A number, or an object {value, low, high}. */
vip_measure vip_json_get_measure(vip_json_reader *reader, const struct json_t *object, const char *where,
                                 const char *key);

/* Writes an array of n numbers, null becoming NaN, to out; another length is refused. */
void vip_json_get_numbers(vip_json_reader *reader, const struct json_t *array, const char *what, size_t n, double *out);

/* Fails with "file: what" unless something failed before. */
void vip_json_refuse(vip_json_reader *reader, const char *what, const char *found, const char *expected);

#endif /* VIP_TRAINER_JSON_FILE_H */
