/* SPDX-License-Identifier: GPL-3.0-or-later */
/* case.h -- one case of the reference: its parameters, its tensors, and what was found when it was checked. */
#ifndef VIP_TESTS_VECTORS_CASE_H
#define VIP_TESTS_VECTORS_CASE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------------- the files */

enum { MAX_RANK = 4 };

typedef enum { TYPE_F32, TYPE_F64, TYPE_I64, TYPE_U32, TYPE_U8, N_TYPES } vector_type;

typedef struct {
    vector_type type;
    int rank;
    size_t shape[MAX_RANK]; /* outermost first */
    size_t n;               /* elements */
    const void *data;
} vector_tensor;

typedef struct {
    const char *folder; /* borrowed; models lie there too */
    unsigned char *bytes;
    size_t n_bytes;
    json_t *header;
    json_t *about; /* the case's parameters; NULL: the file is no case but a model */
    const unsigned char *data;
    size_t n_data;
} vector_case;

/* Reads folder/file. Returns NULL, or what is wrong with it. To be closed in any case. */
const char *case_open(vector_case *c, const char *folder, const char *file);
void case_close(vector_case *c);

/* Parameters: text ("" if there is none), number (a default if there is none), 64-bit number in hexadecimal. */
const char *case_text(const vector_case *c, const char *key);
double case_number(const vector_case *c, const char *key, double otherwise);
uint64_t case_seed(const vector_case *c);

/* True if the tensor is there, with bytes that fit its shape. */
bool case_tensor(const vector_case *c, const char *name, vector_tensor *tensor);

/* ------------------------------------------------------------------------------------------------------ the checks */

typedef struct {
    const char *name; /* of the case */
    size_t passed, failed, skipped;
} tally;

/* One line each. check: the name of what was checked; passed if error <= tolerance, so never for a NaN. */
void tally_error(tally *t, const char *check, double error, double tolerance);
void tally_exact(tally *t, const char *check, size_t wrong, size_t n);
void tally_skip(tally *t, const char *check, const char *reason);
__attribute__((format(printf, 3, 4))) void tally_fail(tally *t, const char *check, const char *format, ...);

/* The tensor of that type and number of elements, 0: any, or NULL after saying that it failed. */
const void *need(const vector_case *c, tally *t, const char *name, vector_type type, size_t n, vector_tensor *tensor);

/* Largest difference; NaN where only one of the two is NaN. magnitude: the largest one of want, and at least 1. */
double largest_difference(const float *got, const float *want, size_t n);
double magnitude(const float *want, size_t n);

/* How many representable numbers the two are apart. */
uint32_t ulps(float a, float b);

/* ---------------------------------------------------------------------------------------------- the kinds of cases */

void check_frontend(const vector_case *c, tally *t);
void check_filters(const vector_case *c, tally *t);
void check_keyed(const vector_case *c, tally *t);
void check_net(const vector_case *c, tally *t);
void check_dropout(const vector_case *c, tally *t);
void check_flipout(const vector_case *c, tally *t);
void check_meanfield(const vector_case *c, tally *t);
void check_moments(const vector_case *c, tally *t);
void check_stream(const vector_case *c, tally *t);

#endif /* VIP_TESTS_VECTORS_CASE_H */
