/* SPDX-License-Identifier: GPL-3.0-or-later */
/* option_file.c -- see option_file.h for the contract. */
#include "option_file.h"

#include <errno.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "text.h"

enum { SHOWN_NAME = 100, SHOWN_TEXT = 44, WHERE = SHOWN_NAME + 96 };

/* A key that a line has said. */
typedef struct {
    const char *key;
    uint32_t line;
} saying;

typedef struct {
    const vip_command *command;
    const vip_option_keys *keys;
    size_t n_commands;
    const char *name;  /* of the file */
    uint32_t line;     /* from 1 */
    char *text;        /* [bytes + 1]: lines and values end with a zero as they are read */
    vip_value *values; /* [n_options] */
    saying *said;      /* [as many as there are keys] */
    size_t n_said;
    vipann_error *error;
} parser;

static const char BLANK[] = " \t";

static char *
skip_blank(char *text)
{
    return text + strspn(text, BLANK);
}

/* Cuts off what is blank at the end. */
static char *
trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANK, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

/* "night.conf:12", and ": KEY" if there is one, into out. */
static const char *
place(const parser *p, const char *key, char out[WHERE])
{
    (void)snprintf(out, WHERE, "%s:%u%s%s", vip_text_tail(p->name, SHOWN_NAME), (unsigned)p->line,
                   key != NULL ? ": " : "", key != NULL ? key : "");
    return out;
}

static vipann_status
refuse_line(const parser *p, const char *line)
{
    char where[WHERE], shown[SHOWN_TEXT];
    return vip_fail(p->error, VIPANN_E_FORMAT, "%s: found \"%s\"; expected KEY = VALUE", place(p, NULL, where),
                    vip_shown(shown, sizeof shown, line, strlen(line)));
}

/* ------------------------------------------------------------------------------------------------------------ keys */

/* Commands whose options are keys, the own one first. */
static const vip_command *
command_at(const parser *p, size_t i)
{
    return i == 0 ? p->command : p->keys->commands[i - 1].command;
}

static size_t
count_commands(const vip_option_keys *keys)
{
    size_t n = 1;
    while (keys->commands != NULL && keys->commands[n - 1].name != NULL) {
        n++;
    }
    return n;
}

static size_t
count_others(const vip_option_keys *keys)
{
    size_t n = 0;
    while (keys->others != NULL && keys->others[n] != NULL) {
        n++;
    }
    return n;
}

static size_t
count_keys(const parser *p)
{
    size_t n = count_others(p->keys);
    for (size_t i = 0; i < p->n_commands; i++) {
        n += command_at(p, i)->n_options;
    }
    return n;
}

/* Whether there is such a key, if not for this command. */
static bool
is_key(const parser *p, const char *key)
{
    for (size_t i = 0; i < p->n_commands; i++) {
        if (vip_option_find(command_at(p, i), key, strlen(key)) < command_at(p, i)->n_options) {
            return true;
        }
    }
    for (size_t i = 0; i < count_others(p->keys); i++) {
        if (strcmp(p->keys->others[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static vipann_status
refuse_key(const parser *p, const char *key)
{
    const char *nearest = NULL;
    char where[WHERE], shown[SHOWN_TEXT];
    size_t closest = SIZE_MAX;
    for (size_t i = 0; i < p->n_commands; i++) {
        const char *candidate = vip_option_nearest(command_at(p, i), key + strspn(key, "-"), &closest);
        nearest = candidate != NULL ? candidate : nearest;
    }
    (void)place(p, vip_shown(shown, sizeof shown, key, strlen(key)), where);
    if (nearest != NULL) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: unknown option; did you mean %s?", where, nearest);
    }
    return vip_fail(p->error, VIPANN_E_FORMAT, "%s: unknown option; \"%s --help\" lists all", where, p->command->name);
}

/* Keeps in mind that the key has been said. */
static vipann_status
remember(parser *p, const char *key)
{
    char where[WHERE];
    for (size_t i = 0; i < p->n_said; i++) {
        if (strcmp(p->said[i].key, key) == 0) {
            return vip_fail(p->error, VIPANN_E_FORMAT, "%s: is said already in line %u; keep one of them",
                            place(p, key, where), (unsigned)p->said[i].line);
        }
    }
    p->said[p->n_said++] = (saying){key, p->line}; /* fits: no key is in it twice */
    return VIPANN_OK;
}

/* ---------------------------------------------------------------------------------------------------------- values */

/* The value at the beginning of text, without quotes, comment and blanks; NULL: it has been refused. */
static const char *
cut_value(const parser *p, const char *key, char *text)
{
    char where[WHERE], shown[SHOWN_TEXT];
    text = skip_blank(text);
    if (*text != '"') {
        char *end = *text == '#' ? text : strstr(text, " #"), *tab = strstr(text, "\t#");
        end = end == NULL || (tab != NULL && tab < end) ? tab : end;
        if (end != NULL) {
            *end = '\0';
        }
        return trim(text);
    }
    char *end = strchr(text + 1, '"'), *rest = end != NULL ? skip_blank(end + 1) : NULL;
    if (rest == NULL || (*rest != '\0' && *rest != '#')) {
        (void)vip_fail(p->error, VIPANN_E_FORMAT, "%s: found %s; expected a second quote, and nothing behind it",
                       place(p, key, where), vip_shown(shown, sizeof shown, text, strlen(text)));
        return NULL;
    }
    *end = '\0';
    return text + 1;
}

static vipann_status
read_flag(const parser *p, const char *key, const char *text, vip_value *value)
{
    char where[WHERE];
    *value = (vip_value){.given = strcmp(text, "yes") == 0, .word = VIP_NO_WORD};
    if (!value->given && strcmp(text, "no") != 0) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: found \"%.40s\"; expected yes or no", place(p, key, where),
                        text);
    }
    return VIPANN_OK;
}

static vipann_status
read_setting(parser *p, const char *key, char *text)
{
    char where[WHERE];
    if (!is_key(p, key)) {
        return refuse_key(p, key);
    }
    if (remember(p, key) != VIPANN_OK) {
        return VIPANN_E_FORMAT;
    }
    const char *value = cut_value(p, key, text);
    if (value == NULL) {
        return VIPANN_E_FORMAT;
    }
    if (p->keys->option != NULL && strcmp(p->keys->option->name, key) == 0) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: found \"%.40s\"; expected no other file; write its lines here",
                        place(p, key, where), value);
    }
    size_t at = vip_option_find(p->command, key, strlen(key));
    if (at == p->command->n_options) {
        return VIPANN_OK; /* others will read it */
    }
    if (p->command->options[at]->kind == VIP_OPTION_FLAG) {
        return read_flag(p, key, value, &p->values[at]);
    }
    p->values[at].given = true;
    return vip_option_read(p->command->options[at], value, place(p, key, where), VIPANN_E_FORMAT, &p->values[at],
                           p->error);
}

