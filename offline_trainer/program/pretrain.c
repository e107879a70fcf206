/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pretrain.c -- `vipann-train pretrain`: from a cache of frames to a model. pretrain_options.c has the table. */
#include "pretrain_options.h"
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/run/recipe.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/atomic_file.h>
#include <common/number.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_SIZE = 8192, MOST_LABELS = VIP_MAX_CLASSES };

/* All that a run is made from. */
typedef struct {
    const vip_arguments *arguments;
    vip_cache *cache;
    vip_targets *targets;
    vip_part train, dev, held_out, second, second_dev;
    vip_model *from;
    const char **labels, **second_labels;
    char text[TEXT_SIZE], provenance[TEXT_SIZE];
    vip_recipe recipe;
} making;

static const vip_value *
value(const making *m, vip_pretrain_option option)
{
    return &m->arguments->values[option];
}

/* ------------------------------------------------------------------------------------------------------------- labels */

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct labels of the part's clips, sorted. *several: a clip has more than one. */
static vipann_status
collect_labels(const vip_cache *cache, const vip_part *part, const char ***labels, uint32_t *n, bool *several,
               vipann_error *error)
{
    size_t room = 0, count = 0;
    for (size_t i = 0; i < part->n; i++) {
        room += vip_cache_clip_at(cache, part->clips[i])->n_labels;
    }
    const char **all = vip_alloc(room, sizeof *all);
    if (all == NULL) {
        return vip_fail_memory(error, "labels");
    }
    for (size_t i = 0; i < part->n; i++) {
        const vip_cache_clip *clip = vip_cache_clip_at(cache, part->clips[i]);
        *several = *several || clip->n_labels > 1;
        for (uint32_t k = 0; k < clip->n_labels; k++) {
            all[count++] = clip->labels[k];
        }
    }
    qsort(all, count, sizeof *all, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(all[kept - 1], all[i]) != 0) {
            all[kept++] = all[i];
        }
    }
    *labels = all;
    *n = (uint32_t)kept;
    if (kept == 0 || kept > MOST_LABELS) {
        return vip_fail(error, VIPANN_E_ARG, "the clips to train with have %zu labels; expected 1 to %d", kept,
                        MOST_LABELS);
    }
    return VIPANN_OK;
}

static vipann_status
choose_first(making *m, vipann_error *error)
{
    vip_recipe *r = &m->recipe;
    uint32_t classes = 0;
    bool several = false;
    if (m->targets != NULL) {
        classes = vip_targets_classes(m->targets);
        m->labels = vip_alloc(classes, sizeof *m->labels);
        if (m->labels == NULL) {
            return vip_fail_memory(error, "labels");
        }
        for (uint32_t c = 0; c < classes; c++) {
            m->labels[c] = vip_targets_label(m->targets, c);
        }
        r->feed.logits = VIP_LEARN_TEACHER;
        r->task = VIPANN_MULTILABEL;
    } else {
        const vipann_status good = collect_labels(m->cache, &m->train, &m->labels, &classes, &several, error);
        if (good != VIPANN_OK) {
            return good;
        }
        const int task = value(m, VIP_PRETRAIN_TASK)->word;
        r->feed.logits = VIP_LEARN_LABELS;
        r->task = task == 1 || (task == 0 && !several) ? VIPANN_MULTICLASS : VIPANN_MULTILABEL;
    }
    r->labels = m->labels;
    r->feed.labels = m->labels;
    r->feed.classes = classes;
    r->feed.multilabel = r->task == VIPANN_MULTILABEL;
    vip_network_fill(&r->network, (vip_arch)vip_arch_find(value(m, VIP_PRETRAIN_ARCH)->text),
                     (uint32_t)value(m, VIP_PRETRAIN_WIDTH)->whole, classes,
                     value(m, VIP_PRETRAIN_PADDING)->word == 1 ? VIP_CAUSAL : VIP_SAME);
    return VIPANN_OK;
}

/* What is in both, in order. False: memory is short. */
static bool
keep_common(const vip_part *one, const vip_part *two, vip_part *both)
{
    both->clips = vip_alloc(one->n, sizeof *both->clips);
    for (size_t i = 0, k = 0; both->clips != NULL && i < one->n; i++) {
        while (k < two->n && two->clips[k] < one->clips[i]) {
            k++;
        }
        if (k < two->n && two->clips[k] == one->clips[i]) {
            both->clips[both->n++] = one->clips[i];
        }
    }
    return both->clips != NULL;
}

