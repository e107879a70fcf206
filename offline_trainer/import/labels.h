/* SPDX-License-Identifier: GPL-3.0-or-later */
/* labels.h -- the names of classes, from a file or those of AudioSet. */
#ifndef VIP_TRAINER_IMPORT_LABELS_H
#define VIP_TRAINER_IMPORT_LABELS_H

#include <stddef.h>

#include <vipann/vipann.h>

enum { VIP_AUDIOSET_CLASSES = 527 };

/* The classes of AudioSet in the order of the published networks' outputs (display names of its
 * class_labels_indices.csv; Gemmeke et al. 2017, CC BY 4.0). */
extern const char *const VIP_AUDIOSET_LABELS[VIP_AUDIOSET_CLASSES];

/* Begin with {0}. */
typedef struct {
    char **all; /* [n] */
    size_t n;
} vip_labels;

/* Reads a text file, UTF-8: one label in each line, or a table whose header names a column display_name or label (fields
 * may stand in quotes as in RFC 4180; of a column index the numbers must count from 0). Empty lines are passed over. No
 * label may be there twice. Freed with vip_labels_free, also after a failure.
 * Errors: E_IO, E_FORMAT (with the line), E_MEMORY. */
vipann_status vip_labels_read(vip_labels *labels, const char *path, vipann_error *error);

/* Copies of AudioSet's. Errors: E_MEMORY. */
vipann_status vip_labels_of_audioset(vip_labels *labels, vipann_error *error);

void vip_labels_free(vip_labels *labels);

#endif /* VIP_TRAINER_IMPORT_LABELS_H */
