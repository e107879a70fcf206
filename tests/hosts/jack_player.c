/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jack_player.c -- other clients of a JACK server, for jack.sh:
 *
 *   jack_player play NAME WAV [fast]     plays WAV again and again on NAME:out_1 and so on, one port per channel, until SIGTERM;
 *                                        fast: free-wheeling from when each port is connected until one is no more
 *   jack_player roll NAME WAV [fast]     waits until each port is connected, then starts the transport at 0 and plays what
 *                                        stands at its frame, and silence behind the end; ends two seconds of sound later.
 *                                        fast: free-wheeling meanwhile
 *   jack_player sounds ONE TWO RATE      writes 9.5 s of noise, tones and silence in one channel, and with them a second later in two
 *   jack_player notes NAME               prints "FRAMES on|off CHANNEL NOTE VELOCITY" for what comes to NAME:in, until SIGTERM
 *
 * Status 1: what was waited for did not come within ten seconds, or the server has gone. */
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jack/jack.h>
#include <jack/midiport.h>
#include <jack/ringbuffer.h>
#include <sndfile.h>

enum { MOST_CHANNELS = 8, MESSAGES = 4096, PATIENCE_MS = 10000 };

typedef struct {
    jack_nframes_t frame;
    unsigned char bytes[3];
} note;

static struct {
    jack_client_t *jack;
    jack_port_t *ports[MOST_CHANNELS];
    float *sound; /* [frames][channels] */
    size_t frames, channels;
    bool rolls;               /* with the transport */
    size_t at;                /* JACK's thread: else the frame to come */
    jack_ringbuffer_t *heard; /* of notes */
    atomic_size_t played;     /* frames that rolled */
    atomic_bool lost;
} player;

static volatile sig_atomic_t over;

static void
on_signal(int number)
{
    (void)number;
    over = 1;
}

static void
on_shutdown(jack_status_t code, const char *reason, void *user)
{
    (void)code;
    (void)reason;
    (void)user;
    atomic_store(&player.lost, true);
}

static void
wait_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static int
fail(const char *what)
{
    (void)fprintf(stderr, "jack_player: %s\n", what);
    return 1;
}

/* ----------------------------------------------------------------------------------------------------------- sound */

static int
on_process(jack_nframes_t frames, void *user)
{
    jack_position_t position = {.frame = 0};
    const bool still = player.rolls && jack_transport_query(player.jack, &position) != JackTransportRolling;
    const size_t from = player.rolls ? position.frame : player.at;
    (void)user;
    for (size_t c = 0; c < player.channels; c++) {
        float *out = jack_port_get_buffer(player.ports[c], frames);
        for (size_t i = 0; i < frames; i++) {
            const size_t at = player.rolls ? from + i : (from + i) % player.frames;
            out[i] = still || at >= player.frames ? 0 : player.sound[at * player.channels + c];
        }
    }
    if (!still) {
        player.at = (player.at + frames) % player.frames;
        (void)atomic_fetch_add(&player.played, frames);
    }
    return 0;
}

