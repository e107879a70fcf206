/* SPDX-License-Identifier: GPL-3.0-or-later */
/* make_seeds.c -- writes what the fuzzers begin with: `make_seeds FOLDER` fills FOLDER/TARGET with small good
 * inputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include <model/metadata.h>

#include "tests/data/random_model.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum { MOST_PATH = 512 };

static void
give_up(const char *what)
{
    (void)fprintf(stderr, "make_seeds: %s\n", what);
    exit(1);
}

/* FOLDER/TARGET/NAME; the folder is made if it is not there. */
static const char *
place(char path[MOST_PATH], const char *folder, const char *target, const char *name)
{
    int n = snprintf(path, MOST_PATH, "%s/%s", folder, target);
    if (n < 0 || n >= MOST_PATH) {
        give_up("the folder's name is too long");
    }
    (void)mkdir(path, 0777); /* it may be there */
    n = snprintf(path, MOST_PATH, "%s/%s/%s", folder, target, name);
    if (n < 0 || n >= MOST_PATH) {
        give_up("the folder's name is too long");
    }
    return path;
}

static void
put(const char *folder, const char *target, const char *name, const void *bytes, size_t n)
{
    char path[MOST_PATH];
    FILE *file = fopen(place(path, folder, target, name), "wb");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        give_up(path);
    }
}

/* ---------------------------------------------------------------------------------------------------------- models */

static void
put_models(const char *folder)
{
    static const struct {
        const char *name;
        random_model_spec spec;
        bool half, sum;
    } models[] = {
        {"dropout", {VIP_RESNET22, 1, 2, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, 1}, false, false},
        {"halves", {VIP_RESNET22, 1, 1, VIP_CAUSAL, VIPANN_DETERMINISTIC, VIPANN_MULTICLASS, 2}, true, true},
        {"ensemble", {VIP_RESNET22, 1, 1, VIP_SAME, VIPANN_ENSEMBLE, VIPANN_MULTILABEL, 4}, true, false},
        {"meanfield", {VIP_RESNET22, 1, 2, VIP_CAUSAL, VIPANN_MEANFIELD, VIPANN_MULTICLASS, 3}, true, false},
        {"sum", {VIP_RESNET22, 1, 2, VIP_SAME, VIPANN_DROPOUT, VIPANN_MULTILABEL, 5}, false, true},
    };
    for (size_t i = 0; i < LENGTH(models); i++) {
        char path[MOST_PATH];
        vipann_error error = {VIPANN_E_MEMORY, "memory is short"};
        vip_model *model = random_ensemble(&models[i].spec, 2);
        if (model == NULL || (models[i].sum && !random_model_sum(model, 2, 1)) ||
            vip_model_write(model, place(path, folder, "model", models[i].name), models[i].half, &error) != VIPANN_OK) {
            give_up(error.text);
        }
        json_t *metadata = vip_metadata_write(model);
        char *text = json_dumps(metadata, JSON_COMPACT);
        if (text == NULL) {
            give_up("memory is short");
        }
        put(folder, "metadata", models[i].name, text, strlen(text));
        free(text);
        json_decref(metadata);
        vip_model_free(model);
    }
}

/* ----------------------------------------------------------------------------------------------------------- texts */

static void
put_texts(const char *folder)
{
    static const struct {
        const char *target, *name, *text;
    } texts[] = {
        {"rules", "all",
         "# a night at the lake\nthreshold = 0.4\nhysteresis=0.3\nmin_length = 0.5 # seconds\nmerge_gap = 1\n"
         "hops = 2 of 3\nreport = yes\nlevel = -60\n"},
        {"rules", "classes",
         "report = no\n\n[class \"Dog\"]\nreport = yes\nthreshold = model\n\n[class \"Say \\\"hi\\\" \\\\\"]\r\n"
         "hops = 1 of 1\r\nmin_length=0\r\n"},
        {"rules", "marked", "\xef\xbb\xbf[class \"Dog\"]\nthreshold = 1e-1"},
        {"rules", "wrong", "threshold = 0.5\nthresold = 0.6\n"},
        {"journal", "whole",
         "a.wav\nvipann journal 1\tmodel=tiny 0123456789ab\tpasses=8\thop=0.32\n100\tok\txa.wav\n"
         "100\tfailed\tb.wav\n250\tok\tanother.wav\n"},
        {"journal", "cut", "b\nvipann journal 1\tmodel=tiny 0123456789ab\tpasses=8\thop=0.32\n7\tok\tx\\x0ab\n9\tok"},
        {"journal", "other", "c\nvipann journal 1\tmodel=tiny 0123456789ab\tpasses=4\thop=0.32\n"},
        {"option_file", "night",
         "# a night at the lake\npasses = 8\nwindow=all # of it\r\nevents = yes\nmodel = \"a # b\"\n"},
        {"option_file", "given", "passes = 8\nhop = 0.64\nmidi = yes\nseed = 18446744073709551615"},
        {"option_file", "wrong", "\xef\xbb\xbfpases = 8\npasses = 65\nclip = maybe\n"},
        {"options", "plain", "a.wav\t--passes\t8\t--format=jsonl\t--clip"},
        {"options", "wrong", "--pases\t--top=all\t-x\t--\t--help"},
        {"options", "many", "--window\tall\t--hop=0.5\t--model\tm\t--threads\t2\t--channel=1\t--seed=3\tx"},
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        put(folder, texts[i].target, texts[i].name, texts[i].text, strlen(texts[i].text));
    }
}

