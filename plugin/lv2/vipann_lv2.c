/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vipann_lv2.c -- the plugin as hosts see it.
 *
 * Nothing that a host gives is trusted to be there: any port may be NULL, a block may have any length, buffers may be
 * the same, and no feature has to come. */
#include <math.h>
#include <string.h>

#include <common/support.h>

#include "instance.h"
#include "loader.h"
#include "messages.h"
#include "notes.h"
#include "owner.h"
#include "state.h"

static const float SILENCE[VIP_BLOCK];

_Static_assert(VIP_N_PORTS <= UINT8_MAX, "the number of a port fits in a byte");

enum { LOOKS_A_SECOND = 100 }; /* at how the stream stands */

/* ---------------------------------------------------------------------------------------------- making and ending */

static void
cleanup(LV2_Handle handle)
{
    vip_instance *p = handle;
    vip_loader_remove(p);
    vip_stream_free(p->stream);
    vip_stream_result_free(p->result);
    vipann_rules_free(p->rules);
    vipann_model_unref(p->model);
    pthread_mutex_destroy(&p->owner);
    vip_free(p->bundle);
    vip_free(p);
}

/* Some hosts pass features without a name or without data. */
static void
heed_features(vip_instance *p, const LV2_Feature *const *features)
{
    for (; features != NULL && *features != NULL; features++) {
        const LV2_Feature *f = *features;
        if (f->URI == NULL || f->data == NULL) {
            continue;
        }
        if (strcmp(f->URI, LV2_URID__map) == 0) {
            p->map = f->data;
        } else if (strcmp(f->URI, LV2_LOG__log) == 0) {
            p->log = f->data;
        }
    }
    if (p->map != NULL && p->map->map == NULL) {
        p->map = NULL;
    }
    if (p->map != NULL) {
        vip_messages_map(p);
    }
}

/* The folder, with a slash at its end; NULL: memory is short. */
static char *
copy_folder(const char *path)
{
    size_t length = path != NULL ? strlen(path) : 0;
    char *copy = vip_alloc(1, length + 2);
    if (copy == NULL) {
        return NULL;
    }
    if (length > 0) {
        memcpy(copy, path, length);
        if (copy[length - 1] != '/') {
            copy[length++] = '/';
        }
    }
    copy[length] = '\0';
    return copy;
}

static bool
make_stream(vip_instance *p, double rate, vipann_error *error)
{
    vip_stream_options options;
    vip_stream_defaults(&options);
    options.rate = rate;
    options.channels = p->channels;
    options.max_block = VIP_BLOCK;
    options.max_passes = VIP_LV2_PASSES;
    options.max_window_seconds = VIP_LV2_WINDOW;
    options.lean = true;
    options.latency = VIPANN_EDGE;
    options.rules = vip_owner_rules;
    options.user = p;
    p->stream = vip_stream_new(&options, error);
    return p->stream != NULL;
}

static void
prepare_ports(vip_instance *p)
{
    atomic_init(&p->latency, VIPANN_EDGE); /* the port's normal value */
    for (uint8_t i = 0; i < VIP_N_PORTS; i++) {
        if (VIP_PORTS[i].kind == VIP_CONTROL_IN) {
            p->inputs[p->n_inputs++] = i;
        } else if (VIP_PORTS[i].kind == VIP_CONTROL_OUT) {
            p->outputs[p->n_outputs++] = i;
        }
        p->taken[i] = VIP_PORTS[i].normal;
    }
}

/* What a control output says from now on. */
static void
say(vip_instance *p, vip_port port, float value)
{
    p->shown[port] = vip_port_clamp(port, value);
}

/* What the control outputs say where nothing has been heard. */
static void
show_nothing(vip_instance *p)
{
    for (int i = 0; i < VIP_N_PORTS; i++) {
        say(p, (vip_port)i, VIP_PORTS[i].normal);
    }
    p->unlooked = p->look_frames;
}

