/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delivery.c -- see delivery.h for the contract. */
#include "delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/atomic_file.h>
#include <common/support.h>
#include <common/text.h>

enum { SHOWN = 120 };

static const char JOURNAL[] = ".journal", FOLDER_JOURNAL[] = "/vipann.journal";

struct vip_delivery {
    const vip_place *place;
    FILE *stream;           /* standard output, or that of `whole`; NULL: by recordings */
    vip_atomic_file *whole; /* NULL: none */
    vip_journal *journal;   /* NULL: nothing to go on with */
    int output;             /* with a journal; -1: none */
    uint64_t end;           /* of what is in the output for good */
};

static char *
append_text(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = vip_alloc(size, 1);
    if (text != NULL) {
        (void)snprintf(text, size, "%s%s%s", a, b, c);
    }
    return text;
}

static vipann_status
refuse(const char *path, int reason, vipann_error *error)
{
    return vip_fail(error, VIPANN_E_IO, "%s: cannot be written: %s", vip_text_tail(path, SHOWN), strerror(reason));
}

/* Of standard output. */
static vipann_status
refuse_stream(int reason, vipann_error *error)
{
    return reason == EPIPE ? vip_fail(error, VIPANN_E_IO, "%s", "")
                           : vip_fail(error, VIPANN_E_IO, "results cannot be written: %s", strerror(reason));
}

/* ------------------------------------------------------------------------------------------------------ folders */

/* Makes the folders that lead to path. */
static vipann_status
make_folders(char *path, vipann_error *error)
{
    return vip_make_folders(path) ? VIPANN_OK : refuse(path, errno, error);
}

static vipann_status
bring_file(const vip_delivery *d, const vip_path *path, const vip_spool *spool, vipann_error *error)
{
    const char *name = strcmp(path->path, "-") == 0 ? "standard-input" : path->name;
    char *below = append_text("/", name, d->place->ending);
    char *target = below != NULL ? append_text(d->place->folder, below, "") : NULL;
    vip_atomic_file *file = NULL;
    vipann_status status = target != NULL ? make_folders(target, error) : vip_fail_memory(error, "the output");
    if (status == VIPANN_OK) {
        file = vip_atomic_file_open(target, error);
        status = file != NULL ? VIPANN_OK : VIPANN_E_IO;
    }
    if (status == VIPANN_OK) {
        int reason = vip_spool_send(spool, fileno(vip_atomic_file_stream(file)));
        if (reason != 0) {
            status = refuse(target, reason, error);
            vip_atomic_file_discard(file);
        } else {
            status = vip_atomic_file_commit(file, error);
        }
    }
    vip_free(below);
    vip_free(target);
    return status;
}

/* ------------------------------------------------------------------------------------------- to be gone on with */

/* The name of the journal of this place; NULL: memory is short. */
static char *
journal_name(const vip_place *place)
{
    return place->folder != NULL ? append_text(place->folder, FOLDER_JOURNAL, "")
                                 : append_text(place->output, JOURNAL, "");
}

/* Opens the output behind what the journal knows of. */
static vipann_status
open_output(vip_delivery *d, vipann_error *error)
{
    const char *path = d->place->output;
    struct stat facts;
    d->output = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (d->output < 0 || fstat(d->output, &facts) != 0) {
        return refuse(path, errno, error);
    }
    const char *shown = vip_text_tail(path, SHOWN);
    if (!S_ISREG(facts.st_mode)) {
        return vip_fail(error, VIPANN_E_IO, "%s: is no file that can be gone on with; --resume needs one", shown);
    }
    if (vip_journal_was_begun_now(d->journal) && facts.st_size > 0) {
        return vip_fail(error, VIPANN_E_IO, "%s: is there already and was not begun with --resume; choose another name",
                        shown);
    }
    uint64_t end = vip_journal_end(d->journal);
    if ((uint64_t)facts.st_size < end) {
        return vip_fail(error, VIPANN_E_IO,
                        "%s: is shorter than %s%s says; it was changed meanwhile, so remove both and begin anew", shown,
                        shown, JOURNAL);
    }
    d->end = end;
    if (ftruncate(d->output, (off_t)end) != 0 || lseek(d->output, (off_t)end, SEEK_SET) < 0) {
        return refuse(path, errno, error);
    }
    return VIPANN_OK;
}

static vipann_status
open_resumed(vip_delivery *d, const char *name, vipann_error *error)
{
    vipann_error found;
    d->output = -1;
    d->journal = vip_journal_open(name, d->place->settings, d->place->n_settings, &found);
    if (d->journal == NULL) {
        return vip_fail(error, found.status, "%s", found.text);
    }
    vipann_status status = d->place->output != NULL ? open_output(d, error) : VIPANN_OK;
    if (status != VIPANN_OK && vip_journal_was_begun_now(d->journal)) {
        (void)unlink(name); /* nothing has begun */
    }
    return status;
}

/* What stood there belongs to a batch that can be gone on with: replacing it would make the journal lie. */
static vipann_status
open_anew(vip_delivery *d, const char *name, vipann_error *error)
{
    if (name != NULL && access(name, F_OK) == 0) {
        return vip_fail(
            error, VIPANN_E_IO,
            "%s: is there, so this output belongs to a batch; go on with it by --resume, or remove the journal",
            vip_text_tail(name, SHOWN));
    }
    if (d->place->output == NULL) {
        d->stream = d->place->folder == NULL ? stdout : NULL;
        return VIPANN_OK;
    }
    d->whole = vip_atomic_file_open(d->place->output, error);
    d->stream = d->whole != NULL ? vip_atomic_file_stream(d->whole) : NULL;
    return d->whole != NULL ? VIPANN_OK : VIPANN_E_IO;
}

