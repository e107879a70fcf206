/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_clips.c -- sound of events as files: O10 to O15 of plugin/out/README.md. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/audio.h"
#include "common/support.h"
#include "plugin/out/catalogue.h"
#include "plugin/out/clips.h"
#include "plugin/out/tape.h"
#include "scratch.h"

enum { RATE = 8000, N = 12 * RATE, MOST = 64 };
static const double UTC = 1.8e9; /* 2027-01-15T08:00:00Z */
static const char HOSTILE[] = "a\"b;'$(reboot)\n\033]0;evil\a/../x,\xff \xef\xbf\xbf";

/* A sample as 24 bits can hold it, which no other near it is. */
static float
sample(uint64_t frame, uint32_t channel)
{
    return (float)(int32_t)((frame * 37 + channel * 11) % 4001 - 2000) / 4096;
}

static vip_clips *
open_clips(const char *folder, const vip_clips_setup *base)
{
    vipann_error error;
    vip_clips_setup setup = *base;
    setup.folder = folder;
    setup.inputs = 2;
    setup.longest = setup.longest > 0 ? setup.longest : 60;
    vip_clips *clips = vip_clips_new(&setup, &error);
    if (clips == NULL) {
        fail_msg("%s", error.text);
    }
    return clips;
}

/* Frames [from, to) in blocks of changing size, with a turn now and then. */
static void
play(vip_clips *clips, uint32_t input, uint32_t channels, uint64_t from, uint64_t to)
{
    float block[2][700];
    for (uint64_t at = from; at < to;) {
        uint64_t n = 1 + (at * 7919) % 700;
        n = n < to - at ? n : to - at;
        const float *parts[2] = {block[0], block[1]};
        for (uint32_t c = 0; c < channels; c++) {
            for (uint64_t i = 0; i < n; i++) {
                block[c][i] = sample(at + i, c);
            }
        }
        vip_clips_hear(clips, input, parts, (uint32_t)n);
        if (at % 3 == 0) {
            vip_clips_turn(clips);
        }
        at += n;
    }
    vip_clips_turn(clips);
}

static void
tell(vip_clips *clips, uint32_t input, uint64_t id, double start, double end, vipann_answer unknown)
{
    const vipann_event event = {
        .id = id, .ended = end > 0, .start_seconds = start, .end_seconds = end, .unknown = unknown};
    const vip_told told = {.index = input,
                           .input = input == 0 ? "in_1" : "in 2/..",
                           .label = HOSTILE,
                           .model = "a model",
                           .utc = UTC,
                           .event = &event};
    vip_clips_event(clips, &told);
}

/* The path of the one clip that is told next; there must be one. */
static const char *
next_clip(vip_clips *clips, uint32_t input, uint64_t id)
{
    vip_clip clip;
    assert_true(vip_clips_next(clips, &clip));
    assert_int_equal(clip.input, input);
    assert_int_equal(clip.id, id);
    return clip.path;
}

/* The recording is frames [from, to) of what was played, to the bit. */
static void
assert_holds(const char *path, uint32_t channels, uint64_t from, uint64_t to)
{
    vipann_error error;
    vip_audio *audio = vip_audio_open(path, 0, 0, &error);
    if (audio == NULL) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(vip_audio_describe(audio)->channels, channels);
    assert_true(vip_audio_describe(audio)->rate == RATE);
    static float left[VIP_AUDIO_BLOCK], right[VIP_AUDIO_BLOCK];
    float *const parts[] = {left, right};
    uint64_t at = from;
    for (uint32_t n; (n = vip_audio_read(audio, parts, VIP_AUDIO_BLOCK)) > 0;) {
        for (uint32_t i = 0; i < n; i++, at++) {
            for (uint32_t c = 0; c < channels; c++) {
                assert_true(parts[c][i] == sample(at, c));
            }
        }
    }
    if (at != to) {
        fail_msg("%s holds frames up to %llu, not %llu", path, (unsigned long long)at, (unsigned long long)to);
    }
    vip_audio_close(audio);
}

