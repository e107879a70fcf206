/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_state.c -- sessions: what is saved comes back, from wherever the files have gone. */
#include <lv2/state/state.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { MOST_KEYS = 32, MOST_VALUE = 4096 };

/* What a host keeps of a session. */
typedef struct {
    size_t n;
    struct {
        uint32_t key, type, flags;
        size_t size;
        char value[MOST_VALUE];
    } kept[MOST_KEYS];
    bool full;            /* refuses everything */
    unsigned asked;       /* how many keys were asked for */
    int unfreed;          /* paths given out, less those given back */
    const char *was, *is; /* a folder that has moved */
} session;

static LV2_State_Status
store(LV2_State_Handle handle, uint32_t key, const void *value, size_t size, uint32_t type, uint32_t flags)
{
    session *s = handle;
    if (s->full || s->n == MOST_KEYS || size > MOST_VALUE) {
        return LV2_STATE_ERR_NO_SPACE;
    }
    s->kept[s->n].key = key;
    s->kept[s->n].type = type;
    s->kept[s->n].flags = flags;
    s->kept[s->n].size = size;
    memcpy(s->kept[s->n++].value, value, size);
    return LV2_STATE_SUCCESS;
}

static const void *
retrieve(LV2_State_Handle handle, uint32_t key, size_t *size, uint32_t *type, uint32_t *flags)
{
    session *s = handle;
    s->asked++;
    for (size_t i = 0; i < s->n; i++) {
        if (s->kept[i].key == key) {
            *size = s->kept[i].size;
            *type = s->kept[i].type;
            *flags = s->kept[i].flags;
            return s->kept[i].value;
        }
    }
    return NULL;
}

/* The path with the folder `from` replaced; the plugin gives it back through put_away. */
static char *
moved(session *s, const char *path, const char *from, const char *to)
{
    size_t n = strlen(from), size = strlen(path) + strlen(to) + 1;
    char *out = malloc(size);
    if (out != NULL) {
        bool below = strncmp(path, from, n) == 0;
        (void)snprintf(out, size, "%s%s", below ? to : "", below ? path + n : path);
        s->unfreed++;
    }
    return out;
}

static char *
abstract(LV2_State_Map_Path_Handle handle, const char *path)
{
    session *s = handle;
    return moved(s, path, s->was, "SESSION:");
}

static char *
absolute(LV2_State_Map_Path_Handle handle, const char *path)
{
    session *s = handle;
    return moved(s, path, "SESSION:", s->is);
}

static void
put_away(LV2_State_Free_Path_Handle handle, char *path)
{
    session *s = handle;
    s->unfreed--;
    free(path);
}

typedef struct {
    LV2_State_Map_Path map;
    LV2_State_Free_Path free;
    LV2_Feature given[2];
    const LV2_Feature *list[3];
} path_features;

static const LV2_Feature *const *
paths_make(path_features *f, session *s)
{
    *f = (path_features){.map = {s, abstract, absolute}, .free = {s, put_away}};
    f->given[0] = (LV2_Feature){LV2_STATE__mapPath, &f->map};
    f->given[1] = (LV2_Feature){LV2_STATE__freePath, &f->free};
    f->list[0] = &f->given[0];
    f->list[1] = &f->given[1];
    return f->list;
}

static const LV2_State_Interface *
states(const rig *r)
{
    return r->of->descriptor->extension_data(LV2_STATE__interface);
}

/* ------------------------------------------------------------------------------------------------------------- rows */

/* Copies a file into the scratch folder's folder `below`, which is made. */
static bool
copy_to(const bench *b, const char *from, const char *below, char *path, size_t size)
{
    char command[4096];
    (void)snprintf(path, size, "%s/%s/model.safetensors", b->scratch, below);
    (void)snprintf(command, sizeof command, "mkdir -p '%s/%s' && cp '%s' '%s'", b->scratch, below, from, path);
    return system(command) == 0;
}

static rig *
made(bench *b, features *f)
{
    return rig_new(&b->lv2.mono, b->names, 48000, features_make(f, GIVES_ALL, b->names));
}

/* An instance with the model `path`, saved to s. */
static bool
saved(bench *b, session *s, const char *path, const LV2_Feature *const *how)
{
    features f;
    rig *r = made(b, &f);
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    rig_send_path(r, path);
    bool well =
        model_becomes(r, path) && states(r)->save(r->handle, store, s, LV2_STATE_IS_POD, how) == LV2_STATE_SUCCESS;
    rig_free(r);
    return well && (s->n > 0 || no("nothing was saved"));
}

static bool
finds_its_path(bench *b, const session *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->kept[i].type == uris_number(b->names, LV2_ATOM__Path)) {
            return strcmp(s->kept[i].value, "SESSION:/model.safetensors") == 0 ||
                   no("the path was saved as %s", s->kept[i].value);
        }
    }
    return no("no path was saved");
}

