/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rule_file.c -- reads rule files; see rules.h and vipann.h for the contract, README.md of this folder for the syntax. */
#include "rules.h"

#include <base/memory.h>
#include <base/status.h>
#include <base/words.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LONGEST_LINE = 4096,    /* bytes, without its end */
    LARGEST_FILE = 1 << 20, /* bytes */
    SHOWN_NAME = 112,       /* bytes of a message: of a long path the end is shown */
    WHERE = SHOWN_NAME + 16
};

typedef struct {
    vipann_rules *rules; /* what will be said if all goes well */
    const char *name;
    uint32_t line;                     /* from 1 */
    uint32_t class_index;              /* of the section; VIP_NO_CLASS: before the first */
    uint32_t (*lines)[VIPANN_N_RULES]; /* [classes + 1]: where each key was said, the last row for all; 0: nowhere */
    char where[WHERE];                 /* "night.conf:12" */
    vipann_error *error;
} parser;

static const char BLANK[] = " \t";

static const char *
skip_blank(const char *text)
{
    return text + strspn(text, BLANK);
}

/* Nothing but a comment. */
static bool
is_over(const char *text)
{
    text = skip_blank(text);
    return *text == '\0' || *text == '#';
}

static const char *
shown_name(char out[SHOWN_NAME], const char *path)
{
    static const char mark[] = "...";
    size_t length = strlen(path), most = SHOWN_NAME - sizeof mark;
    if (length <= most) {
        return vip_shown(out, SHOWN_NAME, path, length);
    }
    const char *end = path + length - most;
    while (((unsigned char)*end & 0xc0) == 0x80) { /* whole characters */
        end++;
    }
    memcpy(out, mark, sizeof mark);
    (void)vip_shown(out + sizeof mark - 1, SHOWN_NAME - (sizeof mark - 1), end, strlen(end));
    return out;
}

/* ----------------------------------------------------------------------------------------------------------- lines */

/* The text between quotes at `from`, without its escapes, into label; NULL: there is none. Returns what follows. */
static const char *
read_quoted(const char *from, char label[LONGEST_LINE + 1])
{
    size_t n = 0;
    if (*from++ != '"') {
        return NULL;
    }
    for (; *from != '"'; from++) {
        if (*from == '\\' && from[1] != '"' && from[1] != '\\') {
            return NULL;
        }
        from += *from == '\\' ? 1 : 0;
        if (*from == '\0') {
            return NULL;
        }
        label[n++] = *from;
    }
    label[n] = '\0';
    return from + 1;
}

static vipann_status
read_section(parser *p, const char *line)
{
    static const char word[] = "class";
    char label[LONGEST_LINE + 1], shown[64];
    const char *at = skip_blank(line + 1);
    bool begins = strncmp(at, word, sizeof word - 1) == 0;
    at = begins ? read_quoted(skip_blank(at + sizeof word - 1), label) : NULL;
    at = at != NULL ? skip_blank(at) : NULL;
    if (at == NULL || *at != ']' || !is_over(at + 1)) {
        return vip_fail(
            p->error, VIPANN_E_FORMAT,
            "%s: section %s; expected [class \"NAME\"], with \\\" and \\\\ for quotes and backslashes in it", p->where,
            vip_shown(shown, sizeof shown, line, strlen(line)));
    }
    p->class_index = vip_rules_find(p->rules, label, p->where, VIPANN_E_FORMAT, p->error);
    return p->class_index != VIP_NO_CLASS ? VIPANN_OK : VIPANN_E_FORMAT;
}

/* Cuts what is blank off both ends. */
static const char *
trim(char *text)
{
    text += strspn(text, BLANK);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANK, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

static vipann_status
read_setting(parser *p, char *line)
{
    char shown[64];
    line[strcspn(line, "#")] = '\0';
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        const char *found = trim(line);
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: found \"%s\"; expected KEY = VALUE or [class \"NAME\"]",
                        p->where, vip_shown(shown, sizeof shown, found, strlen(found)));
    }
    *equals = '\0';
    const char *name = trim(line), *value = trim(equals + 1);
    vipann_rule_key key = vip_rule_find(name, p->where, VIPANN_E_FORMAT, p->error);
    if (key == VIPANN_N_RULES) {
        return VIPANN_E_FORMAT;
    }
    uint32_t row = p->class_index != VIP_NO_CLASS ? p->class_index : vip_rules_classes(p->rules);
    if (p->lines[row][key] != 0) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: %s is said already in line %u; keep one of them", p->where,
                        name, (unsigned)p->lines[row][key]);
    }
    p->lines[row][key] = p->line;
    return vip_rules_say(p->rules, p->class_index, key, value, p->where, VIPANN_E_FORMAT, p->error);
}