static size_t
files_in(const char *folder, const char *ending)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const size_t length = strlen(entry->d_name);
        n += length > strlen(ending) && strcmp(entry->d_name + length - strlen(ending), ending) == 0;
    }
    (void)closedir(dir);
    return n;
}

/* scratch_remove removes files, but no folders. */
static void
remove_all(const char *folder)
{
    char path[SCRATCH_PATH * 2];
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

/* ------------------------------------------------------------------------------------------------------------- tape */

typedef struct {
    vip_tape *tape;
    uint64_t frames;
    atomic_bool done;
} putter;

static void *
put_all(void *user)
{
    putter *p = user;
    float block[300];
    const float *parts[] = {block};
    for (uint64_t at = 0; at < p->frames;) {
        const uint32_t n = (uint32_t)(1 + (at * 31) % 300);
        for (uint32_t i = 0; i < n; i++) {
            block[i] = sample(at + i, 0);
        }
        vip_tape_put(p->tape, parts, n);
        at += n;
    }
    atomic_store(&p->done, true);
    return NULL;
}

static void
test_a_tape_says_where_sound_goes_on(void **state)
{
    (void)state;
    enum { FRAMES = 400000 };
    putter p = {vip_tape_new(0.5, RATE, 1), FRAMES, false};
    pthread_t thread;
    assert_non_null(p.tape);
    assert_int_equal(pthread_create(&thread, NULL, put_all, &p), 0);
    uint64_t at, expected = 0, taken = 0;
    float block[VIP_TAPE_BLOCK];
    for (bool over = false; !over || vip_tape_fill(p.tape) > 0;) {
        if (!over && atomic_load(&p.done)) {
            (void)pthread_join(thread, NULL);
            vip_tape_end(p.tape);
            over = true;
        }
        const uint32_t n = vip_tape_take(p.tape, &at, block);
        assert_true(n == 0 || at >= expected); /* it may be left out, but never comes twice or out of turn */
        for (uint32_t i = 0; i < n; i++) {
            assert_true(block[i] == sample(at + i, 0));
        }
        expected = n > 0 ? at + n : expected;
        taken += n;
    }
    assert_true(taken > 0);
    vip_tape_free(p.tape);
}

static void
test_a_full_tape_leaves_out_the_newest(void **state)
{
    (void)state;
    vip_tape *tape = vip_tape_new(1, 1024, 2); /* five blocks */
    float silence[3000] = {0}, block[2 * VIP_TAPE_BLOCK];
    const float *parts[] = {silence, silence};
    uint64_t at;
    vip_tape_put(tape, parts, 3000);
    assert_true(vip_tape_fill(tape) == 1);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(vip_tape_take(tape, &at, block), VIP_TAPE_BLOCK);
        assert_int_equal(at, i * VIP_TAPE_BLOCK);
    }
    vip_tape_put(tape, parts, 100);
    for (uint32_t i = 2; i < 5; i++) {
        assert_int_equal(vip_tape_take(tape, &at, block), VIP_TAPE_BLOCK);
    }
    assert_int_equal(vip_tape_take(tape, &at, block), 0); /* not full yet */
    vip_tape_end(tape);
    assert_int_equal(vip_tape_take(tape, &at, block), 100);
    assert_int_equal(at, 3000);
    vip_tape_free(tape);
}

/* ------------------------------------------------------------------------------------------------------------ clips */