/* ---------------------------------------------------------------------------------------------------------- sounds */

/* Appends numbers of 1 to 4 bytes, the least first, or if `big` the most. */
static size_t
number(unsigned char *to, size_t at, uint32_t value, size_t bytes, bool big)
{
    for (size_t i = 0; i < bytes; i++) {
        to[at + i] = (unsigned char)(value >> (8 * (big ? bytes - 1 - i : i)));
    }
    return at + bytes;
}

static size_t
word(unsigned char *to, size_t at, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) { /* without its end */
        to[at + i] = (unsigned char)text[i];
    }
    return at + n;
}

enum { CHOICES = 2, HEADER = 64, FRAMES = 600 }; /* bytes: the first of an input choose what is asked of the sound */

static void
put_wav(const char *folder, const char *name, uint16_t format, uint16_t channels, uint16_t bits, uint32_t claimed)
{
    unsigned char file[CHOICES + HEADER + FRAMES * 16] = {0, 0};
    const uint32_t frame = (uint32_t)channels * bits / 8, bytes = FRAMES * frame;
    size_t at = word(file, CHOICES, "RIFF");
    at = number(file, at, 36 + claimed, 4, false);
    at = word(file, at, "WAVEfmt ");
    at = number(file, at, 16, 4, false);
    at = number(file, at, format, 2, false);
    at = number(file, at, channels, 2, false);
    at = number(file, at, 16000, 4, false);
    at = number(file, at, 16000 * frame, 4, false);
    at = number(file, at, frame, 2, false);
    at = number(file, at, bits, 2, false);
    at = word(file, at, "data");
    at = number(file, at, claimed, 4, false);
    for (uint32_t i = 0; i < bytes; i++) {
        file[at++] = (unsigned char)(i * i >> 3);
    }
    put(folder, "audio", name, file, at);
}

static void
put_au(const char *folder)
{
    unsigned char file[CHOICES + HEADER + FRAMES] = {0, 1};
    size_t at = word(file, CHOICES, ".snd");
    const uint32_t fields[] = {24, 0xffffffff, 1, 8000, 1}; /* mu-law of a length that is not known */
    for (size_t i = 0; i < LENGTH(fields); i++) {
        at = number(file, at, fields[i], 4, true);
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        file[at++] = (unsigned char)(i * 7);
    }
    put(folder, "audio", "au", file, at);
}

static void
put_aiff(const char *folder)
{
    static const char rate[] = {0x40, 0x0c, (char)0xfa, 0, 0, 0, 0, 0, 0, 0}; /* 16000 in 80 bits */
    unsigned char file[CHOICES + HEADER + FRAMES * 2] = {1, 0};
    size_t at = word(file, CHOICES, "FORM");
    at = number(file, at, 46 + FRAMES * 2, 4, true);
    at = word(file, at, "AIFFCOMM");
    at = number(file, at, 18, 4, true);
    at = number(file, at, 1, 2, true);
    at = number(file, at, FRAMES, 4, true);
    at = number(file, at, 16, 2, true);
    memcpy(file + at, rate, sizeof rate);
    at = word(file, at + sizeof rate, "SSND");
    at = number(file, at, 8 + FRAMES * 2, 4, true);
    at = number(file, at, 0, 4, true);
    at = number(file, at, 0, 4, true);
    for (uint32_t i = 0; i < FRAMES; i++) {
        at = number(file, at, i * 97 & 0xffff, 2, true);
    }
    put(folder, "audio", "aiff", file, at);
}