static int
read_sound(const char *path)
{
    SF_INFO info = {.format = 0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (file == NULL || info.channels > MOST_CHANNELS || info.frames < 1) {
        return fail(file == NULL ? sf_strerror(NULL) : "too many channels, or no sound");
    }
    player.frames = (size_t)info.frames;
    player.channels = (size_t)info.channels;
    player.sound = malloc(player.frames * player.channels * sizeof *player.sound);
    const bool read = player.sound != NULL && sf_readf_float(file, player.sound, info.frames) == info.frames;
    (void)sf_close(file);
    if (!read || jack_get_sample_rate(player.jack) != (jack_nframes_t)info.samplerate) {
        return fail(read ? "the server has another rate than the sound" : "the sound cannot be read");
    }
    for (size_t c = 0; c < player.channels; c++) {
        char name[16];
        (void)snprintf(name, sizeof name, "out_%zu", c + 1);
        player.ports[c] = jack_port_register(player.jack, name, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    }
    return jack_set_process_callback(player.jack, on_process, NULL) || jack_activate(player.jack);
}

static bool
all_connected(void)
{
    size_t n = 0;
    for (size_t c = 0; c < player.channels; c++) {
        n += jack_port_connected(player.ports[c]) > 0;
    }
    return n == player.channels;
}

/* Until the condition holds; false: it did not, or there is no more use in waiting. */
static bool
wait_for(bool (*condition)(void))
{
    for (int ms = 0; ms < PATIENCE_MS && !over && !atomic_load(&player.lost); ms += 10) {
        if (condition()) {
            return true;
        }
        wait_ms(10);
    }
    return false;
}

static bool
all_played(void)
{
    return atomic_load(&player.played) >= player.frames + 2 * jack_get_sample_rate(player.jack);
}

static bool
at_start(void)
{
    jack_position_t position;
    return jack_transport_query(player.jack, &position) == JackTransportStopped && position.frame == 0;
}

static int
roll(bool fast)
{
    if (!wait_for(all_connected)) {
        return fail("not connected within ten seconds");
    }
    jack_transport_stop(player.jack);
    (void)jack_transport_locate(player.jack, 0);
    if (!wait_for(at_start) || (fast && jack_set_freewheel(player.jack, 1) != 0)) {
        return fail("the transport does not go to its start, or JACK does not free-wheel");
    }
    jack_transport_start(player.jack);
    bool done = false;
    do {
        done = wait_for(all_played);
    } while (!done && !over && !atomic_load(&player.lost));
    jack_transport_stop(player.jack);
    if (fast) {
        (void)jack_set_freewheel(player.jack, 0);
    }
    wait_ms(100); /* a server that is still busy with this may hang */
    return done ? 0 : fail("stopped before its end");
}

static int
play(bool fast)
{
    if (fast && (!wait_for(all_connected) || jack_set_freewheel(player.jack, 1) != 0)) {
        return fail("not connected within ten seconds, or JACK does not free-wheel");
    }
    while (!over && !atomic_load(&player.lost) && (!fast || all_connected())) {
        wait_ms(10);
    }
    if (fast && !atomic_load(&player.lost)) {
        (void)jack_set_freewheel(player.jack, 0);
        wait_ms(100); /* a server that is still busy with this may hang */
    }
    return atomic_load(&player.lost);
}

/* ----------------------------------------------------------------------------------------------------------- notes */

static int
on_notes(jack_nframes_t frames, void *user)
{
    void *buffer = jack_port_get_buffer(player.ports[0], frames);
    const jack_nframes_t begun = jack_last_frame_time(player.jack);
    (void)user;
    for (uint32_t i = 0; i < jack_midi_get_event_count(buffer); i++) {
        jack_midi_event_t event;
        if (jack_midi_event_get(&event, buffer, i) == 0 && event.size == 3) {
            note n = {.frame = begun + event.time};
            memcpy(n.bytes, event.buffer, sizeof n.bytes);
            (void)jack_ringbuffer_write(player.heard, (const char *)&n, sizeof n);
        }
    }
    return 0;
}

static void
print_notes(void)
{
    note n;
    while (jack_ringbuffer_read_space(player.heard) >= sizeof n) {
        (void)jack_ringbuffer_read(player.heard, (char *)&n, sizeof n);
        const bool on = (n.bytes[0] & 0xf0) == 0x90 && n.bytes[2] > 0;
        (void)printf("%u %s %d %d %d\n", n.frame, on ? "on" : "off", 1 + (n.bytes[0] & 0x0f), n.bytes[1], n.bytes[2]);
    }
}

static int
notes(void)
{
    player.heard = jack_ringbuffer_create(MESSAGES * sizeof(note));
    player.ports[0] = jack_port_register(player.jack, "in", JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 0);
    if (jack_set_process_callback(player.jack, on_notes, NULL) || jack_activate(player.jack)) {
        return fail("not let in");
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while (!over && !atomic_load(&player.lost)) {
        print_notes();
        wait_ms(10);
    }
    print_notes();
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- sounds */

/* A second each of noise, a tone that rises from one to the next, noise and tone, and nothing. */
static float
sample(size_t i, size_t rate, uint32_t *random)
{
    static const double loud[4][2] = {{0.3, 0}, {0, 0.5}, {0.1, 0.3}, {0, 0}};
    const size_t second = i / rate;
    const double tone = sin(2 * 3.14159265358979 * (double)(300 * (second + 1)) * (double)i / (double)rate);
    *random = *random * 1664525 + 1013904223;
    const double noise = (double)*random / 2147483648.0 - 1;
    return (float)(loud[second % 4][0] * noise + loud[second % 4][1] * tone);
}

static int
write_sound(const char *path, const float *sound, size_t frames, size_t channels, size_t rate)
{
    SF_INFO info = {.samplerate = (int)rate, .channels = (int)channels, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    const sf_count_t n = (sf_count_t)frames;
    const bool well = file != NULL && sf_writef_float(file, sound, n) == n;
    return sf_close(file) != 0 || !well;
}

static int
sounds(const char *one, const char *two, size_t rate)
{
    const size_t frames = rate * 19 / 2;
    float *mono = calloc(frames, sizeof *mono), *both = calloc(2 * frames, sizeof *both);
    uint32_t random = 1;
    for (size_t i = 0; mono != NULL && both != NULL && i < frames; i++) {
        mono[i] = both[2 * i] = sample(i, rate, &random);
        both[2 * i + 1] = i >= rate ? mono[i - rate] : 0;
    }
    const bool well = mono != NULL && both != NULL && write_sound(one, mono, frames, 1, rate) == 0 &&
                      write_sound(two, both, frames, 2, rate) == 0;
    free(mono);
    free(both);
    return well ? 0 : fail("the sounds cannot be written");
}

static void
say_nothing(const char *text)
{
    (void)text;
}

int
main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "sounds") == 0) {
        return sounds(argv[2], argv[3], (size_t)strtoul(argv[4], NULL, 10));
    }
    const bool rolls = argc >= 4 && strcmp(argv[1], "roll") == 0;
    const bool plays = argc >= 4 && strcmp(argv[1], "play") == 0;
    if (!rolls && !plays && !(argc == 3 && strcmp(argv[1], "notes") == 0)) {
        (void)fputs(
            "usage: jack_player play NAME WAV [fast] | roll NAME WAV [fast] | notes NAME | sounds ONE TWO RATE\n",
            stderr);
        return 2;
    }
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    jack_set_error_function(say_nothing);
    jack_set_info_function(say_nothing);
    player.jack = jack_client_open(argv[2], JackNoStartServer | JackUseExactName, NULL);
    if (player.jack == NULL) {
        return fail("no server, or the name is taken");
    }
    jack_on_info_shutdown(player.jack, on_shutdown, NULL);
    player.rolls = rolls;
    int status = rolls || plays ? read_sound(argv[3]) : notes();
    if (status == 0 && (rolls || plays)) {
        status = rolls ? roll(argc > 4) : play(argc > 4);
    }
    (void)jack_client_close(player.jack);
    free(player.sound);
    return status;
}