static void
test_a_clip_is_its_event_and_what_was_before_to_the_sample(void **state)
{
    char folder[SCRATCH_PATH], table[SCRATCH_PATH], text[1024];
    vipann_error error;
    (void)scratch_path(folder, state, "exact");
    (void)scratch_path(table, state, "exact/clips.csv");
    const vip_clips_setup setup = {.before = 0.5};
    vip_clips *clips = open_clips(folder, &setup);
    assert_int_equal(vip_clips_begin(clips, 0, RATE, 2, 0, &error), VIPANN_OK);
    play(clips, 0, 2, 0, 3 * RATE);
    tell(clips, 0, 1, 1.25, 0, VIPANN_NO); /* told when half of it is over */
    tell(clips, 0, 2, 0.25, 0, VIPANN_NO); /* there was less before it than it should have */
    play(clips, 0, 2, 3 * RATE, 5 * RATE);
    tell(clips, 0, 1, 1.25, 4.125, VIPANN_NO);
    tell(clips, 0, 2, 0.25, 5.01, VIPANN_NO); /* its last sound is not there yet */
    play(clips, 0, 2, 5 * RATE, 6 * RATE);
    char first[SCRATCH_PATH];
    (void)snprintf(first, sizeof first, "%s", next_clip(clips, 0, 1));
    assert_holds(first, 2, 3 * RATE / 4, 33 * RATE / 8);
    assert_non_null(strstr(first, "exact/20270115T080000.750Z_in_1_1_a-b-reboot-0-evil-x.flac"));
    assert_holds(next_clip(clips, 0, 2), 2, 0, 40080);
    vip_clip clip;
    vip_clips_news news;
    assert_false(vip_clips_next(clips, &clip));
    assert_false(vip_clips_look(clips, &news));
    vip_clips_end(clips, 0);
    vip_clips_free(clips);
    (void)scratch_read(table, text, sizeof text);
    assert_non_null(strstr(text,
                           "path,labels,fold,group\r\n20270115T080000.750Z_in_1_1_a-b-reboot-0-evil-x.flac,"
                           "\"a\"\"b,'$(reboot)  ]0,evil /../x,\xef\xbf\xbd \xef\xbf\xbf\",,in_1 2027-01-15T08\r\n"));
    assert_int_equal(files_in(folder, ".flac"), 2);
    assert_int_equal(files_in(folder, ".part"), 0);
    remove_all(folder);
}

/* Sound begins anew, of another rate; both inputs at a time; what the end cuts off is kept as far as it goes. */
static void
test_inputs_and_stretches_of_sound_do_not_mix(void **state)
{
    char folder[SCRATCH_PATH];
    vipann_error error;
    (void)scratch_path(folder, state, "mixed");
    const vip_clips_setup setup = {.before = 1};
    vip_clips *clips = open_clips(folder, &setup);
    for (uint32_t round = 0; round < 2; round++) {
        const double zero = 100 * round;
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(vip_clips_begin(clips, i, RATE, 1, zero, &error), VIPANN_OK);
            play(clips, i, 1, 0, 3 * RATE);
            tell(clips, i, 7 + round, zero + 2 + i, 0, VIPANN_YES);
            play(clips, i, 1, 3 * RATE, 4 * RATE);
            tell(clips, i, 7 + round, zero + 2 + i, zero + 4, VIPANN_YES);
            vip_clips_end(clips, i);
            assert_holds(next_clip(clips, i, 7 + round), 1, (1 + i) * RATE, 4 * RATE);
        }
    }
    vip_clips_free(clips);
    assert_int_equal(files_in(folder, ".flac"), 4);
    remove_all(folder);
}

static void
test_only_what_is_unknown_is_saved_if_that_is_asked_and_no_more_than_the_longest(void **state)
{
    char folder[SCRATCH_PATH];
    vipann_error error;
    (void)scratch_path(folder, state, "unknown");
    const vip_clips_setup setup = {.before = 0.5, .unknown = true, .longest = 2};
    vip_clips *clips = open_clips(folder, &setup);
    assert_int_equal(vip_clips_begin(clips, 0, RATE, 1, 0, &error), VIPANN_OK);
    play(clips, 0, 1, 0, RATE);
    for (uint64_t id = 1; id <= 3; id++) {
        tell(clips, 0, id, 1, 0, VIPANN_CANNOT_SAY);
    }
    play(clips, 0, 1, RATE, 40 * RATE); /* longer than what is remembered */
    tell(clips, 0, 1, 1, 40, VIPANN_NO);
    tell(clips, 0, 2, 1, 40, VIPANN_YES);
    tell(clips, 0, 3, 1, 40, VIPANN_CANNOT_SAY);
    vip_clips_end(clips, 0);
    assert_holds(next_clip(clips, 0, 2), 1, RATE / 2, 5 * RATE / 2);
    vip_clips_free(clips);
    assert_int_equal(files_in(folder, ".flac"), 1);
    remove_all(folder);
}