static vipann_status
read_line(parser *p, const char *text, size_t length)
{
    char line[LONGEST_LINE + 1];
    if (length > 0 && text[length - 1] == '\r') {
        length--;
    }
    if (length > LONGEST_LINE) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: the line has %zu bytes; expected at most %d", p->where, length,
                        (int)LONGEST_LINE);
    }
    if (memchr(text, '\0', length) != NULL) {
        return vip_fail(p->error, VIPANN_E_FORMAT, "%s: has a byte of value 0; expected a text file", p->where);
    }
    memcpy(line, text, length);
    line[length] = '\0';
    if (is_over(line)) {
        return VIPANN_OK;
    }
    const char *begin = skip_blank(line);
    return *begin == '[' ? read_section(p, begin) : read_setting(p, line);
}

static vipann_status
read_lines(parser *p, const char *text, size_t bytes)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of byte order, which some editors write */
    char name[SHOWN_NAME];
    vipann_status status = VIPANN_OK;
    (void)shown_name(name, p->name);
    if (bytes >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) {
        text += sizeof mark - 1;
        bytes -= sizeof mark - 1;
    }
    while (bytes > 0 && status == VIPANN_OK) {
        const char *end = memchr(text, '\n', bytes);
        size_t length = end != NULL ? (size_t)(end - text) : bytes;
        size_t taken = end != NULL ? length + 1 : length;
        p->line++;
        (void)snprintf(p->where, sizeof p->where, "%s:%u", name, (unsigned)p->line);
        status = read_line(p, text, length);
        text += taken;
        bytes -= taken;
    }
    return status;
}

static vipann_status
refuse_size(const char *name, vipann_error *error)
{
    char shown[SHOWN_NAME];
    return vip_fail(error, VIPANN_E_FORMAT, "%s: is larger than %d bytes; expected a rule file",
                    shown_name(shown, name), (int)LARGEST_FILE);
}

vipann_status
vip_rules_parse(vipann_rules *rules, const char *name, const char *text, size_t bytes, vipann_error *error)
{
    if (bytes > LARGEST_FILE) {
        return refuse_size(name, error);
    }
    parser p = {.rules = vip_rules_copy(rules), .name = name, .class_index = VIP_NO_CLASS, .error = error};
    p.lines = vip_alloc((size_t)vip_rules_classes(rules) + 1, sizeof *p.lines);
    vipann_status status = VIPANN_E_MEMORY;
    if (p.rules == NULL || p.lines == NULL) {
        (void)vip_fail_memory(error, "the rules of events");
    } else {
        status = read_lines(&p, text, bytes);
    }
    if (status == VIPANN_OK) {
        vip_rules_swap(rules, p.rules);
    }
    vipann_rules_free(p.rules);
    vip_free(p.lines);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ file */

/* Opens what can be read to its end; -1: the error says why not. */
static int
open_file(const char *path, vipann_error *error)
{
    char shown[SHOWN_NAME];
    struct stat about;
    bool there = stat(path, &about) == 0; /* before it is opened, which would already do something to a device */
    if (there && !S_ISREG(about.st_mode) && !S_ISFIFO(about.st_mode)) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: is a %s; expected a rule file", shown_name(shown, path),
                       S_ISDIR(about.st_mode) ? "folder" : "device");
        return -1;
    }
    int file = there ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (file < 0) {
        (void)vip_fail(error, VIPANN_E_IO, "%s: cannot be opened: %s; check the name", shown_name(shown, path),
                       strerror(errno));
    }
    return file;
}

/* Reads at most size bytes; *bytes says how many there were. */
static vipann_status
read_whole(int file, const char *path, char *text, size_t size, size_t *bytes, vipann_error *error)
{
    *bytes = 0;
    while (*bytes < size) {
        ssize_t n = read(file, text + *bytes, size - *bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            char shown[SHOWN_NAME];
            return vip_fail(error, VIPANN_E_IO, "%s: cannot be read: %s", shown_name(shown, path), strerror(errno));
        }
        if (n == 0) {
            break;
        }
        *bytes += (size_t)n;
    }
    return VIPANN_OK;
}

vipann_status
vipann_rules_read(vipann_rules *rules, const char *path, vipann_error *error)
{
    enum { SIZE = LARGEST_FILE + 1 }; /* one more shows that there is too much */
    int file = open_file(path, error);
    if (file < 0) {
        return VIPANN_E_IO;
    }
    size_t bytes = 0;
    char *text = vip_alloc(SIZE, 1);
    vipann_status status = VIPANN_E_MEMORY;
    if (text == NULL) {
        (void)vip_fail_memory(error, "a rule file");
    } else {
        status = read_whole(file, path, text, SIZE, &bytes, error);
    }
    if (status == VIPANN_OK) {
        status = vip_rules_parse(rules, path, text, bytes, error);
    }
    vip_free(text);
    (void)close(file);
    return status;
}
