/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.c -- what rows share. */
#include "rows.h"

#include <lv2/data-access/data-access.h>
#include <lv2/instance-access/instance-access.h>
#include <lv2/parameters/parameters.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool
no(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fputs("# ", stdout);
    (void)vprintf(format, list);
    (void)fputs("\n", stdout);
    va_end(list);
    return false;
}

/* --------------------------------------------------------------------------------------------------------- features */

const char *
gives_name(gives what)
{
    static const char *const names[] = {[GIVES_NULL] = "no list of features",
                                        [GIVES_NOTHING] = "no features",
                                        [GIVES_MAP] = "map alone",
                                        [GIVES_HALF] = "features without data or URI",
                                        [GIVES_MAP_NO_DATA] = "a map without data",
                                        [GIVES_STRANGE] = "strange options and a map that refuses",
                                        [GIVES_ALL] = "all features",
                                        [GIVES_LOG] = "a log and maps",
                                        [GIVES_FIXED] = "blocks that are said to be of one size",
                                        [GIVES_WORKER] = "a worker",
                                        [GIVES_MUCH] = "much that is not asked for"};
    return names[what];
}

static int
print_nothing(LV2_Log_Handle handle, LV2_URID type, const char *format, ...)
{
    (void)handle, (void)type, (void)format;
    return 0;
}

static int
vprint_nothing(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list list)
{
    (void)handle, (void)type, (void)format, (void)list;
    return 0;
}

static LV2_URID
refuse(LV2_URID_Map_Handle handle, const char *uri)
{
    (void)handle, (void)uri;
    return 0;
}

static LV2_Worker_Status
work_never(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data)
{
    (void)handle, (void)size, (void)data;
    return LV2_WORKER_ERR_UNKNOWN;
}

static char *
make_no_path(LV2_State_Make_Path_Handle handle, const char *path)
{
    (void)handle, (void)path;
    return NULL;
}

static void
add(features *f, size_t i, const char *uri, void *data)
{
    f->given[i] = (LV2_Feature){uri, data};
    f->list[i] = &f->given[i];
}

static LV2_Options_Option
option(uris *names, const char *key, const char *type, uint32_t size, const void *value)
{
    return (LV2_Options_Option){
        LV2_OPTIONS_INSTANCE, 0, uris_number(names, key), size, type == NULL ? 0 : uris_number(names, type), value};
}

static void
make_options(features *f, uris *names, bool strange)
{
    f->rate = 48000;
    f->max_block = strange ? -5 : 8192;
    f->min_block = 1;
    f->options[0] = option(names, LV2_BUF_SIZE__maxBlockLength, LV2_ATOM__Int, sizeof f->max_block, &f->max_block);
    f->options[1] = option(names, LV2_BUF_SIZE__minBlockLength, LV2_ATOM__Int, sizeof f->min_block, &f->min_block);
    f->options[2] = option(names, LV2_PARAMETERS__sampleRate, LV2_ATOM__Float, sizeof f->rate, &f->rate);
    if (strange) {
        f->options[1] = option(names, LV2_BUF_SIZE__maxBlockLength, LV2_ATOM__String, 3, "no");
        f->options[2] = option(names, LV2_BUF_SIZE__nominalBlockLength, LV2_ATOM__Int, 0, NULL);
        f->options[3] = option(names, LV2_BUF_SIZE__maxBlockLength, LV2_ATOM__Int, 1, &f->max_block);
    }
}