static void
test_too_many_at_a_time_are_left_out_and_counted(void **state)
{
    char folder[SCRATCH_PATH];
    vipann_error error;
    vip_clips_news news;
    (void)scratch_path(folder, state, "many");
    const vip_clips_setup setup = {.before = 0};
    vip_clips *clips = open_clips(folder, &setup);
    assert_int_equal(vip_clips_begin(clips, 0, RATE, 1, 0, &error), VIPANN_OK);
    play(clips, 0, 1, 0, RATE);
    for (uint64_t id = 1; id <= MOST + 3; id++) {
        tell(clips, 0, id, 0.5, 0, VIPANN_NO);
    }
    assert_true(vip_clips_look(clips, &news));
    assert_int_equal(news.left_out, 3);
    assert_int_equal(news.failed, 0);
    vip_clips_free(clips); /* none of them has ended: none is there */
    assert_int_equal(files_in(folder, ".flac"), 0);
    remove_all(folder);
}

/* A limit on the size of files stands for a full disk. */
static void
test_where_there_is_no_room_no_half_of_a_clip_is_left(void **state)
{
    char folder[SCRATCH_PATH], table[SCRATCH_PATH], text[256];
    vipann_error error;
    vip_clips_news news;
    (void)scratch_path(folder, state, "full");
    (void)scratch_path(table, state, "full/clips.csv");
    const vip_clips_setup setup = {.before = 0};
    vip_clips *clips = open_clips(folder, &setup);
    assert_int_equal(vip_clips_begin(clips, 0, RATE, 1, 0, &error), VIPANN_OK);
    struct rlimit before, small = {4096, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*const usual)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    play(clips, 0, 1, 0, RATE);
    tell(clips, 0, 1, 0, 0, VIPANN_NO);
    play(clips, 0, 1, RATE, 5 * RATE);
    tell(clips, 0, 1, 0, 5, VIPANN_NO);
    play(clips, 0, 1, 5 * RATE, 6 * RATE);
    const bool any = vip_clips_look(clips, &news);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, usual);
    assert_true(any);
    assert_int_equal(news.failed, 1);
    assert_non_null(strstr(news.why, "make room"));
    tell(clips, 0, 2, 5, 0, VIPANN_NO); /* and there is room again */
    tell(clips, 0, 2, 5, 6, VIPANN_NO);
    vip_clips_end(clips, 0);
    assert_holds(next_clip(clips, 0, 2), 1, 5 * RATE, 6 * RATE);
    vip_clips_free(clips);
    assert_int_equal(files_in(folder, ".flac"), 1);
    assert_int_equal(files_in(folder, ".part"), 0);
    (void)scratch_read(table, text, sizeof text);
    assert_non_null(strstr(text, "_in_1_2_"));
    assert_null(strstr(text, "_in_1_1_"));
    remove_all(folder);
}

/* ------------------------------------------------------------------------------------------------------------ limit */

static void
add_clip(vip_catalogue *catalogue, const char *folder, unsigned i)
{
    char name[32], path[SCRATCH_PATH + 40], bytes[1000] = {0};
    (void)snprintf(name, sizeof name, "clip-%03u.flac", i);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    scratch_write(path, bytes, sizeof bytes);
    const vip_clip_row row = {name, "a label", "a group", sizeof bytes};
    vipann_error error;
    if (vip_catalogue_add(catalogue, &row, &error) != VIPANN_OK) {
        fail_msg("%s", error.text);
    }
}