static LV2_Handle
instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle, const LV2_Feature *const *features)
{
    vip_instance *p = vip_alloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    if (pthread_mutex_init(&p->owner, NULL) != 0) {
        vip_free(p);
        return NULL;
    }
    for (size_t i = 0; i < VIP_N_LV2_PLUGINS; i++) {
        if (strcmp(VIP_LV2_PLUGINS[i].uri, descriptor->URI) == 0) {
            p->channels = VIP_LV2_PLUGINS[i].channels;
        }
    }
    vip_mailbox_init(&p->requests);
    vip_mailbox_init(&p->reports);
    p->was_enabled = true;
    p->look_frames = rate > LOOKS_A_SECOND && rate < 1e9 ? (uint32_t)(rate / LOOKS_A_SECOND) : 1;
    prepare_ports(p);
    show_nothing(p);
    heed_features(p, features);
    p->bundle = copy_folder(bundle);
    p->result = vip_stream_result_new();
    if (p->bundle == NULL || p->result == NULL) {
        cleanup(p);
        return NULL;
    }
    vipann_error error;
    if (make_stream(p, rate, &error)) {
        vip_owner_begin(p);
        if (!vip_loader_add(p)) {
            vip_owner_log(p, "no thread could be started: models can be changed in exports only");
        }
    } else { /* a rate that nobody can analyse is still one that sound can pass at */
        memcpy(p->refusal, error.text, sizeof p->refusal);
        p->tell_error = p->refused = true;
        vip_owner_log(p, error.text);
    }
    return p;
}

static void
connect_port(LV2_Handle handle, uint32_t index, void *data)
{
    vip_instance *p = handle;
    if (index < vip_port_index(p->channels, VIP_N_PORTS)) {
        p->controls_seen = p->controls_seen && (data == NULL) == (p->ports[index] == NULL);
        p->ports[index] = data;
    }
}

static void
activate(LV2_Handle handle)
{
    vip_instance *p = handle;
    pthread_mutex_lock(&p->owner);
    if (atomic_load_explicit(&p->heard, memory_order_relaxed)) {
        vip_owner_reset(p);
    }
    atomic_store_explicit(&p->reset_wanted, false, memory_order_relaxed); /* run begins after this, says the host */
    p->active = true;
    pthread_mutex_unlock(&p->owner);
    show_nothing(p);
    vip_notes_release(p); /* said in the first run */
}

static void
deactivate(LV2_Handle handle)
{
    vip_instance *p = handle;
    pthread_mutex_lock(&p->owner);
    p->active = false;
    pthread_mutex_unlock(&p->owner);
}

/* ------------------------------------------------------------------------------------------------- the audio thread */

/* Of a usual run, in which nobody has said anything new, all is hot: it looks whether there is news, and hears and passes
 * the block. What news leads to is cold. */
static void attend(vip_instance *p) VIPANN_RT;
static void push(vip_instance *p, uint32_t frames, bool waits) VIPANN_RT;
static void run_analysis(vip_instance *p, uint32_t frames) VIPANN_RT;
static void run(LV2_Handle handle, uint32_t frames) VIPANN_RT;

/* What a control says: as take_controls has found it. */
static float
control(const vip_instance *p, vip_port port)
{
    return p->taken[port];
}

static bool
is_on(const vip_instance *p, vip_port port)
{
    return control(p, port) > 0;
}

/* Whether a control says something else than when it was last taken. Bits are compared: a NaN is no news each time. */
VIP_HOT static bool
controls_moved(const vip_instance *p)
{
    uint32_t moved = 0;
    for (unsigned i = 0; i < p->n_inputs; i++) {
        const vip_port port = (vip_port)p->inputs[i];
        const void *value = p->ports[vip_port_index(p->channels, port)];
        uint32_t bits = p->given[port];
        if (value != NULL) {
            memcpy(&bits, value, sizeof bits);
        }
        moved |= bits ^ p->given[port];
    }
    return moved != 0 || !p->controls_seen;
}

/* Keeps what the controls say, each within the range of its port; the normal value where none is connected. */
static void
take_controls(vip_instance *p)
{
    for (unsigned i = 0; i < p->n_inputs; i++) {
        const vip_port port = (vip_port)p->inputs[i];
        const float *given = p->ports[vip_port_index(p->channels, port)];
        const float value = given != NULL ? *given : VIP_PORTS[port].normal;
        memcpy(&p->given[port], &value, sizeof value);
        p->taken[port] = vip_port_clamp(port, value);
    }
    p->controls_seen = true;
    p->parameters_pending = true;
}

/* Columns of the newest model in that many seconds, at least one. */
static double
columns(double seconds, double column_seconds)
{
    return fmax(1, floor(seconds / column_seconds + 0.5));
}

