/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pickle.c -- see pickle.h for the contract: the instructions of the machine (Python's pickletools.py describes them), of
 * which it knows those that PyTorch writes, in protocol 2. */
#include "pickle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "machine.h"

enum { PROTOCOL = 2 };

vipann_status
vip_machine_refuse(vip_machine *m, const char *format, ...)
{
    char text[sizeof m->error->text];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return vip_fail(m->error, VIPANN_E_FORMAT, "%.80s: byte %" PRIu64 ": %s", m->reader->source->name, m->place, text);
}

/* ------------------------------------------------------------------------------------------------------- the stack */

static vipann_status
push(vip_machine *m, vip_pickled value)
{
    return vip_machine_append(m, &m->stack, &value, 1, sizeof value, VIP_PICKLE_STACK, "values on the stack");
}

static vipann_status
push_kind(vip_machine *m, vip_value_kind kind, int64_t whole)
{
    return push(m, (vip_pickled){.kind = kind, .whole = whole});
}

/* i may be its height; NULL if it has never held anything. */
static vip_pickled *
stack_at(const vip_machine *m, size_t i)
{
    return m->stack.all == NULL ? NULL : (vip_pickled *)m->stack.all + i;
}

/* The top n values above the newest mark, at *first; they leave the stack, but can be read until the next push. */
static vipann_status
pop(vip_machine *m, size_t n, const vip_pickled **first)
{
    if (m->stack.n - m->mark < n) {
        return vip_machine_refuse(m, "an instruction needs %zu values, but there are fewer", n);
    }
    m->stack.n -= n;
    *first = stack_at(m, m->stack.n);
    return VIPANN_OK;
}

/* The value on top, which stays. */
static vipann_status
top(vip_machine *m, vip_pickled **value)
{
    if (m->stack.n == m->mark) {
        return vip_machine_refuse(m, "an instruction needs a value, but there is none");
    }
    *value = stack_at(m, m->stack.n - 1);
    return VIPANN_OK;
}

/* All *n values above the newest mark, which goes with them. */
static vipann_status
pop_marked(vip_machine *m, size_t *n, const vip_pickled **first)
{
    if (m->mark == 0) {
        return vip_machine_refuse(m, "an instruction needs a mark, but there is none");
    }
    *n = m->stack.n - (size_t)m->mark;
    *first = stack_at(m, (size_t)m->mark);
    m->stack.n = (size_t)m->mark - 1;
    m->mark = stack_at(m, m->stack.n)->at;
    return VIPANN_OK;
}

/* -------------------------------------------------------------------------------------------------- what they hold */

/* A number of `bytes` bytes (at most 8) behind the instruction, without sign. */
static vipann_status
take_number(vip_machine *m, int bytes, uint64_t *number)
{
    unsigned char digits[8] = {0};
    vipann_status status = vip_reader_take(m->reader, digits, (uint64_t)bytes, m->error);
    *number = vip_little_64(digits);
    return status;
}

static vipann_status
do_protocol(vip_machine *m, int argument)
{
    (void)argument;
    uint64_t protocol;
    vipann_status status = take_number(m, 1, &protocol);
    if (status == VIPANN_OK && protocol != PROTOCOL) {
        return vip_machine_refuse(m, "pickled with protocol %d, expected %d, which torch.save takes by itself",
                                  (int)protocol, PROTOCOL);
    }
    return status;
}

static vipann_status
do_stop(vip_machine *m, int argument)
{
    (void)argument;
    if (m->mark != 0 || m->stack.n != 1) {
        return vip_machine_refuse(m, "the pickle ends with %zu values, expected one", m->stack.n);
    }
    m->pickle->root = *stack_at(m, 0);
    m->stopped = true;
    return VIPANN_OK;
}

static vipann_status
do_mark(vip_machine *m, int argument)
{
    (void)argument;
    vipann_status status = push(m, (vip_pickled){.kind = VIP_VALUE_MARK, .at = m->mark});
    m->mark = status == VIPANN_OK ? m->stack.n : m->mark;
    return status;
}

static vipann_status
do_none(vip_machine *m, int argument)
{
    (void)argument;
    return push_kind(m, VIP_VALUE_NONE, 0);
}

static vipann_status
do_bool(vip_machine *m, int truth)
{
    return push_kind(m, VIP_VALUE_BOOL, truth);
}

static vipann_status
do_int(vip_machine *m, int bytes)
{
    uint64_t number;
    vipann_status status = take_number(m, bytes, &number);
    if (status != VIPANN_OK) {
        return status;
    }
    return push_kind(m, VIP_VALUE_INT, bytes == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number);
}

/* A number of any length in two's complement; of one that is longer than ours only that it is there is kept. */
static vipann_status
do_long(vip_machine *m, int argument)
{
    (void)argument;
    uint64_t bytes, number = 0;
    vipann_status status = take_number(m, 1, &bytes);
    if (status == VIPANN_OK && bytes > 8) {
        status = vip_reader_take(m->reader, NULL, bytes, m->error);
        return status == VIPANN_OK ? push_kind(m, VIP_VALUE_OPAQUE, 0) : status;
    }
    if (status == VIPANN_OK) {
        status = take_number(m, (int)bytes, &number);
    }
    if (status == VIPANN_OK && bytes > 0 && bytes < 8 && number >> (8 * bytes - 1) != 0) {
        number |= UINT64_MAX << 8 * bytes; /* its sign */
    }
    return status == VIPANN_OK ? push_kind(m, VIP_VALUE_INT, (int64_t)number) : status;
}

static vipann_status
do_float(vip_machine *m, int argument)
{
    (void)argument;
    vipann_status status = vip_reader_take(m->reader, NULL, 8, m->error);
    return status == VIPANN_OK ? push_kind(m, VIP_VALUE_FLOAT, 0) : status;
}

static vipann_status
do_string(vip_machine *m, int argument)
{
    (void)argument;
    char text[VIP_PICKLE_TEXT + 1];
    uint64_t bytes;
    vipann_status status = take_number(m, 4, &bytes);
    if (status != VIPANN_OK) {
        return status;
    }
    const bool is_long = bytes > VIP_PICKLE_TEXT;
    status = vip_reader_take(m->reader, is_long ? NULL : text, bytes, m->error);
    if (status == VIPANN_OK && (is_long || memchr(text, '\0', (size_t)bytes) != NULL)) {
        return push_kind(m, VIP_VALUE_OPAQUE, 0);
    }
    vip_pickled value = {.kind = VIP_VALUE_STRING, .n = (uint32_t)bytes, .at = m->pickle->texts.n};
    if (status == VIPANN_OK) {
        text[bytes] = '\0';
        status =
            vip_machine_append(m, &m->pickle->texts, text, (size_t)bytes + 1, 1, VIP_PICKLE_TEXTS, "bytes of strings");
    }
    return status == VIPANN_OK ? push(m, value) : status;
}

/* One line of at most VIP_PICKLE_NAME bytes. */
static vipann_status
take_line(vip_machine *m, char line[VIP_PICKLE_NAME + 1])
{
    for (size_t i = 0; i <= VIP_PICKLE_NAME; i++) {
        vipann_status status = vip_reader_take(m->reader, &line[i], 1, m->error);
        if (status != VIPANN_OK) {
            return status;
        }
        if (line[i] == '\n') {
            line[i] = '\0';
            return VIPANN_OK;
        }
    }
    return vip_machine_refuse(m, "the name of a function is longer than %d bytes; nothing was run", VIP_PICKLE_NAME);
}

static vipann_status
do_global(vip_machine *m, int argument)
{
    (void)argument;
    char module[VIP_PICKLE_NAME + 1], name[VIP_PICKLE_NAME + 1];
    vip_pickled value;
    vipann_status status = take_line(m, module);
    if (status == VIPANN_OK) {
        status = take_line(m, name);
    }
    if (status == VIPANN_OK) {
        status = vip_machine_global(m, module, name, &value);
    }
    return status == VIPANN_OK ? push(m, value) : status;
}

/* ----------------------------------------------------------------------------------------------------------- memory */

static vipann_status
do_put(vip_machine *m, int bytes)
{
    uint64_t place;
    vip_pickled *value = NULL;
    vipann_status status = take_number(m, bytes, &place);
    if (status == VIPANN_OK) {
        status = top(m, &value);
    }
    if (status == VIPANN_OK && place >= VIP_PICKLE_MEMO) {
        status = vip_machine_refuse(m, "remembers a value as number %" PRIu64 ", expected less than %d", place,
                                    VIP_PICKLE_MEMO);
    }
    const vip_pickled unset = {.kind = VIP_VALUE_UNSET};
    while (status == VIPANN_OK && m->memo.n <= place) {
        status = vip_machine_append(m, &m->memo, &unset, 1, sizeof unset, VIP_PICKLE_MEMO, "remembered values");
    }
    if (status == VIPANN_OK) {
        ((vip_pickled *)m->memo.all)[place] = *value;
    }
    return status;
}

static vipann_status
do_get(vip_machine *m, int bytes)
{
    uint64_t place;
    vipann_status status = take_number(m, bytes, &place);
    if (status != VIPANN_OK) {
        return status;
    }
    const vip_pickled *memo = m->memo.all;
    if (place >= m->memo.n || memo[place].kind == VIP_VALUE_UNSET) {
        return vip_machine_refuse(m, "wants value number %" PRIu64 ", which was not remembered", place);
    }
    return push(m, memo[place]);
}

/* ------------------------------------------------------------------------------------------------------- containers */

static vipann_status
do_owner(vip_machine *m, int kind)
{
    return push(m, (vip_pickled){.kind = (uint32_t)kind, .at = m->pickle->n_owners++});
}

static vipann_status
push_tuple(vip_machine *m, const vip_pickled *first, size_t n)
{
    if (n > VIP_PICKLE_TUPLE) {
        return push_kind(m, VIP_VALUE_OPAQUE, 0);
    }
    const vip_pickled value = {.kind = VIP_VALUE_TUPLE, .n = (uint32_t)n, .at = m->pickle->tuples.n};
    vipann_status status =
        vip_machine_append(m, &m->pickle->tuples, first, n, sizeof *first, VIP_PICKLE_TUPLES, "values in tuples");
    return status == VIPANN_OK ? push(m, value) : status;
}

static vipann_status
do_tuple(vip_machine *m, int n)
{
    const vip_pickled *first = NULL;
    vipann_status status = pop(m, (size_t)n, &first);
    return status == VIPANN_OK ? push_tuple(m, first, (size_t)n) : status;
}

static vipann_status
do_marked_tuple(vip_machine *m, int argument)
{
    (void)argument;
    size_t n = 0;
    const vip_pickled *first = NULL;
    vipann_status status = pop_marked(m, &n, &first);
    return status == VIPANN_OK ? push_tuple(m, first, n) : status;
}

/* Sets n / 2 keys to their values. */
static vipann_status
set_items(vip_machine *m, const vip_pickled *items, size_t n)
{
    vip_pickled *dict = NULL;
    vipann_status status = top(m, &dict);
    if (status == VIPANN_OK && dict->kind != VIP_VALUE_DICT && dict->kind != VIP_VALUE_OPAQUE) {
        return vip_machine_refuse(m, "sets items of something that is no dict");
    }
    if (status == VIPANN_OK && n % 2 != 0) {
        return vip_machine_refuse(m, "a key without a value");
    }
    for (size_t i = 0; i < n && status == VIPANN_OK && dict->kind == VIP_VALUE_DICT; i += 2) {
        const vip_pickled_entry entry = {.owner = dict->at, .key = items[i], .value = items[i + 1]};
        if (entry.key.kind == VIP_VALUE_STRING) { /* nothing else is ever looked for */
            status = vip_machine_append(m, &m->pickle->entries, &entry, 1, sizeof entry, VIP_PICKLE_ENTRIES,
                                        "entries of dicts");
        }
    }
    return status;
}

static vipann_status
append_items(vip_machine *m, const vip_pickled *items, size_t n)
{
    vip_pickled *list = NULL;
    vipann_status status = top(m, &list);
    if (status == VIPANN_OK && list->kind != VIP_VALUE_LIST && list->kind != VIP_VALUE_OPAQUE) {
        return vip_machine_refuse(m, "appends to something that is no list");
    }
    for (size_t i = 0; i < n && status == VIPANN_OK && m->lists && list->kind == VIP_VALUE_LIST; i++) {
        const vip_pickled_entry entry = {.owner = list->at, .value = items[i]};
        status =
            vip_machine_append(m, &m->pickle->entries, &entry, 1, sizeof entry, VIP_PICKLE_ENTRIES, "entries of lists");
    }
    return status;
}

static vipann_status
do_set(vip_machine *m, int n)
{
    const vip_pickled *items = NULL;
    vipann_status status = pop(m, (size_t)n, &items);
    return status == VIPANN_OK ? set_items(m, items, (size_t)n) : status;
}

static vipann_status
do_marked_set(vip_machine *m, int argument)
{
    (void)argument;
    size_t n = 0;
    const vip_pickled *items = NULL;
    vipann_status status = pop_marked(m, &n, &items);
    return status == VIPANN_OK ? set_items(m, items, n) : status;
}

static vipann_status
do_append(vip_machine *m, int n)
{
    const vip_pickled *items = NULL;
    vipann_status status = pop(m, (size_t)n, &items);
    return status == VIPANN_OK ? append_items(m, items, (size_t)n) : status;
}

static vipann_status
do_marked_append(vip_machine *m, int argument)
{
    (void)argument;
    size_t n = 0;
    const vip_pickled *items = NULL;
    vipann_status status = pop_marked(m, &n, &items);
    return status == VIPANN_OK ? append_items(m, items, n) : status;
}

/* ------------------------------------------------------------------------------------------------------------ calls */

static vipann_status
do_reduce(vip_machine *m, int argument)
{
    (void)argument;
    const vip_pickled *called = NULL;
    vip_pickled value;
    vipann_status status = pop(m, 2, &called);
    if (status == VIPANN_OK) {
        status = vip_machine_reduce(m, &called[0], &called[1], &value);
    }
    return status == VIPANN_OK ? push(m, value) : status;
}

/* The state of an object: a dict has none that matters, what is opaque stays so. */
static vipann_status
do_build(vip_machine *m, int argument)
{
    (void)argument;
    const vip_pickled *state = NULL;
    vip_pickled *object = NULL;
    vipann_status status = pop(m, 1, &state);
    if (status == VIPANN_OK) {
        status = top(m, &object);
    }
    if (status == VIPANN_OK && object->kind != VIP_VALUE_DICT && object->kind != VIP_VALUE_OPAQUE) {
        status = vip_machine_refuse(m, "gives a state to something that has none");
    }
    return status;
}

static vipann_status
do_persistent(vip_machine *m, int argument)
{
    (void)argument;
    const vip_pickled *id = NULL;
    vip_pickled value;
    vipann_status status = pop(m, 1, &id);
    if (status == VIPANN_OK) {
        status = vip_machine_persistent(m, id, &value);
    }
    return status == VIPANN_OK ? push(m, value) : status;
}

/* ----------------------------------------------------------------------------------------------------- instructions */

/* By their byte. */
static const struct {
    vipann_status (*run)(vip_machine *m, int argument);
    int argument;
} INSTRUCTIONS[256] = {
    [0x80] = {do_protocol, 0},
    ['.'] = {do_stop, 0},
    ['('] = {do_mark, 0},
    ['N'] = {do_none, 0},
    [0x88] = {do_bool, 1},
    [0x89] = {do_bool, 0},
    ['J'] = {do_int, 4},
    ['K'] = {do_int, 1},
    ['M'] = {do_int, 2},
    [0x8a] = {do_long, 0},
    ['G'] = {do_float, 0},
    ['X'] = {do_string, 0},
    ['q'] = {do_put, 1},
    ['r'] = {do_put, 4},
    ['h'] = {do_get, 1},
    ['j'] = {do_get, 4},
    ['}'] = {do_owner, VIP_VALUE_DICT},
    [']'] = {do_owner, VIP_VALUE_LIST},
    [')'] = {do_tuple, 0},
    [0x85] = {do_tuple, 1},
    [0x86] = {do_tuple, 2},
    [0x87] = {do_tuple, 3},
    ['t'] = {do_marked_tuple, 0},
    ['a'] = {do_append, 1},
    ['e'] = {do_marked_append, 0},
    ['s'] = {do_set, 2},
    ['u'] = {do_marked_set, 0},
    ['c'] = {do_global, 0},
    ['R'] = {do_reduce, 0},
    ['b'] = {do_build, 0},
    ['Q'] = {do_persistent, 0},
};

vipann_status
vip_pickle_read(vip_pickle *pickle, vip_reader *reader, bool lists, vipann_error *error)
{
    vip_machine m = {.pickle = pickle, .reader = reader, .lists = lists, .error = error};
    vipann_status status = VIPANN_OK;
    while (status == VIPANN_OK && !m.stopped) {
        unsigned char code = 0;
        m.place = vip_reader_place(reader);
        status = vip_reader_take(reader, &code, 1, error);
        if (status == VIPANN_OK && INSTRUCTIONS[code].run == NULL) {
            status = vip_machine_refuse(&m, "0x%02x is no instruction that PyTorch writes; nothing was run", code);
        } else if (status == VIPANN_OK) {
            status = INSTRUCTIONS[code].run(&m, INSTRUCTIONS[code].argument);
        }
    }
    vip_free(m.stack.all);
    vip_free(m.memo.all);
    return status;
}