/* Sounds of the theme that the demo uses, if it is there and they are small: formats that are hard to make. */
static void
put_found(const char *folder)
{
    static const char *const found[] = {"/usr/share/sounds/freedesktop/stereo/audio-volume-change.oga",
                                        "/usr/share/sounds/freedesktop/stereo/message.oga"};
    for (size_t i = 0; i < LENGTH(found); i++) {
        unsigned char file[1 << 15] = {0, (unsigned char)i};
        FILE *from = fopen(found[i], "rb");
        size_t n = from != NULL ? fread(file + CHOICES, 1, sizeof file - CHOICES, from) : 0;
        if (n > 0 && n < sizeof file - CHOICES) {
            put(folder, "audio", i == 0 ? "ogg" : "ogg-2", file, CHOICES + n);
        }
        if (from != NULL) {
            (void)fclose(from);
        }
    }
}

/* ------------------------------------------------------------------------------------------------------ checkpoints */

/* A string of a pickle. */
static size_t
quoted(unsigned char *to, size_t at, const char *text)
{
    at = word(to, at, "X");
    at = number(to, at, (uint32_t)strlen(text), 4, false);
    return word(to, at, text);
}

/* An entry of a state dict: a tensor that lies in storage "0", of so many floats, from element `offset` on. */
static size_t
entry(unsigned char *to, size_t at, const vip_tensor_shape *shape, uint32_t elements, uint32_t offset)
{
    uint32_t strides[4] = {1, 1, 1, 1};
    for (int i = shape->rank - 1; i > 0; i--) {
        strides[i - 1] = strides[i] * shape->shape[i];
    }
    at = quoted(to, at, shape->name);
    at = quoted(to, word(to, at, "ctorch._utils\n_rebuild_tensor_v2\n(("), "storage");
    at = quoted(to, word(to, at, "ctorch\nFloatStorage\n"), "0");
    at = quoted(to, at, "cpu");
    at = number(to, word(to, at, "J"), elements, 4, false);
    at = number(to, word(to, at, "tQJ"), offset, 4, false);
    const uint32_t *const tuples[] = {shape->shape, strides};
    for (size_t i = 0; i < LENGTH(tuples); i++) {
        at = word(to, at, "(");
        for (int k = 0; k < shape->rank; k++) {
            at = number(to, word(to, at, "J"), tuples[i][k], 4, false);
        }
        at = word(to, at, "t");
    }
    return word(to, at,
                "\x89"
                "ccollections\nOrderedDict\n)RtR");
}

/* A network of width 1 as an old container has it, all of its numbers 1: small changes leave it one. */
static void
put_network(const char *folder)
{
    static vip_tensor_shape shapes[VIP_MAX_TENSORS];
    vip_network network;
    uint32_t elements = 0, offset = 0;
    vip_network_fill(&network, VIP_RESNET22, 1, 1, VIP_SAME);
    const int n = vip_network_tensors(&network, shapes);
    for (int i = 0; i < n; i++) {
        elements += (uint32_t)vip_tensor_size(&shapes[i]);
    }
    unsigned char *file = calloc((size_t)n * 320 + 4 * (size_t)elements, 1);
    if (file == NULL) {
        give_up("memory is short");
    }
    file[0] = 2;
    size_t at = word(file, 1, "\x80\x02}(");
    for (int i = 0; i < n; i++) {
        at = entry(file, at, &shapes[i], elements, offset);
        offset += (uint32_t)vip_tensor_size(&shapes[i]);
    }
    at = word(file, quoted(file, word(file, at, "u.\x80\x02]"), "0"), "a.");
    at = number(file, number(file, at, elements, 4, false), 0, 4, false);
    for (uint32_t i = 0; i < elements; i++) {
        at = number(file, at, 0x3f800000, 4, false);
    }
    put(folder, "torch", "network", file, at);
    free(file);
}