/* Tells the stream what the controls say, where that is new. */
VIP_COLD static void
apply_parameters(vip_instance *p)
{
    /* acquire: what the newest model wants was written before. Partner: publish_wishes of owner.c. */
    unsigned generation = atomic_load_explicit(&p->generation, memory_order_acquire);
    if (generation == 0) {
        return; /* no model yet: nobody knows how long a column is */
    }
    p->parameters_pending = false;
    double column = atomic_load_explicit(&p->column_seconds, memory_order_relaxed);
    double passes = floor((double)control(p, VIP_PORT_PASSES) + 0.5), window = (double)control(p, VIP_PORT_WINDOW);
    const double wanted[VIPANN_N_PARAMS] = {
        [VIPANN_PASSES] = passes > 0 ? passes : atomic_load_explicit(&p->own_passes, memory_order_relaxed),
        [VIPANN_HOP] = columns((double)control(p, VIP_PORT_HOP), column),
        [VIPANN_WINDOW] =
            window > 0 ? columns(window, column) : atomic_load_explicit(&p->own_window, memory_order_relaxed),
        [VIPANN_HORIZON] = (double)control(p, VIP_PORT_SMOOTHING),
    };
    bool news = false;
    for (int i = 0; i < VIPANN_N_PARAMS; i++) {
        bool said = p->set_generation == generation && p->set[i] == wanted[i];
        bool none = i == VIPANN_PASSES && wanted[i] < 1; /* a deterministic model has no members to ask */
        if (!said && !none) {
            vip_stream_set(p->stream, (vipann_param)i, wanted[i]);
            news = true;
        }
        p->set[i] = wanted[i];
    }
    p->set_generation = generation;
    if (news) { /* release: the stream has been told before. Partner: heed_controls of owner.c */
        atomic_store_explicit(&p->passes, (unsigned)wanted[VIPANN_PASSES], memory_order_release);
        atomic_store_explicit(&p->window, (unsigned)wanted[VIPANN_WINDOW], memory_order_release);
    }
}

static void
show(vip_instance *p, const vipann_result *r)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < r->classes; i++) {
        best = r->p[i] > r->p[best] ? i : best;
    }
    say(p, VIP_PORT_PROBABILITY, r->classes > 0 ? r->p[best] : 0);
    say(p, VIP_PORT_CLASS, r->classes > 0 ? (float)best : -1);
    say(p, VIP_PORT_TOTAL, (float)r->total_nats);
    say(p, VIP_PORT_ALEATORIC, (float)r->aleatoric_nats);
    say(p, VIP_PORT_EPISTEMIC, r->has_epistemic ? (float)r->epistemic_nats : -1);
    say(p, VIP_PORT_UNKNOWN, r->unknown == VIPANN_CANNOT_SAY ? -1 : r->unknown == VIPANN_YES);
    say(p, VIP_PORT_LEVEL, (float)r->level_dbfs);
    say(p, VIP_PORT_TIME, (float)r->t_seconds);
    say(p, VIP_PORT_PASSES_USED, (float)r->passes);
}

/* An event that began before the outputs were cleared may end after it. */
static void
count_event(vip_instance *p, bool ended)
{
    say(p, VIP_PORT_EVENTS, p->shown[VIP_PORT_EVENTS] + (ended ? -1.0F : 1.0F));
}

/* Hands on what the stream has found out. */
VIP_COLD static void
collect(vip_instance *p, uint32_t frame)
{
    vipann_event event;
    float limit = control(p, VIP_PORT_UNCERTAINTY_LIMIT);
    bool any = limit >= VIP_PORTS[VIP_PORT_UNCERTAINTY_LIMIT].most;
    for (int i = 0; i < VIP_EVENTS_A_RUN && vip_stream_next_event(p->stream, &event, NULL); i++) {
        bool sure = any || !event.has_epistemic || event.epistemic_nats <= (double)limit;
        count_event(p, event.ended);
        vip_notes_event(p, frame, &event, sure && is_on(p, VIP_PORT_MIDI));
        vip_messages_event(p, frame, &event);
    }
    if (vip_stream_latest(p->stream, p->result, NULL)) {
        show(p, p->result);
        vip_messages_result(p, frame, p->result);
    }
}

