/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manifest.h -- which recordings there are, and what is heard in each: a table in CSV (RFC 4180) with the columns path,
 * labels, fold and group, of which only the first must be there. */
#ifndef VIP_TRAINER_MANIFEST_H
#define VIP_TRAINER_MANIFEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <vipann/vipann.h>

typedef struct {
    char *path;    /* as the manifest says: relative to it, or absolute */
    char *labels;  /* separated by ';'; "" if there are none */
    char *group;   /* the recording that the clip was cut from; the path if the manifest does not say */
    uint32_t fold; /* 0: none */
    size_t line;   /* where its row begins */
} vip_manifest_row;

typedef struct {
    char *file;   /* the manifest's own path */
    char *folder; /* what paths are relative to, with a slash at the end; "" for the current folder */
    char *set;    /* the name of its folder, by which clips of several manifests are told apart */
    size_t n;
    vip_manifest_row *rows;
} vip_manifest;

enum { VIP_MANIFEST_BYTES = 256 << 20, VIP_MANIFEST_ROWS = 1 << 24 };

/* Reads and checks a manifest; audio files are not opened. Errors, one line with FILE:LINE: E_IO, E_FORMAT (an unknown,
 * missing or double column, a row of another length, no path, a path that occurs twice, an empty or double label, a fold
 * that is no whole number, quotes that do not close), E_MEMORY. */
vip_manifest *vip_manifest_read(const char *path, vipann_error *error);

/* The same from memory; name appears in messages. */
vip_manifest *vip_manifest_parse(const char *name, const char *text, size_t bytes, vipann_error *error);

void vip_manifest_free(vip_manifest *manifest);

/* Where the audio of a row is; to be freed with vip_free. NULL: memory is short. */
char *vip_manifest_audio(const vip_manifest *manifest, size_t row);

#endif /* VIP_TRAINER_MANIFEST_H */