/* Appends to the output, up to the disk; on failure it is as before. */
static vipann_status
append_output(vip_delivery *d, const vip_spool *spool, uint64_t *end, vipann_error *error)
{
    int reason = vip_spool_send(spool, d->output);
    off_t at = lseek(d->output, 0, SEEK_CUR);
    if (reason == 0 && (at < 0 || fdatasync(d->output) != 0)) {
        reason = errno;
    }
    *end = at > 0 ? (uint64_t)at : 0;
    return reason == 0 ? VIPANN_OK : refuse(d->place->output, reason, error);
}

static vipann_status
bring_resumed(vip_delivery *d, const vip_path *path, const vip_spool *spool, const vip_delivered *what,
              vipann_error *error)
{
    uint64_t end = d->end;
    vipann_status status = VIPANN_OK;
    if (what->again) {
        return status;
    }
    if (what->any) {
        status = d->output < 0 ? bring_file(d, path, spool, error) : append_output(d, spool, &end, error);
    }
    if (status == VIPANN_OK) {
        status = vip_journal_add(d->journal, path->path, what->failed, end, error);
    }
    if (status == VIPANN_OK) {
        d->end = end;
    } else if (d->output >= 0) {
        (void)!ftruncate(d->output, (off_t)d->end);
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- all */

vip_delivery *
vip_delivery_open(const vip_place *place, vipann_error *error)
{
    vip_delivery *d = vip_alloc(1, sizeof *d);
    if (d == NULL) {
        (void)vip_fail_memory(error, "the output");
        return NULL;
    }
    *d = (vip_delivery){.place = place, .output = -1};
    bool lasting = place->output != NULL || place->folder != NULL;
    char *name = lasting ? journal_name(place) : NULL;
    vipann_status status = name != NULL || !lasting ? VIPANN_OK : vip_fail_memory(error, "the output");
    if (status == VIPANN_OK) {
        status = place->folder != NULL ? make_folders(name, error) : VIPANN_OK;
    }
    if (status == VIPANN_OK) {
        status = place->resume ? open_resumed(d, name, error) : open_anew(d, name, error);
    }
    vip_free(name);
    if (status != VIPANN_OK) {
        vip_delivery_discard(d);
        return NULL;
    }
    return d;
}

void
vip_delivery_discard(vip_delivery *delivery)
{
    if (delivery == NULL) {
        return;
    }
    vip_atomic_file_discard(delivery->whole);
    vip_journal_close(delivery->journal);
    if (delivery->output >= 0) {
        (void)close(delivery->output);
    }
    vip_free(delivery);
}

vipann_status
vip_delivery_close(vip_delivery *delivery, vipann_error *error)
{
    vip_atomic_file *whole = delivery->whole;
    delivery->whole = NULL;
    vip_delivery_discard(delivery);
    return whole != NULL ? vip_atomic_file_commit(whole, error) : VIPANN_OK;
}

FILE *
vip_delivery_stream(const vip_delivery *delivery)
{
    return delivery->stream;
}

vip_head
vip_delivery_head(const vip_delivery *delivery)
{
    return delivery->place->folder != NULL                                       ? VIP_HEAD_EACH
           : delivery->journal != NULL && !vip_journal_is_new(delivery->journal) ? VIP_HEAD_NONE
                                                                                 : VIP_HEAD_FIRST;
}

vipann_status
vip_delivery_skip(vip_delivery *delivery, vip_paths *paths, size_t *failed, size_t *finished, vipann_error *error)
{
    *failed = *finished = 0;
    return delivery->journal != NULL ? vip_journal_skip(delivery->journal, paths, failed, finished, error) : VIPANN_OK;
}

vipann_status
vip_delivery_flush(vip_delivery *delivery, vipann_error *error)
{
    errno = 0;
    if (delivery->stream == NULL || (fflush(delivery->stream) == 0 && ferror(delivery->stream) == 0)) {
        return VIPANN_OK;
    }
    int reason = errno != 0 ? errno : EIO;
    return delivery->whole != NULL ? refuse(delivery->place->output, reason, error) : refuse_stream(reason, error);
}

/* Sends to the stream, behind what has been written there. */
static vipann_status
send_to_stream(vip_delivery *delivery, const vip_spool *spool, vipann_error *error)
{
    vipann_status status = vip_delivery_flush(delivery, error);
    int reason = status == VIPANN_OK ? vip_spool_send(spool, fileno(delivery->stream)) : 0;
    if (reason != 0) {
        status =
            delivery->whole != NULL ? refuse(delivery->place->output, reason, error) : refuse_stream(reason, error);
    }
    return status;
}

vipann_status
vip_delivery_begin(vip_delivery *delivery, const vip_spool *spool, vipann_error *error)
{
    if (delivery->output < 0) {
        return send_to_stream(delivery, spool, error);
    }
    uint64_t end = 0;
    vipann_status status = append_output(delivery, spool, &end, error);
    if (status == VIPANN_OK) {
        delivery->end = end;
    } else {
        (void)!ftruncate(delivery->output, 0);
    }
    return status;
}

vipann_status
vip_delivery_bring(vip_delivery *delivery, const vip_path *path, const vip_spool *spool, const vip_delivered *what,
                   vipann_error *error)
{
    if (delivery->journal != NULL) {
        return bring_resumed(delivery, path, spool, what, error);
    }
    if (!what->any) {
        return VIPANN_OK;
    }
    return delivery->stream == NULL ? bring_file(delivery, path, spool, error) : send_to_stream(delivery, spool, error);
}
