/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cache_write.c -- see cache.h for the contract: writing. */
#include "cache.h"
#include "cache_format.h"

#include <base/memory.h>
#include <base/status.h>
#include <common/atomic_file.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct vip_cache_writer {
    vip_atomic_file *file;
};

static json_t *
labels_of(const char *labels)
{
    json_t *list = json_array();
    while (labels[0] != '\0') {
        const size_t n = strcspn(labels, ";");
        (void)json_array_append_new(list, json_stringn(labels, n));
        labels += n + (labels[n] != '\0');
    }
    return list;
}

/* NULL if memory is short, or if a text is not UTF-8. */
static json_t *
header_of(const vip_frontend_spec *spec, const vip_cache_entry *entries, size_t n)
{
    json_t *clips = json_array();
    for (size_t i = 0; i < n && clips != NULL; i++) {
        const vip_cache_entry *e = &entries[i];
        json_t *clip = json_pack("{s:s, s:s, s:o, s:I, s:s, s:s, s:f, s:I}", "set", e->set, "path", e->path, "labels",
                                 labels_of(e->labels), "fold", (json_int_t)e->fold, "group", e->group, "sha256",
                                 e->sha256, "seconds", e->seconds, "frames", (json_int_t)e->n_frames);
        if (clip == NULL || json_array_append_new(clips, clip) != 0) {
            json_decref(clips);
            clips = NULL;
        }
    }
    if (clips == NULL) {
        return NULL;
    }
    return json_pack("{s:{s:s, s:f, s:I, s:I, s:I, s:f, s:f, s:f}, s:o}", "frontend", "name", spec->name, "sample_rate",
                     spec->sample_rate, "n_fft", (json_int_t)spec->n_fft, "hop", (json_int_t)spec->hop, "mels",
                     (json_int_t)spec->mels, "fmin", spec->fmin, "fmax", spec->fmax, "amin", spec->amin, "clips",
                     clips);
}

static void
write_header(FILE *out, const char *text, size_t length)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i & 0xff);
    }
    (void)fwrite(VIP_CACHE_MAGIC, 1, VIP_CACHE_MAGIC_BYTES, out);
    (void)fwrite(bytes, 1, sizeof bytes, out);
    (void)fwrite(text, 1, length, out);
    for (size_t at = VIP_CACHE_START + length; at < vip_cache_data(length); at++) {
        (void)fputc('\0', out);
    }
}

vip_cache_writer *
vip_cache_writer_new(const char *path, const vip_frontend_spec *spec, const vip_cache_entry *entries, size_t n,
                     vipann_error *error)
{
    json_t *header = header_of(spec, entries, n);
    char *text = header != NULL ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    vip_cache_writer *writer = text != NULL ? vip_alloc(1, sizeof *writer) : NULL;
    if (writer == NULL) {
        (void)vip_fail(error, VIPANN_E_MEMORY, "%s: its header cannot be made: memory is short, or a name is not UTF-8",
                       path);
        free(text);
        return NULL;
    }
    writer->file = vip_atomic_file_open(path, error);
    if (writer->file == NULL) {
        vip_free(writer);
        writer = NULL;
    } else {
        write_header(vip_atomic_file_stream(writer->file), text, strlen(text));
    }
    free(text);
    return writer;
}

void
vip_cache_writer_frames(vip_cache_writer *writer, const uint16_t *frames, size_t n)
{
    (void)fwrite(frames, sizeof *frames * VIP_MELS, n, vip_atomic_file_stream(writer->file));
}

vipann_status
vip_cache_writer_commit(vip_cache_writer *writer, vipann_error *error)
{
    const vipann_status good = vip_atomic_file_commit(writer->file, error);
    vip_free(writer);
    return good;
}

void
vip_cache_writer_discard(vip_cache_writer *writer)
{
    if (writer != NULL) {
        vip_atomic_file_discard(writer->file);
        vip_free(writer);
    }
}