static vipann_status
choose_second(making *m, vipann_error *error)
{
    vip_recipe *r = &m->recipe;
    const char *expression = value(m, VIP_PRETRAIN_SECOND)->text;
    if (expression == NULL) {
        return VIPANN_OK;
    }
    vip_part meant;
    vipann_status good = vip_select(m->cache, expression, &meant, error);
    if (good != VIPANN_OK) {
        return good;
    }
    const bool made = keep_common(&meant, &m->train, &m->second) && keep_common(&meant, &m->dev, &m->second_dev);
    vip_part_free(&meant);
    if (!made) {
        return vip_fail_memory(error, "a list of clips");
    }
    if (m->second.n == 0) {
        return vip_fail(error, VIPANN_E_ARG, "--second-head: found no clip of \"%.100s\" that is trained with",
                        expression);
    }
    uint32_t n = 0;
    bool several = false;
    good = collect_labels(m->cache, &m->second, &m->second_labels, &n, &several, error);
    r->second_labels = r->feed.second_labels = m->second_labels;
    r->further.second = r->feed.second = n;
    r->feed.second_part = &m->second;
    r->feed.second_share = value(m, VIP_PRETRAIN_SECOND_SHARE)->number;
    r->second_dev = &m->second_dev;
    return good;
}

/* -------------------------------------------------------------------------------------------------------------- parts */

/* No recording on both sides: what training shares with the others leaves training. */
static vipann_status
keep_apart(making *m, const vip_part *other, const char *what, vipann_error *error)
{
    char names[256];
    const size_t shared = vip_shared_groups(m->cache, &m->train, other, names, sizeof names);
    if (shared == 0 || value(m, VIP_PRETRAIN_ALLOW_SHARED)->given) {
        return VIPANN_OK;
    }
    if (!value(m, VIP_PRETRAIN_DROP_SHARED)->given) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "%zu clips to train with come from the same recordings as clips %s (%s); --drop-shared leaves them "
            "out, --allow-shared takes them",
            shared, what, names);
    }
    (void)vip_drop_shared(m->cache, &m->train, other);
    (void)fprintf(stderr, "left out of training: %zu clips of recordings that are %s\n", shared, what);
    return VIPANN_OK;
}

/* What the user wants to keep apart from all of this. */
static vipann_status
drop_groups(making *m, vipann_error *error)
{
    const char *path = value(m, VIP_PRETRAIN_DROP_GROUPS)->text;
    vip_manifest *manifest = path != NULL ? vip_manifest_read(path, error) : NULL;
    if (manifest == NULL) {
        return path == NULL ? VIPANN_OK : error->status;
    }
    size_t dropped;
    vipann_status good = vip_drop_listed(m->cache, &m->train, manifest, &dropped, error);
    vip_manifest_free(manifest);
    if (good == VIPANN_OK) {
        (void)fprintf(stderr, "left out of training: %zu clips of recordings that %s names\n", dropped, path);
    }
    return good == VIPANN_OK && m->train.n == 0
               ? vip_fail(error, VIPANN_E_ARG, "--drop-shared-groups %s leaves no clip to train with", path)
               : good;
}

static vipann_status
choose_dev(making *m, vipann_error *error)
{
    const char *dev = value(m, VIP_PRETRAIN_DEV)->text;
    const size_t n = strlen(dev);
    if (strcmp(dev, "none") == 0) {
        return VIPANN_OK;
    }
    double share;
    char number[32] = "";
    if (n > 1 && n < sizeof number && dev[n - 1] == '%') {
        memcpy(number, dev, n - 1);
        if (!vip_number_read(number, &share) || share <= 0 || share >= 100) {
            return vip_fail(error, VIPANN_E_ARG, "--dev %s: expected such as 15%%, an expression like fold=3, or none",
                            dev);
        }
        return vip_split_groups(m->cache, &m->train, share / 100, value(m, VIP_PRETRAIN_SEED)->whole, &m->dev, error);
    }
    const vipann_status good = vip_select(m->cache, dev, &m->dev, error);
    return good == VIPANN_OK ? keep_apart(m, &m->dev, "for development", error) : good;
}

static vipann_status
choose_parts(making *m, vipann_error *error)
{
    vipann_status good = vip_select(m->cache, value(m, VIP_PRETRAIN_TRAIN)->text, &m->train, error);
    const char *held_out = value(m, VIP_PRETRAIN_TEST)->text;
    if (good == VIPANN_OK && held_out != NULL) {
        good = vip_select(m->cache, held_out, &m->held_out, error);
        good = good == VIPANN_OK ? keep_apart(m, &m->held_out, "for the test", error) : good;
    }
    good = good == VIPANN_OK ? drop_groups(m, error) : good;
    return good == VIPANN_OK ? choose_dev(m, error) : good;
}

