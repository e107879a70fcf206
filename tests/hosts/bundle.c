/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bundle.c -- what a bundle's Turtle says, and the numbers of URIs. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <dlfcn.h>
#include <limits.h>
#include <lv2/patch/patch.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

/* ------------------------------------------------------------------------------------------------------------- URIs */

struct uris {
    pthread_mutex_t lock;
    char *texts[MOST_URIS];
    LV2_URID n;
};

uris *
uris_new(void)
{
    uris *u = calloc(1, sizeof *u);
    if (u != NULL && pthread_mutex_init(&u->lock, NULL) != 0) {
        free(u);
        u = NULL;
    }
    return u;
}

void
uris_free(uris *u)
{
    for (LV2_URID i = 0; i < u->n; i++) {
        free(u->texts[i]);
    }
    (void)pthread_mutex_destroy(&u->lock);
    free(u);
}

LV2_URID
uris_number(uris *u, const char *uri)
{
    LV2_URID i = 0;
    (void)pthread_mutex_lock(&u->lock);
    while (i < u->n && strcmp(u->texts[i], uri) != 0) {
        i++;
    }
    if (i == u->n && i < MOST_URIS) {
        size_t size = strlen(uri) + 1;
        u->texts[i] = malloc(size);
        if (u->texts[i] != NULL) {
            memcpy(u->texts[i], uri, size);
            u->n++;
        }
    }
    (void)pthread_mutex_unlock(&u->lock);
    return i + 1;
}

const char *
uris_text(uris *u, LV2_URID number)
{
    (void)pthread_mutex_lock(&u->lock);
    const char *text = number > 0 && number <= u->n ? u->texts[number - 1] : NULL;
    (void)pthread_mutex_unlock(&u->lock);
    return text;
}

static LV2_URID
map(LV2_URID_Map_Handle handle, const char *uri)
{
    return uris_number(handle, uri);
}

static const char *
unmap(LV2_URID_Unmap_Handle handle, LV2_URID number)
{
    return uris_text(handle, number);
}

LV2_URID_Map
uris_map(uris *u)
{
    return (LV2_URID_Map){u, map};
}

LV2_URID_Unmap
uris_unmap(uris *u)
{
    return (LV2_URID_Unmap){u, unmap};
}

/* ------------------------------------------------------------------------------------------------------- the Turtle */

static bool
is_a(bundle *b, const LilvPlugin *plugin, const LilvPort *p, const char *class_uri)
{
    LilvNode *node = lilv_new_uri(b->world, class_uri);
    bool is = lilv_port_is_a(plugin, p, node);
    lilv_node_free(node);
    return is;
}

static const char *
read_port(bundle *b, const LilvPlugin *plugin, uint32_t i, port *out)
{
    const LilvPort *p = lilv_plugin_get_port_by_index(plugin, i);
    (void)snprintf(out->symbol, sizeof out->symbol, "%s", lilv_node_as_string(lilv_port_get_symbol(plugin, p)));
    out->input = is_a(b, plugin, p, LV2_CORE__InputPort);
    if (is_a(b, plugin, p, LV2_CORE__AudioPort)) {
        out->kind = PORT_AUDIO;
    } else if (is_a(b, plugin, p, LV2_CORE__ControlPort)) {
        out->kind = PORT_CONTROL;
    } else if (is_a(b, plugin, p, LV2_ATOM__AtomPort)) {
        out->kind = PORT_ATOM;
    } else {
        return "a port is neither audio nor control nor atom";
    }
    return NULL;
}

