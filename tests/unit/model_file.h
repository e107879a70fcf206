/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_file.h -- files of small random models, good ones and broken ones: for the tests of model/. */
#ifndef TESTS_UNIT_MODEL_FILE_H
#define TESTS_UNIT_MODEL_FILE_H

#include <model/model.h>

/* For cmocka's group functions: a folder of its own, which must hold no more than model_path at the end. */
int make_model_folder(void **state);
int remove_model_folder(void **state);

/* "tiny.safetensors" in that folder, and how many files there are. */
const char *model_path(void);
const char *model_folder(void);
int files_in_folder(void);

/* A file in memory; bytes are to be freed with free. */
typedef struct {
    unsigned char *bytes;
    size_t n;
} image;

void image_append(image *to, const void *bytes, size_t n);
image image_load(const char *name);

/* The length of a file's header, which begins at byte 8. */
size_t header_length(const image *file);

/* Where the data of a tensor begins. */
size_t tensor_place(const image *file, const char *tensor);

/* A ResNet-22 of width 1 with 4 classes; an ensemble has 3 members. */
vip_model *tiny_file_model(vipann_posterior posterior);

/* The file of such a model, which is left at model_path. */
image tiny_file(vipann_posterior posterior);

/* Copies the file with the first `from` in its header replaced by `to`, and the header's length with it. */
image edited(const image *file, const char *from, const char *to);

/* Asserts that the file is refused with that message. */
void expect_refusal(const image *file, vipann_status status, const char *message);

/* A row of a table of broken files: its header's first `from` becomes `to`, and one rule is broken. */
typedef struct {
    const char *from, *to, *message;
} broken_header;

void expect_refusals(const image *file, const broken_header *broken, size_t n);

/* The same: the tensor's number 3 (from 0) becomes another. */
typedef struct {
    const char *tensor;
    float number;
    const char *message;
} broken_number;

void expect_refusals_of_numbers(const image *file, const broken_number *broken, size_t n);

/* From now on, or no longer, the failing allocator is asked in jansson's name too. No JSON may live across a change. */
void let_json_fail(bool fails);

/* Parses the file (NULL: reads the one at model_path) with the n-th allocation failing, for n = 0, 1 .. dense and then in
 * steps, until none does; asserts that memory is what every failure names. Returns the n after the last one tried. */
long expect_memory_errors(const image *file, long dense, long step);

/* Asserts that there are the same tensors in both; half: those of layers in the first are rounded. */
void compare_tensors(const vip_model *read, const vip_model *written, bool half);

#endif /* TESTS_UNIT_MODEL_FILE_H */