/* The first byte says what it is: a whole file, the pickle of a zip file, what an old container has behind its preamble. */
static void
put_checkpoints(const char *folder)
{
    static const vip_tensor_shape vector = {"fc1.bias", VIP_LINEAR_BIAS, 1, {4}};
    static const vip_tensor_shape matrix = {"fc_audioset.weight", VIP_LINEAR_WEIGHT, 2, {1, 32}};
    unsigned char file[1024] = {1};
    size_t at = word(file, entry(file, word(file, 1, "\x80\x02}"), &vector, 1, 0), "s.");
    put(folder, "torch", "zip", file, at);
    at = word(file, entry(file, word(file, 1, "\x80\x02}"), &matrix, 64, 4), "s.");
    put(folder, "torch", "zip-head", file, at);
    file[0] = 0;
    at = word(file, 1, "PK\x05\x06");
    put(folder, "torch", "empty", file, at + 18);
    put_network(folder);
}

/* What the trainer reads; the first byte says what it is (fuzz_training.c). */
static void
put_training(const char *folder)
{
    static const char *const seeds[] = {
        "manifest:%cpath,labels,fold,group\na.wav,\"dog;cat\",1,r1\n\"b, c.wav\",bird,2,\n",
        "cache:%c{\"frontend\":{\"name\":\"panns16k\",\"sample_rate\":16000,\"n_fft\":512,\"hop\":160,\"mels\":64,"
        "\"fmin\":50,"
        "\"fmax\":8000,\"amin\":1e-10},\"clips\":[{\"set\":\"s\",\"path\":\"a\",\"labels\":[\"x\"],\"fold\":1,"
        "\"group\":\"g\","
        "\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"seconds\":0.3,\"frames\":32}"
        "]}\n",
        "whole:%cvipann",
        "expression:%cset=set & !label=dog,c* | fold=2",
        "teacher:%c{\"start\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,12]},\"class\":{\"dtype\":\"I16\","
        "\"shape\":[1],"
        "\"data_offsets\":[12,14]},\"score\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[14,15]}}\n",
        "list:%cpath,first_row,rows\na.wav,0,1\n",
        "checkpoint:%cvipann\nc",
    };
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        unsigned char file[8192] = {0};
        char name[16] = "";
        const size_t n = strcspn(seeds[i], ":"), length = strlen(seeds[i] + n + 3);
        memcpy(name, seeds[i], n);
        file[0] = (unsigned char)i;
        memcpy(file + 1, seeds[i] + n + 3, length);
        const size_t frames = strcmp(name, "cache") == 0 ? 32 * 64 * 2 : strcmp(name, "checkpoint") == 0 ? 190 : 15;
        if (strcmp(name, "teacher") == 0) { /* rows 0 and 1 begin at entries 0 and 1; class 1 scores 200 */
            file[1 + length + 4] = file[1 + length + 8] = file[1 + length + 12] = 1;
            file[1 + length + 14] = 200;
        }
        put(folder, "training", name, file, 1 + length + (file[0] == 1 || file[0] == 4 || file[0] == 6 ? frames : 0));
    }
}

/* ---------------------------------------------------------------------------------------------------------- streams */

/* Decisions and sound for fuzz_engine and fuzz_writers: bytes that are all different. */
static void
put_noise(const char *folder, const char *target)
{
    static const struct {
        const char *name;
        size_t n;
    } sizes[] = {{"short", 64}, {"middle", 256}, {"long", 1024}};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        unsigned char bytes[1024];
        uint32_t random = (uint32_t)i + 1;
        for (size_t k = 0; k < sizes[i].n; k++) {
            random = random * 1664525u + 1013904223u;
            bytes[k] = (unsigned char)(random >> 24);
        }
        put(folder, target, sizes[i].name, bytes, sizes[i].n);
    }
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fputs("usage: make_seeds FOLDER\n", stderr);
        return 2;
    }
    (void)mkdir(argv[1], 0777);
    put_models(argv[1]);
    put_texts(argv[1]);
    put_checkpoints(argv[1]);
    put_training(argv[1]);
    put_wav(argv[1], "wav", 1, 1, 16, FRAMES * 2);
    put_wav(argv[1], "wav-stereo", 1, 2, 24, FRAMES * 6);
    put_wav(argv[1], "wav-float", 3, 1, 32, FRAMES * 4);
    put_wav(argv[1], "wav-stream", 1, 1, 16, 0xffffffff - 36);
    put_wav(argv[1], "wav-mulaw", 7, 1, 8, 0);
    put_au(argv[1]);
    put_aiff(argv[1]);
    put_found(argv[1]);
    put_noise(argv[1], "engine");
    put_noise(argv[1], "writers");
    return 0;
}