static bool
follows_a_moved_session(bench *b)
{
    char here[1024], there[1024], was[1024], is[1024];
    if (!copy_to(b, b->other, "here", here, sizeof here) || !copy_to(b, b->other, "there", there, sizeof there)) {
        return no("no room");
    }
    (void)snprintf(was, sizeof was, "%s/here", b->scratch);
    (void)snprintf(is, sizeof is, "%s/there", b->scratch);
    static session s;
    s = (session){.was = was, .is = is};
    path_features p;
    if (!saved(b, &s, here, paths_make(&p, &s)) || !finds_its_path(b, &s)) {
        return false;
    }
    for (int live = 0; live < 2; live++) { /* restored before it is activated, and while it runs */
        features f;
        rig *r = made(b, &f);
        if (r == NULL) {
            return no("not made");
        }
        if (live) {
            rig_activate(r);
        }
        LV2_State_Status status = states(r)->restore(r->handle, retrieve, &s, 0, p.list);
        if (!live) {
            rig_activate(r);
        }
        bool well = status == LV2_STATE_SUCCESS && model_becomes(r, there);
        rig_free(r);
        if (!well) {
            return no("restored %s", live ? "while it ran" : "before it ran");
        }
    }
    return s.unfreed == 0 || no("%d paths were not given back", s.unfreed);
}

static bool
keeps_what_is_missing(bench *b)
{
    features f;
    static session s;
    s = (session){.was = "/nowhere", .is = "/nowhere"};
    path_features p;
    rig *r = made(b, &f);
    if (r == NULL) {
        return no("not made");
    }
    rig_activate(r);
    rig_send_path(r, b->other);
    bool well = model_becomes(r, b->other);
    LV2_State_Status status = states(r)->restore(r->handle, retrieve, &s, 0, paths_make(&p, &s));
    well = well && status == LV2_STATE_SUCCESS && s.asked > 0 && model_becomes(r, b->other);
    rig_deactivate(r);
    status = states(r)->restore(r->handle, retrieve, &s, 0, NULL);
    rig_activate(r);
    well = well && status == LV2_STATE_SUCCESS && model_becomes(r, b->other);
    rig_free(r);
    return well;
}

/* Restores one wrong state; the old model stays. */
static bool
survives(bench *b, const char *type, const char *value, size_t size, bool live)
{
    features f;
    static session s;
    s = (session){.n = 1, .was = "/nowhere", .is = "/nowhere"};
    path_features p;
    rig *r = made(b, &f);
    if (r == NULL) {
        return no("not made");
    }
    s.kept[0].key = uris_number(b->names, r->of->model_key);
    s.kept[0].type = uris_number(b->names, type);
    s.kept[0].size = size;
    memcpy(s.kept[0].value, value, size);
    if (live) {
        rig_activate(r);
    }
    (void)states(r)->restore(r->handle, retrieve, &s, 0, paths_make(&p, &s));
    if (!live) {
        rig_activate(r);
    }
    dice d = {1};
    for (unsigned i = 0; i < 50; i++) {
        play(r, 256, SOUND_NOISE, &d);
        wait_ms(1);
    }
    bool well = model_becomes(r, b->tiny) && s.unfreed == 0;
    rig_free(r);
    return well;
}

static bool
survives_wrong_states(bench *b)
{
    static char unended[64] = "/";
    memset(unended, 'x', sizeof unended);
    for (int live = 0; live < 2; live++) {
        if (!survives(b, LV2_ATOM__Path, "", 1, live) || !survives(b, LV2_ATOM__Path, "", 0, live) ||
            !survives(b, LV2_ATOM__Path, "/nowhere/at/all", 16, live) ||
            !survives(b, LV2_ATOM__Int, "\1\0\0\0", 4, live) ||
            !survives(b, LV2_ATOM__Path, unended, sizeof unended, live) ||
            !survives(b, LV2_ATOM__Path, b->broken, strlen(b->broken) + 1, live)) {
            return false;
        }
    }
    return true;
}

static bool
survives_hosts_without_paths(bench *b)
{
    static session s;
    s = (session){.was = "", .is = ""};
    features f;
    if (!saved(b, &s, b->other, NULL)) {
        return no("saved without mapPath");
    }
    rig *r = made(b, &f);
    if (r == NULL) {
        return no("not made");
    }
    LV2_State_Status status = states(r)->restore(r->handle, retrieve, &s, 0, NULL);
    rig_activate(r);
    bool well = status == LV2_STATE_SUCCESS && model_becomes(r, b->other);
    s.full = true;
    well = well && states(r)->save(r->handle, store, &s, 0, NULL) != LV2_STATE_SUCCESS;
    rig_free(r);
    return well;
}