/* ------------------------------------------------------------------------------------------------------------- recipe */

static vipann_status
read_lengths(const making *m, uint32_t lengths[VIP_MAX_LENGTHS], uint32_t *n, vipann_error *error)
{
    const char *text = value(m, VIP_PRETRAIN_LENGTHS)->text;
    *n = 0;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        const unsigned long frames = strtoul(at, &end, 10);
        if (end == at || errno != 0 || frames < VIP_COLUMN_FRAMES || frames > 3000 || *n == VIP_MAX_LENGTHS ||
            (*end != ',' && *end != '\0')) {
            return vip_fail(error, VIPANN_E_ARG,
                            "--lengths %s: expected up to %d numbers of frames, each %d to 3000, such as 128,192,301",
                            text, VIP_MAX_LENGTHS, VIP_COLUMN_FRAMES);
        }
        lengths[(*n)++] = (uint32_t)frames;
        if (*end == '\0') {
            return VIPANN_OK;
        }
        at = end;
    }
}

static vipann_status
fill_feed(making *m, vipann_error *error)
{
    vip_feed_options *f = &m->recipe.feed;
    const bool changed = !value(m, VIP_PRETRAIN_PLAIN)->given;
    f->cache = m->cache;
    f->targets = m->targets;
    f->part = &m->train;
    f->background = changed ? &m->train : NULL;
    f->rows = (uint32_t)value(m, VIP_PRETRAIN_BATCH)->whole;
    f->seed = value(m, VIP_PRETRAIN_SEED)->whole;
    f->balanced = value(m, VIP_PRETRAIN_BALANCED)->given;
    f->embedding = m->targets != NULL && value(m, VIP_PRETRAIN_EMBEDDING)->number > 0 &&
                   vip_targets_embedding_size(m->targets) > 0;
    f->mixup = value(m, VIP_PRETRAIN_MIXUP)->number;
    f->stripes = changed;
    f->gain_db = changed ? 12 : 0;
    f->tilt_db = changed ? 6 : 0;
    f->noise_share = changed ? value(m, VIP_PRETRAIN_BACKGROUND)->number : 0;
    f->noise_low = 0;
    f->noise_high = 20;
    f->floor_low = changed ? 35 : 0;
    f->floor_high = changed ? 75 : 0;
    m->recipe.further.embedding = f->embedding ? vip_targets_embedding_size(m->targets) : 0;
    m->recipe.net.rows = f->rows;
    const vipann_status good = read_lengths(m, f->lengths, &f->n_lengths, error);
    m->recipe.net.n_lengths = f->n_lengths;
    memcpy(m->recipe.net.lengths, f->lengths, sizeof f->lengths);
    return good;
}

static void
fill_optimiser(making *m)
{
    vip_recipe *r = &m->recipe;
    r->optimiser = vip_optimiser_defaults((vip_optimiser_kind)value(m, VIP_PRETRAIN_OPTIMISER)->word);
    r->optimiser.decay = value(m, VIP_PRETRAIN_DECAY)->number;
    r->rate = value(m, VIP_PRETRAIN_RATE)->number;
    r->clip_norm = value(m, VIP_PRETRAIN_CLIP)->number;
    r->average_decay = value(m, VIP_PRETRAIN_AVERAGE)->number;
    r->schedule.kind = (vip_schedule_kind)value(m, VIP_PRETRAIN_SCHEDULE)->word;
    r->schedule.warm_up = 0.03;
    r->schedule.cycles = 4;
    r->time_limit = 60 * value(m, VIP_PRETRAIN_TIME_LIMIT)->number;
    const uint64_t epoch = (m->train.n + r->feed.rows - 1) / r->feed.rows;
    r->schedule.steps = value(m, VIP_PRETRAIN_STEPS)->given ? value(m, VIP_PRETRAIN_STEPS)->whole
                        : r->time_limit > 0 && !value(m, VIP_PRETRAIN_EPOCHS)->given
                            ? 0
                            : epoch * value(m, VIP_PRETRAIN_EPOCHS)->whole;
    r->evaluations = m->dev.n > 0 ? (uint32_t)value(m, VIP_PRETRAIN_EVALUATIONS)->whole : 0;
    r->patience = (uint32_t)value(m, VIP_PRETRAIN_PATIENCE)->whole;
    enum { CLIPS_OF_REFRESH = 2240 };
    r->refresh = (CLIPS_OF_REFRESH + r->feed.rows - 1) / r->feed.rows;
}

