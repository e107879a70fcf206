/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pickle.h -- reads what Python has pickled, and runs nothing of it.
 *
 * A pickle is a program for a stack machine that can call whatever Python can import. This machine knows only what
 * PyTorch writes into a checkpoint: plain values, dicts, and tensors as where they lie in which storage. Names of
 * functions are compared with a short list and never looked up; any other name, and any other instruction, refuses the
 * file with its byte. What the machine keeps is limited whatever the file says. */
#ifndef VIP_TRAINER_IMPORT_PICKLE_H
#define VIP_TRAINER_IMPORT_PICKLE_H

#include <stdbool.h>

#include "source.h"

/* All limits are far above what a checkpoint of these networks needs, with the state of its training. */
enum {
    VIP_PICKLE_STACK = 1 << 16,   /* values that wait */
    VIP_PICKLE_MEMO = 1 << 20,    /* values that are remembered */
    VIP_PICKLE_TEXT = 255,        /* bytes of a string; of a longer one only that it is there is kept */
    VIP_PICKLE_TEXTS = 1 << 24,   /* bytes of all strings */
    VIP_PICKLE_TUPLE = 16,        /* values of a tuple, likewise */
    VIP_PICKLE_TUPLES = 1 << 20,  /* values of all tuples */
    VIP_PICKLE_ENTRIES = 1 << 18, /* of all dicts */
    VIP_PICKLE_TENSORS = 1 << 14, /* tensors; storages likewise */
    VIP_PICKLE_RANK = 8,
    VIP_PICKLE_NAME = 64 /* bytes of the name of a function, and of its module */
};

typedef enum {
    VIP_VALUE_UNSET, /* nothing at all */
    VIP_VALUE_MARK,  /* on the stack only */
    VIP_VALUE_NONE,
    VIP_VALUE_BOOL, /* whole */
    VIP_VALUE_INT,  /* whole */
    VIP_VALUE_FLOAT,
    VIP_VALUE_STRING, /* at: in texts, n bytes and a zero; no other zero in it */
    VIP_VALUE_TUPLE,  /* at: in tuples, n values */
    VIP_VALUE_LIST,   /* at: its number, as owner of entries */
    VIP_VALUE_DICT,   /* likewise */
    VIP_VALUE_GLOBAL, /* at: a vip_global */
    VIP_VALUE_STORAGE,
    VIP_VALUE_TENSOR, /* at: in storages, tensors */
    VIP_VALUE_OPAQUE  /* something that is none of our business */
} vip_value_kind;

typedef struct {
    uint32_t kind; /* a vip_value_kind */
    uint32_t n;
    union {
        int64_t whole;
        uint64_t at;
    };
} vip_pickled;

/* Types of storages; the ones behind VIP_ELEMENT_BFLOAT are no weights. */
typedef enum {
    VIP_ELEMENT_FLOAT,
    VIP_ELEMENT_DOUBLE,
    VIP_ELEMENT_HALF,
    VIP_ELEMENT_BFLOAT,
    VIP_ELEMENT_LONG,
    VIP_ELEMENT_INT,
    VIP_ELEMENT_SHORT,
    VIP_ELEMENT_CHAR,
    VIP_ELEMENT_BYTE,
    VIP_ELEMENT_BOOL,
    VIP_N_ELEMENTS
} vip_element;

/* "FloatStorage", and the bytes of one element. */
const char *vip_element_name(vip_element element);
size_t vip_element_bytes(vip_element element);

/* What the names of functions stand for: the storages, by element, and these. */
typedef enum {
    VIP_GLOBAL_ORDERED_DICT = VIP_N_ELEMENTS,
    VIP_GLOBAL_REBUILD_TENSOR,
    VIP_GLOBAL_REBUILD_PARAMETER,
    VIP_GLOBAL_OPAQUE
} vip_global;

typedef struct {
    uint64_t key; /* in texts: under which name the container has it */
    vip_element element;
    uint64_t n; /* elements */
} vip_pickled_storage;

/* Every element lies within the storage, and shape's product does not overflow. */
typedef struct {
    uint32_t storage;
    uint32_t rank;
    uint64_t offset, n; /* elements */
    uint64_t shape[VIP_PICKLE_RANK], stride[VIP_PICKLE_RANK];
} vip_pickled_tensor;

/* A key and its value in a dict, or (without key) a value in a list; the key is a string. */
typedef struct {
    uint64_t owner;
    vip_pickled key, value;
} vip_pickled_entry;

/* An array that grows. */
typedef struct {
    void *all;
    size_t n, room;
} vip_pickled_array;

/* Begin with {0}. Several pickles may be read into one; what was there stays. */
typedef struct {
    vip_pickled root;          /* of the pickle read last */
    vip_pickled_array texts;   /* of char */
    vip_pickled_array tuples;  /* of vip_pickled */
    vip_pickled_array entries; /* of vip_pickled_entry, in the order in which they were set */
    vip_pickled_array storages, tensors;
    uint64_t n_owners;
} vip_pickle;

/* Runs the machine from the reader's next byte on until the pickle ends. lists: entries of lists are kept too.
 * Errors: E_FORMAT (with the byte in the file), E_IO, E_MEMORY. */
vipann_status vip_pickle_read(vip_pickle *pickle, vip_reader *reader, bool lists, vipann_error *error);

void vip_pickle_free(vip_pickle *pickle);

/* The text of a string, "" of any other value. */
const char *vip_pickle_text(const vip_pickle *pickle, const vip_pickled *value);

const vip_pickled_storage *vip_pickle_storage(const vip_pickle *pickle, size_t i);
const vip_pickled_tensor *vip_pickle_tensor(const vip_pickle *pickle, size_t i);
const vip_pickled_entry *vip_pickle_entry(const vip_pickle *pickle, size_t i);

/* What a dict has under that name, of several the last one; NULL: nothing, or it is no dict. */
const vip_pickled *vip_pickle_lookup(const vip_pickle *pickle, const vip_pickled *dict, const char *name);

#endif /* VIP_TRAINER_IMPORT_PICKLE_H */