VIP_HOT static void
push(vip_instance *p, uint32_t frames, bool waits)
{
    for (uint32_t done = 0; done < frames;) {
        atomic_store_explicit(&p->heard, true, memory_order_relaxed); /* for the owner, who only looks */
        uint32_t n = frames - done < VIP_BLOCK ? frames - done : VIP_BLOCK;
        const float *channels[VIP_LV2_CHANNELS];
        for (uint32_t c = 0; c < p->channels; c++) {
            const float *in = p->ports[c];
            channels[c] = in != NULL ? in + done : SILENCE;
        }
        if (waits) {
            VIP_WHERE_IT_MAY_WAIT(vip_stream_push_all(p->stream, channels, n))
        } else {
            (void)vip_stream_push(p->stream, channels, n); /* what is lost is counted, and shown as gaps */
        }
        if (vip_stream_has_news(p->stream)) {
            collect(p, done);
        }
        done += n;
    }
}

/* An export begins anew when it begins, and again when the transport starts: how long a host lets us hear what comes before
 * is different each time. */
static bool
export_begins(const vip_instance *p, bool freewheel)
{
    return freewheel && (!p->was_freewheel || (p->rolling && !p->was_rolling));
}

/* A reset is the owner's, who may take a few milliseconds; so long the stream is left alone. */
static void
heed_switches(vip_instance *p)
{
    bool enabled = is_on(p, VIP_PORT_ENABLED), reset = is_on(p, VIP_PORT_RESET);
    bool freewheel = is_on(p, VIP_PORT_FREEWHEEL);
    if ((reset && !p->was_reset) || (p->was_enabled && !enabled) || export_begins(p, freewheel)) {
        show_nothing(p);
        vip_notes_release(p);
        atomic_store_explicit(&p->reset_wanted, true, memory_order_release); /* partner: vip_owner_attend */
    }
    if (!is_on(p, VIP_PORT_MIDI)) {
        vip_notes_release(p);
    }
    p->was_enabled = enabled;
    p->was_reset = reset;
    p->was_freewheel = freewheel;
    p->was_rolling = p->rolling;
    p->waits = freewheel || is_on(p, VIP_PORT_BLOCKING);
    atomic_store_explicit(&p->threshold, control(p, VIP_PORT_THRESHOLD), memory_order_relaxed);
    atomic_store_explicit(&p->latency, control(p, VIP_PORT_LATENCY) < 0.5F ? VIPANN_CENTRED : VIPANN_EDGE,
                          memory_order_relaxed);
}

VIP_COLD static void
heed_controls(vip_instance *p)
{
    take_controls(p);
    heed_switches(p);
}

/* acquire: what a new model wants was written before its generation. Partner: publish_wishes of owner.c. */
static bool
has_parameters(const vip_instance *p)
{
    return p->parameters_pending || atomic_load_explicit(&p->generation, memory_order_acquire) != p->set_generation;
}

/* For a host that lets us wait: now, so that what an export hears does not depend on another thread's pace. */
VIP_COLD static void
attend(vip_instance *p)
{
    apply_parameters(p);
    VIP_WHERE_IT_MAY_WAIT(vip_owner_attend(p, true))
}

VIP_HOT static void
run_analysis(vip_instance *p, uint32_t frames)
{
    if (controls_moved(p) || p->rolling != p->was_rolling) {
        heed_controls(p);
    }
    if (p->waits) {
        attend(p);
    }
    /* acquire: the stream as the owner has left it. Partner: vip_owner_attend. */
    if (!p->was_enabled || atomic_load_explicit(&p->reset_wanted, memory_order_acquire)) {
        return;
    }
    if (has_parameters(p)) {
        apply_parameters(p);
    }
    push(p, frames, p->waits);
}

VIP_COLD static void
take_report(vip_instance *p)
{
    p->report = vip_mailbox_take(&p->reports);
    p->loading = false;
    p->refused = p->report->text[0] != '\0';
    memcpy(p->refusal, p->report->text, sizeof p->refusal);
    p->tell_model = true;
    p->tell_error = p->tell_error || p->refused;
}

