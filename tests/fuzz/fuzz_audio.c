/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_audio.c -- any bytes as a sound file, from a file and from a pipe: refused with one line, or read to an end with
 * facts that make sense. The first two bytes choose what is to be read of it. */
#include "fuzz.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/audio.h>

/* What the libraries of the formats lose when they give up on a broken file is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
    return "print_suppressions=0";
}

const char *
__lsan_default_suppressions(void)
{
    return "leak:libvorbis\nleak:libogg\nleak:libopus\nleak:libFLAC\nleak:libmpg123\n";
}

/* A pipe holds this much without a reader. */
enum { CHOICES = 2, MOST_PIPE = 65536, MOST_CHANNELS = 1024, MOST_BLOCKS = 64 };

/* The choices are two bytes among thousands: they get their share. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    if (size >= CHOICES && fuzz_random(&random) % 8 == 0) {
        data[fuzz_random(&random) % CHOICES] = (uint8_t)fuzz_random(&random);
        return size;
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

typedef struct {
    double start, duration;
    uint32_t block; /* frames in one read */
} wishes;

/* What came out, whoever reads it. */
typedef struct {
    bool opened, ended;
    vip_audio_facts facts;
    uint64_t frames;
    uint64_t hash;
} heard;

static void
count(heard *h, float *const *channels, uint32_t n)
{
    for (uint32_t c = 0; c < h->facts.channels; c++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &channels[c][i], sizeof bits);
            h->hash = (h->hash ^ bits) * 0x100000001b3u; /* in this order: of one block channel by channel */
        }
    }
    h->frames += n;
}

static void
read_all(vip_audio *audio, const wishes *w, heard *h)
{
    float *samples = calloc((size_t)w->block * h->facts.channels, sizeof *samples), *channels[MOST_CHANNELS];
    fuzz_check(samples != NULL);
    for (uint32_t c = 0; c < h->facts.channels; c++) {
        channels[c] = samples + (size_t)c * w->block;
    }
    for (int i = 0; i < MOST_BLOCKS && !h->ended; i++) {
        uint32_t n = vip_audio_read(audio, channels, w->block);
        fuzz_check(n <= w->block && n <= VIP_AUDIO_BLOCK);
        double fraction = vip_audio_fraction(audio);
        fuzz_check(fraction == -1 || (fraction >= 0 && fraction <= 1));
        count(h, channels, n);
        h->ended = n == 0;
    }
    fuzz_check(h->frames > 0); /* what is opened has sound in it */
    fuzz_check(w->duration == 0 || (double)h->frames <= w->duration * h->facts.rate + 1);
    if (h->ended) {
        vipann_error error = {VIPANN_OK, ""};
        fuzz_check(vip_audio_read(audio, channels, w->block) == 0);
        if (vip_audio_check(audio, &error) != VIPANN_OK) {
            fuzz_check_refusal(VIPANN_E_FORMAT, &error);
        }
    }
    free(samples);
}

static heard
listen(const char *path, const wishes *w)
{
    heard h = {.hash = 0xcbf29ce484222325u};
    vipann_error error = {VIPANN_OK, ""};
    vip_audio *audio = vip_audio_open(path, w->start, w->duration, &error);
    if (audio == NULL) {
        fuzz_check_refusal(VIPANN_E_FORMAT, &error); /* nothing else stands in the way */
        return h;
    }
    h.opened = true;
    h.facts = *vip_audio_describe(audio);
    fuzz_check(h.facts.rate > 0 && isfinite(h.facts.rate) && h.facts.channels >= 1);
    fuzz_check(h.facts.channels <= MOST_CHANNELS); /* libsndfile's own limit */
    fuzz_check(h.facts.claimed_seconds >= 0 && isfinite(h.facts.claimed_seconds));
    fuzz_check(fabs(h.facts.start_seconds - w->start) <= 0.5 / h.facts.rate + 1e-9);
    read_all(audio, w, &h);
    vip_audio_close(audio);
    return h;
}

/* The same bytes through a pipe on the standard input. */
static heard
listen_to_pipe(const uint8_t *data, size_t size, const wishes *w)
{
    int ends[2];
    fuzz_check(pipe(ends) == 0 && size <= MOST_PIPE);
    fuzz_check(write(ends[1], data, size) == (ssize_t)size && close(ends[1]) == 0);
    fuzz_check(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO && close(ends[0]) == 0);
    return listen("-", w); /* the next pipe takes this one's place */
}

/* wav and au are not copied when they come through a pipe: a broken header may then be understood in another way. */
static bool
is_read_as_it_comes(const uint8_t *data, size_t size)
{
    return size >= 4 && (memcmp(data, "RIFF", 4) == 0 || memcmp(data, ".snd", 4) == 0 || memcmp(data, "dns.", 4) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const double starts[] = {0, 0, 0, 0.001, 0.02, 1, 1e7, 1e-9},
                        durations[] = {0, 0, 0, 0.001, 0.01, 2, 1e9, 1e-9};
    static const uint32_t blocks[] = {VIP_AUDIO_BLOCK, 1000, 64, 2 * VIP_AUDIO_BLOCK};
    if (size < CHOICES || size - CHOICES > MOST_PIPE) {
        return 0;
    }
    const wishes w = {starts[data[0] & 7], durations[data[1] & 7], blocks[data[0] >> 3 & 3]};
    data += CHOICES;
    size -= CHOICES;
    heard file = listen(fuzz_file("sound", data, size), &w);
    heard piped = listen_to_pipe(data, size, &w);
    if (!is_read_as_it_comes(data, size)) { /* but copied to a file */
        fuzz_check(piped.opened == file.opened && piped.frames == file.frames && piped.hash == file.hash);
    }
    return 0;
}