/* ----------------------------------------------------------------------------------------------------------- lines */

static vipann_status
check_text(const parser *p, const char *text, size_t length)
{
    char where[WHERE];
    if (memchr(text, '\0', length) != NULL) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: has a byte of value 0; expected a text file",
                        place(p, NULL, where));
    }
    while (length > 0) {
        uint32_t code_point;
        size_t taken = vip_next_character(text, length, &code_point);
        if (code_point == VIP_NO_CHARACTER) {
            return vip_fail(p->error, VIPANN_E_FORMAT,
                            "%s: has bytes that are not UTF-8; expected a text file in UTF-8", place(p, NULL, where));
        }
        text += taken;
        length -= taken;
    }
    return VIPANN_OK;
}

static vipann_status
read_line(parser *p, char *line, size_t length)
{
    if (check_text(p, line, length) != VIPANN_OK) {
        return VIPANN_E_FORMAT;
    }
    length -= length > 0 && line[length - 1] == '\r';
    line[length] = '\0';
    line = skip_blank(line);
    if (*line == '\0' || *line == '#') {
        return VIPANN_OK;
    }
    char *equals = line + strcspn(line, "=#"); /* no name has a '#' in it */
    if (*equals != '=' || equals == line) {
        return refuse_line(p, trim(line));
    }
    *equals = '\0';
    return read_setting(p, trim(line), equals + 1);
}

static vipann_status
read_lines(parser *p, size_t bytes)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of byte order, which some editors write */
    vipann_status status = VIPANN_OK;
    char *text = p->text;
    if (bytes >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        bytes -= sizeof mark - 1;
    }
    while (bytes > 0 && status == VIPANN_OK) {
        const char *end = memchr(text, '\n', bytes);
        size_t length = end != NULL ? (size_t)(end - text) : bytes;
        size_t taken = end != NULL ? length + 1 : length;
        p->line++;
        status = read_line(p, text, length);
        text += taken;
        bytes -= taken;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ file */

vipann_status
vip_option_file_parse(vip_arguments *arguments, const vip_option_keys *keys, const char *name, const char *text,
                      size_t bytes, vipann_error *error)
{
    if (bytes > VIP_OPTION_FILE_BYTES) {
        return vip_fail(error, VIPANN_E_FORMAT, "%s: is larger than %d bytes; expected an option file",
                        vip_text_tail(name, SHOWN_NAME), (int)VIP_OPTION_FILE_BYTES);
    }
    const size_t n = arguments->command->n_options;
    parser p = {.command = arguments->command, .keys = keys, .name = name, .error = error};
    p.n_commands = count_commands(keys);
    vipann_status status = VIPANN_E_MEMORY;
    p.text = vip_alloc(bytes + 1, 1);
    p.values = vip_alloc(n, sizeof *p.values);
    p.said = vip_alloc(count_keys(&p), sizeof *p.said);
    if (p.text == NULL || p.values == NULL || p.said == NULL) {
        (void)vip_fail_memory(error, "an option file");
    } else {
        memcpy(p.text, text, bytes);
        status = read_lines(&p, bytes);
    }
    for (size_t i = 0; i < n && status == VIPANN_OK; i++) {
        if (p.values[i].given && !arguments->values[i].given) {
            arguments->values[i] = p.values[i];
        }
    }
    if (status == VIPANN_OK) {
        arguments->file = p.text;
        p.text = NULL;
    }
    vip_free(p.text);
    vip_free(p.values);
    vip_free(p.said);
    return status;
}

vipann_status
vip_option_file_read(vip_arguments *arguments, const vip_option_keys *keys, const char *path, vipann_error *error)
{
    enum { SIZE = VIP_OPTION_FILE_BYTES + 1 }; /* one more shows that there is too much */
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s; check the name", vip_text_tail(path, SHOWN_NAME),
                        strerror(errno));
    }
    char *text = vip_alloc(SIZE, 1);
    vipann_status status = VIPANN_E_MEMORY;
    if (text == NULL) {
        (void)vip_fail_memory(error, "an option file");
    } else {
        errno = 0;
        size_t bytes = fread(text, 1, SIZE, file);
        status = ferror(file) == 0 ? vip_option_file_parse(arguments, keys, path, text, bytes, error)
                                   : vip_fail(error, VIPANN_E_IO, "%s: cannot be read: %s; expected an option file",
                                              vip_text_tail(path, SHOWN_NAME), strerror(errno));
    }
    vip_free(text);
    (void)fclose(file);
    return status;
}