static void
test_the_oldest_clips_go_and_nothing_else(void **state)
{
    char folder[SCRATCH_PATH], path[SCRATCH_PATH], text[4096];
    vipann_error error;
    (void)scratch_path(folder, state, "limit");
    vip_catalogue *c = vip_catalogue_open(folder, 10000, &error);
    assert_non_null(c);
    scratch_write(scratch_path(path, state, "limit/mine.flac"), "mine", 4);
    for (unsigned i = 0; i < 4; i++) {
        add_clip(c, folder, i);
    }
    vip_catalogue_close(c);
    /* Somebody names what was heard, adds a row, and takes a clip away. */
    FILE *table = fopen(scratch_path(path, state, "limit/clips.csv"), "w");
    assert_non_null(table);
    (void)fputs("path,labels,fold,group\nclip-000.flac,\"my, dog\",,g\nclip-001.flac,a label,,g\n"
                "/elsewhere/song.wav,music,,g\nclip-002.flac,a label,,g\nclip-003.flac,a label,,g\n",
                table);
    (void)fclose(table);
    (void)unlink(scratch_path(path, state, "limit/clip-001.flac"));
    c = vip_catalogue_open(folder, 10000, &error);
    assert_non_null(c);
    assert_int_equal(vip_catalogue_count(c), 3);
    for (unsigned i = 4; i < 11; i++) { /* ten clips: as many as there is room for */
        add_clip(c, folder, i);
    }
    assert_int_equal(vip_catalogue_bytes(c), 10000);
    add_clip(c, folder, 11);
    assert_int_equal(vip_catalogue_bytes(c), 9000); /* a tenth is spare again */
    (void)scratch_read(scratch_path(path, state, "limit/clips.csv"), text, sizeof text);
    assert_null(strstr(text, "clip-000"));
    assert_null(strstr(text, "clip-002"));
    assert_non_null(strstr(text, "/elsewhere/song.wav,music,,g\n"));
    assert_non_null(strstr(text, "clip-003.flac,a label,,g\n"));
    assert_non_null(strstr(text, "clip-011.flac,a label,,a group\r\n"));
    add_clip(c, folder, 12);
    vip_catalogue_close(c);
    (void)scratch_read(scratch_path(path, state, "limit/clips.csv"), text, sizeof text);
    assert_non_null(strstr(text, "clip-012.flac,a label,,a group\r\n"));
    assert_int_equal(access(scratch_path(path, state, "limit/clip-002.flac"), F_OK), -1);
    assert_int_equal(access(scratch_path(path, state, "limit/mine.flac"), F_OK), 0);
    assert_int_equal(files_in(folder, ".flac"), 11);
    remove_all(folder);
}

static void
test_a_folder_of_something_else_is_left_alone(void **state)
{
    char folder[SCRATCH_PATH], path[SCRATCH_PATH], text[64];
    vipann_error error;
    (void)scratch_path(folder, state, "foreign");
    vip_catalogue *c = vip_catalogue_open(folder, 0, &error);
    vip_catalogue_close(c);
    scratch_write(scratch_path(path, state, "foreign/clips.csv"), "name,size\n", 10);
    assert_null(vip_catalogue_open(folder, 0, &error));
    assert_int_equal(error.status, VIPANN_E_FORMAT);
    assert_non_null(strstr(error.text, "give another folder"));
    (void)scratch_read(path, text, sizeof text);
    assert_string_equal(text, "name,size\n");
    remove_all(folder);
    scratch_write(folder, "a file", 6);
    assert_null(vip_catalogue_open(folder, 0, &error));
    assert_int_equal(error.status, VIPANN_E_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tape_says_where_sound_goes_on),
        cmocka_unit_test(test_a_full_tape_leaves_out_the_newest),
        cmocka_unit_test(test_a_clip_is_its_event_and_what_was_before_to_the_sample),
        cmocka_unit_test(test_inputs_and_stretches_of_sound_do_not_mix),
        cmocka_unit_test(test_only_what_is_unknown_is_saved_if_that_is_asked_and_no_more_than_the_longest),
        cmocka_unit_test(test_too_many_at_a_time_are_left_out_and_counted),
        cmocka_unit_test(test_where_there_is_no_room_no_half_of_a_clip_is_left),
        cmocka_unit_test(test_the_oldest_clips_go_and_nothing_else),
        cmocka_unit_test(test_a_folder_of_something_else_is_left_alone),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