static void
fill_posterior(making *m)
{
    vip_recipe *r = &m->recipe;
    static const vipann_posterior POSTERIORS[] = {VIPANN_DETERMINISTIC, VIPANN_DROPOUT, VIPANN_MEANFIELD};
    r->posterior = POSTERIORS[value(m, VIP_PRETRAIN_POSTERIOR)->word];
    r->preset = value(m, VIP_PRETRAIN_PRESET)->text;
    for (int i = 0; i < r->network.n_sites && r->posterior == VIPANN_DROPOUT; i++) {
        r->rates[i] = r->network.sites[i].training_rate;
    }
    r->dropout_from = 0.15;
    r->dropout_ramp = 0.5;
    r->kl = (vip_kl_reduction)value(m, VIP_PRETRAIN_KL)->word;
    r->beta = value(m, VIP_PRETRAIN_BETA)->number;
    r->kl_warm_up = value(m, VIP_PRETRAIN_KL_WARM_UP)->number;
    r->moped_delta = value(m, VIP_PRETRAIN_MOPED_DELTA)->number;
    r->moped_scale = (vip_moped_scale)value(m, VIP_PRETRAIN_MOPED_SCALE)->word;
    r->net.flipout = (vip_flipout)value(m, VIP_PRETRAIN_SIGNS)->word;
    r->net.precision = (vip_precision)value(m, VIP_PRETRAIN_PRECISION)->word;
    r->net.frozen_trunk = value(m, VIP_PRETRAIN_FREEZE)->word == 1;
    r->net.frozen_statistics = r->net.frozen_trunk;
    r->embedding_weight = value(m, VIP_PRETRAIN_EMBEDDING)->number;
    r->second_weight = value(m, VIP_PRETRAIN_SECOND_WEIGHT)->number;
}

static vipann_status
open_start(making *m, vipann_error *error)
{
    const char *init = value(m, VIP_PRETRAIN_INIT)->text;
    if (init == NULL) {
        return value(m, VIP_PRETRAIN_FREEZE)->word == 1
                   ? vip_fail(error, VIPANN_E_ARG, "--freeze trunk needs --init, a model whose trunk is kept")
                   : VIPANN_OK;
    }
    m->from = vip_model_read(init, error);
    if (m->from == NULL) {
        return error->status;
    }
    m->recipe.from = m->from;
    bool same = m->from->network.classes == m->recipe.network.classes;
    for (uint32_t c = 0; same && c < m->recipe.network.classes; c++) {
        same = vip_same_label(m->from->labels[c], m->labels[c]);
    }
    m->recipe.keep_heads = same;
    return VIPANN_OK;
}

/* What must not change when a run goes on, as lines "NAME VALUE". */
static void
write_text(making *m)
{
    static const vip_pretrain_option FREE[] = {VIP_PRETRAIN_OUTPUT, VIP_PRETRAIN_RESUME, VIP_PRETRAIN_THREADS,
                                               VIP_PRETRAIN_TIME_LIMIT, VIP_PRETRAIN_LICENSE};
    size_t used = 0;
    for (int i = 0; i < VIP_N_PRETRAIN_OPTIONS; i++) {
        bool free_to_change = false;
        for (size_t k = 0; k < sizeof FREE / sizeof *FREE; k++) {
            free_to_change = free_to_change || (int)FREE[k] == i;
        }
        const vip_value *v = value(m, (vip_pretrain_option)i);
        if (free_to_change || (!v->given && v->text == NULL)) {
            continue;
        }
        const int n = snprintf(m->text + used, TEXT_SIZE - used, "%s %s\n", m->arguments->command->options[i]->name,
                               v->text != NULL ? v->text : "yes");
        used = used + (size_t)n < TEXT_SIZE ? used + (size_t)n : TEXT_SIZE - 1;
    }
    (void)snprintf(m->text + used, TEXT_SIZE - used, "cache-sha256 %s\n", vip_cache_hash(m->cache));
    (void)snprintf(m->provenance, sizeof m->provenance,
                   "vipann-train pretrain: %s width %u from %s, %zu clips (%s), seed %s, cache %.12s%s",
                   vip_arch_name(m->recipe.network.arch), m->recipe.network.width,
                   m->from != NULL ? m->from->name : "random weights", m->train.n, value(m, VIP_PRETRAIN_TRAIN)->text,
                   value(m, VIP_PRETRAIN_SEED)->text, vip_cache_hash(m->cache),
                   m->targets != NULL ? "; learnt from a teacher's scores" : "");
}