/* Looks how the stream stands: now and then, and where a message or the loader may have changed it. */
static void
show_state(vip_instance *p)
{
    vip_stream_state state = {0};
    if (p->stream != NULL) {
        vip_stream_look(p->stream, &state);
    }
    say(p, VIP_PORT_GAPS, (float)state.lost_seconds);
    say(p, VIP_PORT_LOAD, (float)(state.load * 100));
    say(p, VIP_PORT_STATUS,
        p->loading        ? VIP_STATUS_LOADING
        : p->refused      ? VIP_STATUS_FAILED
        : state.has_model ? VIP_STATUS_RUNNING
                          : VIP_STATUS_NO_MODEL);
    p->unlooked = 0;
}

VIP_HOT static void
write_outputs(const vip_instance *p)
{
    for (unsigned i = 0; i < p->n_outputs; i++) {
        float *out = p->ports[vip_port_index(p->channels, (vip_port)p->outputs[i])];
        if (out != NULL) {
            *out = p->shown[p->outputs[i]];
        }
    }
}

/* By way of a copy of all channels: hosts may give one buffer twice, even crosswise. */
VIP_COLD static void
pass_crosswise(vip_instance *p, uint32_t frames)
{
    enum { PIECE = 256 };
    float held[VIP_LV2_CHANNELS][PIECE];
    for (uint32_t done = 0; done < frames;) {
        uint32_t n = frames - done < PIECE ? frames - done : PIECE;
        for (uint32_t c = 0; c < p->channels; c++) {
            const float *in = p->ports[c];
            memcpy(held[c], in != NULL ? in + done : SILENCE, n * sizeof(float));
        }
        for (uint32_t c = 0; c < p->channels; c++) {
            float *out = p->ports[p->channels + c];
            if (out != NULL) {
                memcpy(out + done, held[c], n * sizeof(float));
            }
        }
        done += n;
    }
}

/* Whether the output of the channel lies apart from all that is still to be read. */
static bool
is_apart(const vip_instance *p, uint32_t channel, uint32_t frames)
{
    const uintptr_t bytes = frames * sizeof(float), out = (uintptr_t)p->ports[p->channels + channel];
    bool apart = true;
    for (uint32_t c = 0; c < p->channels; c++) {
        const uintptr_t in = (uintptr_t)p->ports[c];
        apart = apart && in != 0 && (out - in >= bytes && in - out >= bytes);
    }
    return apart;
}

/* Sound as it came, to the bit. */
VIP_HOT static void
pass(vip_instance *p, uint32_t frames)
{
    for (uint32_t c = 0; c < p->channels; c++) {
        const void *in = p->ports[c], *out = p->ports[p->channels + c];
        if (out != NULL && out != in && !is_apart(p, c, frames)) {
            pass_crosswise(p, frames);
            return;
        }
    }
    for (uint32_t c = 0; c < p->channels; c++) {
        const void *in = p->ports[c];
        void *out = p->ports[p->channels + c];
        if (out != NULL && out != in) {
            memcpy(out, in, frames * sizeof(float));
        }
    }
}

VIP_HOT static void
run(LV2_Handle handle, uint32_t frames)
{
    vip_instance *p = handle;
    vip_messages_begin(p);
    if (p->notes.n_owed > 0) {
        vip_notes_settle(p);
    }
    vip_messages_obey(p);
    if (p->stream != NULL) {
        run_analysis(p, frames);
        if (vip_mailbox_has_news(&p->reports)) {
            take_report(p);
        }
    }
    p->unlooked += frames < p->look_frames ? frames : p->look_frames;
    if (p->unlooked >= p->look_frames || p->tell_model || p->tell_error) {
        show_state(p);
        vip_messages_tell(p);
    }
    p->outbox = (vip_outbox){NULL, 0}; /* the buffer is the host's again */
    pass(p, frames);
    write_outputs(p);
}

/* --------------------------------------------------------------------------------------------------------- the door */

static const void *
extension_data(const char *uri)
{
    return strcmp(uri, LV2_STATE__interface) == 0 ? &VIP_STATE : NULL;
}

static const LV2_Descriptor DESCRIPTORS[VIP_N_LV2_PLUGINS] = {
    {VIP_URI_MONO, instantiate, connect_port, activate, run, deactivate, cleanup, extension_data},
    {VIP_URI_STEREO, instantiate, connect_port, activate, run, deactivate, cleanup, extension_data},
};

LV2_SYMBOL_EXPORT const LV2_Descriptor *
lv2_descriptor(uint32_t index)
{
    return index < VIP_N_LV2_PLUGINS ? &DESCRIPTORS[index] : NULL;
}
