/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flac.c -- see flac.h for the contract. */
#include "flac.h"

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

#include <base/memory.h>
#include <base/status.h>

#include "text.h"

enum {
    BLOCK = 1024 /* frames at a time */,
    FASTEST = 655350 /* Hz that the format knows */,
    MOST_TAG = 250 /* cells */
};

struct vip_flac {
    SNDFILE *file;
    uint32_t channels;
    bool broken;
    float block[BLOCK * VIP_FLAC_CHANNELS];
};

/* To libFLAC the two code points at the end of the basic plane are no UTF-8. */
static void
replace_ends(char *text)
{
    for (char *at = text; (at = strstr(at, "\xef\xbf")) != NULL; at += 2) {
        if (at[2] == '\xbe' || at[2] == '\xbf') {
            memset(at, '?', 3);
        }
    }
}

/* What libFLAC does not take for UTF-8 ends the program, in libsndfile; what cannot be shown is '?' here, too. */
static void
tag(SNDFILE *file, int what, const char *text)
{
    const vip_text_style style = {.unicode = true};
    char *clean = NULL;
    size_t size = 0;
    FILE *out = text != NULL ? open_memstream(&clean, &size) : NULL;
    if (out != NULL) {
        (void)vip_text_put(out, &style, text, 0, MOST_TAG);
        if (fclose(out) == 0) {
            replace_ends(clean);
            (void)sf_set_string(file, what, clean);
        }
        free(clean);
    }
}

vip_flac *
vip_flac_new(FILE *file, double rate, uint32_t channels, const vip_flac_tags *tags, vipann_error *error)
{
    if (!(rate >= 1 && rate <= FASTEST) || channels < 1 || channels > VIP_FLAC_CHANNELS) {
        (void)vip_fail(error, VIPANN_E_UNSUPPORTED,
                       "FLAC knows 1 to %d channels of at most %d Hz; there are %u of %.0f", VIP_FLAC_CHANNELS, FASTEST,
                       channels, rate);
        return NULL;
    }
    vip_flac *flac = vip_alloc(1, sizeof *flac);
    if (flac == NULL) {
        (void)vip_fail_memory(error, "sound to be written");
        return NULL;
    }
    SF_INFO info = {
        .samplerate = (int)lround(rate), .channels = (int)channels, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_24};
    double lightly = 0; /* of 0 .. 1: the least work, a few hundredths more bytes */
    flac->channels = channels;
    flac->file = sf_open_fd(fileno(file), SFM_WRITE, &info, SF_FALSE);
    if (flac->file == NULL) {
        (void)vip_fail(error, VIPANN_E_IO, "%s", sf_strerror(NULL));
        vip_free(flac);
        return NULL;
    }
    (void)sf_command(flac->file, SFC_SET_COMPRESSION_LEVEL, &lightly, sizeof lightly);
    (void)sf_command(flac->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    tag(flac->file, SF_STR_TITLE, tags->title);
    tag(flac->file, SF_STR_COMMENT, tags->comment);
    tag(flac->file, SF_STR_DATE, tags->date);
    return flac;
}

bool
vip_flac_write(vip_flac *flac, const float *frames, uint32_t n)
{
    while (n > 0 && !flac->broken) {
        const uint32_t part = n < BLOCK ? n : BLOCK;
        for (uint32_t i = 0; i < part * flac->channels; i++) {
            flac->block[i] = isfinite(frames[i]) ? frames[i] : 0;
        }
        flac->broken = sf_writef_float(flac->file, flac->block, part) != (sf_count_t)part;
        frames += (size_t)part * flac->channels;
        n -= part;
    }
    return !flac->broken;
}

bool
vip_flac_end(vip_flac *flac)
{
    bool good = false;
    if (flac != NULL) {
        good = sf_close(flac->file) == 0 && !flac->broken;
        vip_free(flac);
    }
    return good;
}