/* The property that may be set and holds a path. */
static void
read_model_key(bundle *b, subject *s)
{
    LilvNode *writable = lilv_new_uri(b->world, LV2_PATCH__writable);
    LilvNode *range = lilv_new_uri(b->world, LILV_NS_RDFS "range");
    LilvNode *path = lilv_new_uri(b->world, LV2_ATOM__Path);
    LilvNodes *keys = lilv_plugin_get_value(s->described, writable);
    LILV_FOREACH(nodes, i, keys)
    {
        const LilvNode *key = lilv_nodes_get(keys, i);
        if (lilv_world_ask(b->world, key, range, path)) {
            (void)snprintf(s->model_key, sizeof s->model_key, "%s", lilv_node_as_uri(key));
        }
    }
    lilv_nodes_free(keys);
    lilv_node_free(path);
    lilv_node_free(range);
    lilv_node_free(writable);
}

static const LV2_Descriptor *
descriptor_of(bundle *b, const char *uri)
{
    LV2_Descriptor_Function get;
    void *symbol = dlsym(b->library, "lv2_descriptor");
    if (symbol == NULL) {
        return NULL;
    }
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from an object to a function */
    for (uint32_t i = 0;; i++) {
        const LV2_Descriptor *d = get(i);
        if (d == NULL || strcmp(d->URI, uri) == 0) {
            return d;
        }
    }
}

static const char *
read_subject(bundle *b, const LilvPlugin *plugin, subject *s)
{
    float least[MOST_PORTS], most[MOST_PORTS], usual[MOST_PORTS];
    (void)snprintf(s->uri, sizeof s->uri, "%s", lilv_node_as_uri(lilv_plugin_get_uri(plugin)));
    s->described = plugin;
    s->folder = b->folder;
    s->n = lilv_plugin_get_num_ports(plugin);
    s->descriptor = descriptor_of(b, s->uri);
    if (s->n > MOST_PORTS || s->descriptor == NULL) {
        return s->descriptor == NULL ? "the library does not know a plugin of the manifest" : "too many ports";
    }
    lilv_plugin_get_port_ranges_float(plugin, least, most, usual);
    for (uint32_t i = 0; i < s->n; i++) {
        const char *why = read_port(b, plugin, i, &s->ports[i]);
        if (why != NULL) {
            return why;
        }
        port *p = &s->ports[i];
        s->channels += p->kind == PORT_AUDIO && p->input;
        p->least = least[i];
        p->most = most[i];
        p->usual = isnan(usual[i]) ? 0 : usual[i];
        if (p->kind == PORT_CONTROL && !(p->least < p->most && p->usual >= p->least && p->usual <= p->most)) {
            return "a control has no range, or a default that is not in it";
        }
    }
    read_model_key(b, s);
    return NULL;
}

const char *
bundle_open(bundle *b, const char *folder)
{
    *b = (bundle){.world = lilv_world_new()};
    char real[PATH_MAX];
    if (b->world == NULL || realpath(folder, real) == NULL) {
        return "there is no such bundle";
    }
    (void)snprintf(b->folder, sizeof b->folder, "%s/", real);
    LilvNode *uri = lilv_new_file_uri(b->world, NULL, b->folder);
    lilv_world_load_bundle(b->world, uri);
    lilv_node_free(uri);
    const LilvPlugins *plugins = lilv_world_get_all_plugins(b->world);
    LILV_FOREACH(plugins, i, plugins)
    {
        const LilvPlugin *plugin = lilv_plugins_get(plugins, i);
        if (b->library == NULL) {
            char *path = lilv_file_uri_parse(lilv_node_as_uri(lilv_plugin_get_library_uri(plugin)), NULL);
            b->library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
            lilv_free(path);
        }
        if (b->library == NULL) {
            return "the library cannot be loaded";
        }
        subject s = {.uri = ""};
        const char *why = read_subject(b, plugin, &s);
        if (why != NULL) {
            return why;
        }
        *(s.channels == 1 ? &b->mono : &b->stereo) = s;
    }
    return b->mono.n > 0 && b->stereo.n > 0 ? NULL : "there is not one mono and one stereo plugin";
}

void
bundle_close(bundle *b)
{
    if (b->library != NULL) {
        (void)dlclose(b->library);
    }
    if (b->world != NULL) {
        lilv_world_free(b->world);
    }
}
