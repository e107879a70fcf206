/* SPDX-License-Identifier: GPL-3.0-or-later */
/* journal.h -- remembers on the disk which recordings of a batch are finished, so that it can go on after anything.
 *
 * The first line says with which settings the batch was begun; each further line is one finished recording: how long the
 * output was then, "ok" or "failed", and its path with control characters and '\' as \xHH. A line counts once it is
 * whole; it is written after what it speaks of. One process at a time has the journal. */
#ifndef VIP_PLUGIN_FILE_JOURNAL_H
#define VIP_PLUGIN_FILE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <common/paths.h>
#include <vipann/vipann.h>

typedef struct vip_journal vip_journal;

/* Something that results depend on; texts without tabs and line breaks. */
typedef struct {
    const char *key;
    char value[80];
} vip_setting;

/* Opens the journal or begins one. Errors: E_IO, E_BUSY (another process has it), E_ARG (it was begun with other
 * settings: says which), E_FORMAT (it is no journal), E_MEMORY. */
vip_journal *vip_journal_open(const char *path, const vip_setting *settings, size_t n, vipann_error *error);

/* NULL is allowed. */
void vip_journal_close(vip_journal *journal);

/* No recording is in it. */
bool vip_journal_is_new(const vip_journal *journal);

/* It was not there before, or had not even its first line. */
bool vip_journal_was_begun_now(const vip_journal *journal);

/* How long the output was when the last of its recordings was finished. */
uint64_t vip_journal_end(const vip_journal *journal);

/* Removes from paths what is finished; *failed is how many of those had failed, *finished how many are in the journal in
 * all. Errors: E_MEMORY. */
vipann_status vip_journal_skip(vip_journal *journal, vip_paths *paths, size_t *failed, size_t *finished,
                               vipann_error *error);

/* Writes down that one more is finished; after a failure nothing is written. E_IO. */
vipann_status vip_journal_add(vip_journal *journal, const char *path, bool failed, uint64_t end, vipann_error *error);

#endif /* VIP_PLUGIN_FILE_JOURNAL_H */
