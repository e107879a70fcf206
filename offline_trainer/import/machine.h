/* SPDX-License-Identifier: GPL-3.0-or-later */
/* machine.h -- inside the reader of pickles: what the machine has while it runs, and what calls mean. */
#ifndef VIP_TRAINER_IMPORT_MACHINE_H
#define VIP_TRAINER_IMPORT_MACHINE_H

#include "pickle.h"

/* What the machine has while it runs. */
typedef struct {
    vip_pickle *pickle;
    vip_reader *reader;
    bool lists;
    uint64_t place; /* of the instruction's byte */
    vip_pickled_array stack, memo;
    uint64_t mark; /* the place on the stack behind the last mark; 0: there is none */
    bool stopped;
    vipann_error *error;
} vip_machine;

/* Fills the error with the byte and what is wrong there. */
__attribute__((format(printf, 2, 3))) vipann_status vip_machine_refuse(vip_machine *machine, const char *format, ...);

/* Appends `size` bytes `n` times; what names the limit in the refusal. */
vipann_status vip_machine_append(vip_machine *machine, vip_pickled_array *array, const void *items, size_t n,
                                 size_t size, size_t most, const char *what);

/* The values of a tuple, NULL if it has none. */
const vip_pickled *vip_machine_tuple(const vip_machine *machine, const vip_pickled *tuple);

/* What a name stands for. */
vipann_status vip_machine_global(vip_machine *machine, const char *module, const char *name, vip_pickled *value);

/* *value = what calling `function` with the tuple of arguments means. */
vipann_status vip_machine_reduce(vip_machine *machine, const vip_pickled *function, const vip_pickled *arguments,
                                 vip_pickled *value);

/* *value = the storage of a persistent id. */
vipann_status vip_machine_persistent(vip_machine *machine, const vip_pickled *id, vip_pickled *value);

#endif /* VIP_TRAINER_IMPORT_MACHINE_H */