static vipann_status
make_recipe(making *m, vipann_error *error)
{
    vip_recipe *r = &m->recipe;
    m->cache = vip_cache_open(m->arguments->operands[0], error);
    if (m->cache == NULL) {
        return error->status;
    }
    vipann_status good = choose_parts(m, error);
    const char *teacher = value(m, VIP_PRETRAIN_TARGETS)->text;
    if (good == VIPANN_OK && teacher != NULL) {
        m->targets = vip_targets_open(teacher, m->cache, error);
        good = m->targets == NULL ? error->status : VIPANN_OK;
    }
    good = good == VIPANN_OK ? choose_first(m, error) : good;
    good = good == VIPANN_OK ? choose_second(m, error) : good;
    good = good == VIPANN_OK ? open_start(m, error) : good;
    if (good != VIPANN_OK) {
        return good;
    }
    r->folder = value(m, VIP_PRETRAIN_OUTPUT)->text;
    r->license = value(m, VIP_PRETRAIN_LICENSE)->text != NULL ? value(m, VIP_PRETRAIN_LICENSE)->text : "";
    r->seed = value(m, VIP_PRETRAIN_SEED)->whole;
    r->dev = m->dev.n > 0 ? &m->dev : NULL;
    good = fill_feed(m, error);
    fill_optimiser(m);
    fill_posterior(m);
    write_text(m);
    r->text = m->text;
    r->provenance = m->provenance;
    return good;
}

static void
making_free(making *m)
{
    vip_part_free(&m->train);
    vip_part_free(&m->dev);
    vip_part_free(&m->held_out);
    vip_part_free(&m->second);
    vip_part_free(&m->second_dev);
    vip_free(m->labels);
    vip_free(m->second_labels);
    vip_targets_close(m->targets);
    vip_model_free(m->from);
    vip_cache_close(m->cache);
}

/* ------------------------------------------------------------------------------------------------------------ command */

static vipann_status
make_folder(const making *m, bool resume, vipann_error *error)
{
    const char *folder = m->recipe.folder;
    if (folder == NULL) {
        return vip_fail(error, VIPANN_E_ARG, "--output says where the run goes, such as --output runs/first");
    }
    char path[4096];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s", folder);
    if (!resume && !vip_make_folders(path)) {
        return vip_fail(error, VIPANN_E_IO, "%s: %s", path, strerror(errno));
    }
    if (mkdir(folder, 0777) == 0 || resume) {
        return VIPANN_OK;
    }
    if (errno != EEXIST) {
        return vip_fail(error, VIPANN_E_IO, "%s: %s", folder, strerror(errno));
    }
    (void)snprintf(path, sizeof path, "%s/config.json", folder);
    return stat(path, &about) != 0
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_ARG,
                          "%s: a run is there already; --resume goes on with it, another folder begins "
                          "a new one",
                          folder);
}

static void
say_outcome(const making *m, const vip_outcome *outcome)
{
    const char *folder = m->recipe.folder;
    (void)printf("%s: %llu steps, %llu clips in %.1f min; ", folder, (unsigned long long)outcome->steps,
                 (unsigned long long)outcome->clips, outcome->seconds / 60);
    if (outcome->stopped) {
        (void)printf("stopped; the same command with --resume goes on\n");
    } else if (isfinite(outcome->best)) {
        (void)printf("best loss of the development part %.4f; models: %s/best.safetensors, %s/last.safetensors\n",
                     outcome->best, folder, folder);
    } else {
        (void)printf("model: %s/last.safetensors\n", folder);
    }
}

static int
run_pretrain(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    making *m = vip_alloc(1, sizeof *m);
    if (m == NULL) {
        (void)fputs("vipann-train pretrain: not enough memory\n", stderr);
        return VIP_EXIT_FAILED;
    }
    m->arguments = arguments;
    const bool resume = value(m, VIP_PRETRAIN_RESUME)->given;
    vip_parallel_threads((unsigned)value(m, VIP_PRETRAIN_THREADS)->whole);
    vipann_status good = make_recipe(m, &error);
    good = good == VIPANN_OK ? make_folder(m, resume, &error) : good;
    if (good == VIPANN_OK) {
        vip_outcome outcome;
        vip_train_catch_signals();
        good = vip_train(&m->recipe, resume, &outcome, &error);
        if (good == VIPANN_OK) {
            say_outcome(m, &outcome);
        }
    }
    making_free(m);
    vip_free(m);
    return vip_command_end(&VIP_PRETRAIN_COMMAND, good, &error);
}

int
vip_pretrain_run(int argc, char **argv)
{
    return vip_command_line(&VIP_PRETRAIN_COMMAND, argc, argv, NULL, run_pretrain);
}
