/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_journal.c -- any bytes as the journal of a batch: refused with one line and left as it is, or cut to what
 * counts, after which it says the same each time it is opened and remembers whatever path is added. The input is a path
 * that ends with a line break, then the journal. */
#include "fuzz.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <plugin/file/journal.h>

static const vip_setting settings[] = {{"model", "tiny 0123456789ab"}, {"passes", "8"}, {"hop", "0.32"}};

enum { N_SETTINGS = sizeof settings / sizeof *settings, MOST_PATH = 200 };

/* What an open journal says of itself. */
typedef struct {
    bool is_new;
    uint64_t end;
    size_t failed, finished;
} facts;

static vip_journal *
open_again(const char *path)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_journal *journal = vip_journal_open(path, settings, N_SETTINGS, &error);
    fuzz_check_success(&error);
    return journal;
}

/* *left is how many of the recordings called path, of which there are two, are not finished. */
static facts
describe(vip_journal *journal, const char *path, size_t *left)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_paths paths = {0};
    const char *const names[] = {path, path, "another.wav"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)vip_paths_add(&paths, names[i], false, NULL, NULL, &error);
    }
    fuzz_check(error.status == VIPANN_OK && paths.n == 3);
    facts f = {.is_new = vip_journal_is_new(journal), .end = vip_journal_end(journal)};
    (void)vip_journal_skip(journal, &paths, &f.failed, &f.finished, &error);
    fuzz_check_success(&error);
    fuzz_check(f.is_new == (f.finished == 0) && f.failed <= 3 - paths.n && 3 - paths.n <= f.finished);
    *left = 0;
    for (size_t i = 0; i < paths.n; i++) {
        *left += strcmp(paths.all[i].path, path) == 0;
    }
    vip_paths_free(&paths);
    return f;
}

static void
check_same(const facts *a, const facts *b)
{
    fuzz_check(a->is_new == b->is_new && a->end == b->end && a->failed == b->failed && a->finished == b->finished);
}

/* One more recording is finished: that is so at once and after opening again. */
static void
check_addition(const char *path, const char *added, const facts *before, size_t left)
{
    vipann_error error = {VIPANN_OK, ""};
    vip_journal *journal = open_again(path);
    const uint64_t end = before->end < UINT64_MAX ? before->end + 1 : before->end;
    size_t now;
    fuzz_check(vip_journal_add(journal, added, true, end, &error) == VIPANN_OK);
    const facts live = describe(journal, added, &now);
    fuzz_check(live.finished == before->finished + 1 && live.end == end && now == (left > 0 ? left - 1 : 0));
    vip_journal_close(journal);
    journal = open_again(path);
    const facts later = describe(journal, added, &now);
    check_same(&live, &later);
    vip_journal_close(journal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char added[MOST_PATH + 1] = "x"; /* a path is not empty, and no folder or file that there is */
    const uint8_t *line = memchr(data, '\n', size);
    const size_t before = line != NULL ? (size_t)(line - data) + 1 : 0, n = before > 0 ? before - 1 : 0;
    const size_t used = n < MOST_PATH - 1 ? n : MOST_PATH - 1;
    memcpy(added + 1, data, used);
    added[used + 1] = '\0';
    data += before;
    size -= before;

    vipann_error error = {VIPANN_OK, ""};
    const char *path = fuzz_file("journal", data, size);
    vip_journal *journal = vip_journal_open(path, settings, N_SETTINGS, &error);
    size_t after, left, still;
    if (journal == NULL) {
        fuzz_check(error.status == VIPANN_E_FORMAT || error.status == VIPANN_E_ARG);
        fuzz_check_refusal(error.status, &error);
        uint8_t *kept = fuzz_load(path, &after);
        fuzz_check(after == size && memcmp(kept, data, size) == 0);
        free(kept);
        return 0;
    }
    const facts first = describe(journal, added, &left);
    const bool begun_now = vip_journal_was_begun_now(journal);
    vip_journal_close(journal);
    uint8_t *kept = fuzz_load(path, &after);
    fuzz_check(begun_now ? first.finished == 0 : after <= size && memcmp(kept, data, after) == 0);
    free(kept);
    journal = open_again(path);
    const facts second = describe(journal, added, &still);
    fuzz_check(still == left);
    check_same(&first, &second);
    vip_journal_close(journal);
    check_addition(path, added, &second, left);
    return 0;
}