/* The bundle lies elsewhere on another machine. */
static bool
keeps_the_bundled_model(bench *b)
{
    static session s;
    s = (session){.was = "/nowhere", .is = "/nowhere"};
    path_features p;
    features f;
    (void)unsetenv("VIPANN_MODEL");
    rig *r = made(b, &f);
    (void)setenv("VIPANN_MODEL", b->tiny, 1);
    bool well =
        r != NULL && states(r)->save(r->handle, store, &s, 0, paths_make(&p, &s)) == LV2_STATE_SUCCESS && s.n > 0;
    rig_free(r);
    for (size_t i = 0; i < s.n; i++) {
        well = well && (s.kept[i].value[0] != '/' || no("a path of the bundle was saved: %s", s.kept[i].value));
    }
    r = made(b, &f);
    well = well && r != NULL && states(r)->restore(r->handle, retrieve, &s, 0, paths_make(&p, &s)) == LV2_STATE_SUCCESS;
    if (r != NULL) {
        rig_activate(r);
    }
    well = well && model_becomes(r, b->lv2.folder);
    rig_free(r);
    return well;
}

/* ---------------------------------------------------------------------------------------------- while audio goes on */

typedef struct {
    rig *r;
    bool well;
} saver;

static void *
save_often(void *data)
{
    saver *s = data;
    static session kept;
    s->well = true;
    for (unsigned i = 0; i < 100 && s->well; i++) {
        path_features p;
        kept = (session){.was = "/nowhere", .is = "/nowhere"};
        s->well = states(s->r)->save(s->r->handle, store, &kept, 0, paths_make(&p, &kept)) == LV2_STATE_SUCCESS;
        wait_ms(2);
    }
    return NULL;
}

static bool
saves_while_audio_runs(bench *b)
{
    features f;
    dice d = {13};
    pthread_t thread;
    saver s = {.r = made(b, &f)};
    if (s.r == NULL) {
        return no("not made");
    }
    rig_activate(s.r);
    if (pthread_create(&thread, NULL, save_often, &s) != 0) {
        return no("no thread");
    }
    for (unsigned i = 0; i < 200; i++) {
        if (i % 10 == 0) {
            rig_send_path(s.r, i % 20 == 0 ? b->other : b->tiny);
        }
        play(s.r, 512, SOUND_NOISE, &d);
        wait_ms(1);
    }
    (void)pthread_join(thread, NULL);
    rig_free(s.r);
    return s.well;
}

/* -------------------------------------------------------------------------------------------- as lilv's hosts do it */

static const void *
port_value(const char *symbol, void *user, uint32_t *size, uint32_t *type)
{
    rig *r = user;
    *size = sizeof(float);
    *type = uris_number(r->names, LV2_ATOM__Float);
    return &r->controls[port_of(r->of, symbol)];
}

static bool
through_lilv(bench *b)
{
    features f, g;
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%s/lilv", b->scratch);
    LV2_URID_Map map = uris_map(b->names);
    LV2_URID_Unmap unmap = uris_unmap(b->names);
    LilvInstance *first = lilv_plugin_instantiate(b->lv2.mono.described, 48000, features_make(&f, GIVES_ALL, b->names));
    rig *r = made(b, &g);
    if (first == NULL || r == NULL) {
        return no("not made");
    }
    LilvInstance of_rig = {r->of->descriptor, r->handle, NULL};
    rig_activate(r);
    rig_send_path(r, b->other);
    bool well = model_becomes(r, b->other);
    LilvState *state = lilv_state_new_from_instance(r->of->described, &of_rig, &map, folder, folder, folder, folder,
                                                    port_value, r, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE, NULL);
    well = well && state != NULL && lilv_state_save(b->lv2.world, &map, &unmap, state, NULL, folder, "state.ttl") == 0;
    lilv_state_free(state);
    rig_free(r);
    (void)strncat(folder, "/state.ttl", sizeof folder - strlen(folder) - 1);
    state = well ? lilv_state_new_from_file(b->lv2.world, &map, NULL, folder) : NULL;
    r = made(b, &g);
    if (state == NULL || r == NULL) {
        lilv_instance_free(first);
        rig_free(r);
        return no("lilv could not save or read the state");
    }
    of_rig.lv2_handle = r->handle;
    lilv_state_restore(state, &of_rig, NULL, NULL, 0, NULL);
    rig_activate(r);
    /* lilv links the file into the folder of the state: the name changes, the model is the same */
    well = model_becomes(r, "lilv/");
    lilv_state_free(state);
    lilv_instance_free(first);
    rig_free(r);
    return well;
}

const row state_rows[] = {
    {"a session that has moved finds its model again, before and while it runs", follows_a_moved_session},
    {"what a state does not say stays as it is", keeps_what_is_missing},
    {"states with wrong types, without ends and of missing files do no harm", survives_wrong_states},
    {"hosts that cannot map paths, or have no room, do no harm", survives_hosts_without_paths},
    {"the bundle's own model is kept by name, not by where the bundle lies", keeps_the_bundled_model},
    {"a state can be saved while audio runs and models are exchanged", saves_while_audio_runs},
    {"lilv saves a state to a folder and restores it", through_lilv},
    {NULL, NULL}};