const LV2_Feature *const *
features_make(features *f, gives what, uris *names)
{
    *f = (features){.map = uris_map(names),
                    .unmap = uris_unmap(names),
                    .log = {NULL, print_nothing, vprint_nothing},
                    .worker = {NULL, work_never},
                    .paths = {NULL, make_no_path}};
    make_options(f, names, what == GIVES_STRANGE);
    switch (what) {
    case GIVES_NULL:
        return NULL;
    case GIVES_MAP:
        add(f, 0, LV2_URID__map, &f->map);
        break;
    case GIVES_HALF:
        add(f, 0, LV2_URID__unmap, NULL);
        add(f, 1, NULL, NULL);
        add(f, 2, LV2_LOG__log, NULL);
        add(f, 3, LV2_OPTIONS__options, f->options);
        add(f, 4, LV2_URID__map, &f->map);
        add(f, 5, "urn:nobody:knows", f);
        break;
    case GIVES_MAP_NO_DATA:
        add(f, 0, LV2_URID__map, NULL);
        add(f, 1, LV2_OPTIONS__options, NULL);
        break;
    case GIVES_STRANGE:
        f->map.map = refuse;
        add(f, 0, LV2_OPTIONS__options, f->options);
        add(f, 1, LV2_URID__map, &f->map);
        break;
    case GIVES_ALL:
        add(f, 0, LV2_URID__map, &f->map);
        add(f, 1, LV2_URID__unmap, &f->unmap);
        add(f, 2, LV2_OPTIONS__options, f->options);
        add(f, 3, LV2_LOG__log, &f->log);
        add(f, 4, LV2_BUF_SIZE__boundedBlockLength, NULL);
        break;
    case GIVES_LOG:
        add(f, 0, LV2_LOG__log, &f->log);
        add(f, 1, LV2_URID__map, &f->map);
        add(f, 2, LV2_URID__unmap, &f->unmap);
        break;
    case GIVES_FIXED:
    case GIVES_WORKER:
        add(f, 0, LV2_URID__map, &f->map);
        add(f, 1, LV2_URID__unmap, &f->unmap);
        add(f, 2, LV2_BUF_SIZE__powerOf2BlockLength, NULL);
        add(f, 3, LV2_BUF_SIZE__fixedBlockLength, NULL);
        add(f, 4, LV2_BUF_SIZE__boundedBlockLength, NULL);
        if (what == GIVES_WORKER) {
            add(f, 5, LV2_WORKER__schedule, &f->worker);
            add(f, 6, LV2_LOG__log, &f->log);
            add(f, 7, LV2_OPTIONS__options, f->options);
            add(f, 8, LV2_STATE__loadDefaultState, NULL);
        }
        break;
    case GIVES_MUCH:
        add(f, 0, LV2_INSTANCE_ACCESS_URI, NULL);
        add(f, 1, LV2_DATA_ACCESS_URI, NULL);
        add(f, 2, LV2_STATE__makePath, &f->paths);
        add(f, 3, LV2_URID__map, &f->map);
        add(f, 4, LV2_URID__unmap, &f->unmap);
        add(f, 5, LV2_LOG__log, &f->log);
        add(f, 6, LV2_BUF_SIZE__boundedBlockLength, NULL);
        add(f, 7, LV2_WORKER__schedule, &f->worker);
        add(f, 8, LV2_OPTIONS__options, f->options);
        add(f, 9, "http://ardour.org/lv2/threads", NULL);
        break;
    default:
        break;
    }
    return f->list;
}

/* ----------------------------------------------------------------------------------------------------------- sounds */

uint32_t
dice_below(dice *d, uint32_t n)
{
    d->s = d->s * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((d->s >> 32) % n);
}

void
sound_fill(float *x, uint32_t n, sound kind, dice *d)
{
    for (uint32_t i = 0; i < n; i++) {
        float noise = ((float)dice_below(d, 65536) - 32768) / 32768;
        bool rare = dice_below(d, 50) == 0;
        switch (kind) {
        case SOUND_SILENCE:
            x[i] = 0;
            break;
        case SOUND_DENORMAL:
            x[i] = noise * 1e-39F;
            break;
        case SOUND_LOUD:
            x[i] = noise * 1e30F;
            break;
        case SOUND_INFINITE:
            x[i] = rare ? (noise < 0 ? -INFINITY : INFINITY) : noise;
            break;
        case SOUND_NAN:
            x[i] = rare ? NAN : noise;
            break;
        default:
            x[i] = 0.3F * noise;
        }
    }
}

void
play(rig *r, uint32_t frames, sound kind, dice *d)
{
    for (uint32_t c = 0; c < r->of->channels; c++) {
        sound_fill(r->in[c], frames, kind, d);
    }
    rig_run(r, frames);
}

void
put_in_place(rig *r)
{
    uint32_t channel = 0;
    for (uint32_t i = 0; i < r->of->n; i++) {
        if (r->of->ports[i].kind == PORT_AUDIO && !r->of->ports[i].input) {
            r->of->descriptor->connect_port(r->handle, i, r->in[channel++]);
        }
    }
}

bool
passes(rig *r, uint32_t frames, sound kind, dice *d, bool in_place)
{
    static _Thread_local float kept[MOST_CHANNELS][MOST_FRAMES];
    for (uint32_t c = 0; c < r->of->channels; c++) {
        sound_fill(r->in[c], frames, kind, d);
        memcpy(kept[c], r->in[c], frames * sizeof kept[c][0]);
    }
    rig_run(r, frames);
    for (uint32_t c = 0; c < r->of->channels; c++) {
        if (memcmp(kept[c], in_place ? r->in[c] : r->out[c], frames * sizeof kept[c][0]) != 0) {
            return no("%s: channel %u of %u frames of sound %d came out different", r->of->uri, c, frames, (int)kind);
        }
    }
    return true;
}

void
wait_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

bool
play_until_heard(rig *r, const char *text, unsigned most_ms)
{
    dice d = {3};
    for (unsigned i = 0; i < most_ms; i++) {
        play(r, 512, SOUND_NOISE, &d);
        if (rig_heard(r, text)) {
            return true;
        }
        wait_ms(1);
    }
    return false;
}
