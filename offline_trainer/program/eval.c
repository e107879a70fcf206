/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval.c -- `vipann-train eval`: how good a model is on clips, and how well it knows it. */
#include "train_commands.h"

#include <offline_trainer/base/parallel.h>
#include <offline_trainer/judge/verdict.h>

#include <base/memory.h>
#include <base/status.h>
#include <common/atomic_file.h>
#include <common/progress.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const vip_option TEST = {"test", VIP_OPTION_TEXT, "EXPR", 0,       0,
                                NULL,   "all",           NULL,   "Clips", "Clips to judge by, such as 'fold=4'."};
static const vip_option OOD = {
    "ood",
    VIP_OPTION_TEXT,
    "EXPR",
    0,
    0,
    NULL,
    NULL,
    NULL,
    "Clips",
    "Sounds that the model was not taught, such as 'set=drone,deepship': how well its doubt tells "
    "them from the clips above, set by set."};
static const vip_option TARGETS = {"targets", VIP_OPTION_TEXT,
                                   "DIR",     0,
                                   0,         NULL,
                                   NULL,      NULL,
                                   "Clips",   "What is right is what this teacher heard, instead of the labels."};
static const vip_option CUT = {"cut",     VIP_OPTION_NUMBER,
                               "SECONDS", 0,
                               3600,      NULL,
                               "0",       NULL,
                               "Clips",   "Hear only so much of each clip, from --from on; 0: all."};
static const vip_option FROM = {"from", VIP_OPTION_NUMBER, "SECONDS", 0, 3600, NULL, "0", NULL, "Clips", "See --cut."};
static const vip_option PASSES = {"passes",
                                  VIP_OPTION_TEXT,
                                  "S,...",
                                  0,
                                  0,
                                  NULL,
                                  "8",
                                  NULL,
                                  "How",
                                  "Passes with different random parts; 0: the deterministic one. Several, such as "
                                  "8,0,1,2,4: all is said of the first, and the main figures of the others."};
static const vip_option EXPLICIT = {"explicit", VIP_OPTION_FLAG,
                                    NULL,       0,
                                    0,          NULL,
                                    NULL,       NULL,
                                    "How",      "Members of a mean-field model have draws of their own."};
static const vip_option SEED = {"seed",
                                VIP_OPTION_WHOLE,
                                "N",
                                0,
                                1.8446744073709552e19,
                                NULL,
                                "1",
                                NULL,
                                "How",
                                "Of the passes and of the intervals."};
static const vip_option THREADS = {"threads", VIP_OPTION_WHOLE,        "N", 1, 256, NULL, NULL, "all cores",
                                   "How",     "How many threads hear."};
static const vip_option COMPARE = {"compare",
                                   VIP_OPTION_TEXT,
                                   "MODEL",
                                   0,
                                   0,
                                   NULL,
                                   NULL,
                                   NULL,
                                   "What comes out",
                                   "Say also how far the first model is from this one, clip by clip."};
static const vip_option JSON = {"json",
                                VIP_OPTION_TEXT,
                                "FILE",
                                0,
                                0,
                                NULL,
                                NULL,
                                NULL,
                                "What comes out",
                                "All figures; RUN/eval.json is what `vipann-train report RUN` shows."};
static const vip_option CSV = {
    "csv", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, NULL, "What comes out", "A line for each clip."};
static const vip_option *const OPTIONS[] = {&TEST,     &OOD,  &TARGETS, &CUT,     &FROM, &PASSES,
                                            &EXPLICIT, &SEED, &THREADS, &COMPARE, &JSON, &CSV};

const vip_command VIP_EVAL_COMMAND = {
    .name = "vipann-train eval",
    .operands = "MODEL CACHE",
    .summary = "Judges a model on clips that it has not learnt from.",
    .details =
        "Figures come with the interval in which they lie in 95 of 100 draws of other recordings (bootstrap over "
        "groups), raw and, if the model is calibrated, with its temperature. Clips without a label that the model "
        "knows do not count, and are counted.",
    .examples =
        "vipann-train eval runs/first/best.safetensors esc50.cache --test 'fold=4' --json runs/first/eval.json\n"
        "vipann-train eval model.safetensors all.cache --test 'set=esc50 & fold=4' --ood 'set=drone,deepship'",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_operands = 2,
    .most_operands = 2,
};

/* One model with all that it heard. */
typedef struct {
    vip_model *model;
    float *logits[1 + VIP_MOST_FOREIGN];
    vip_heard *heard[2 + VIP_MOST_FOREIGN]; /* raw, calibrated, foreign sets */
    vip_heard *others[VIP_MOST_PASSES_ASKED];
    float *other_logits[VIP_MOST_PASSES_ASKED];
    vip_verdict verdict;
} witness;

typedef struct {
    const vip_arguments *arguments;
    vip_cache *cache;
    vip_targets *targets;
    vip_part test;
    size_t n_passes;
    uint32_t passes[VIP_MOST_PASSES_ASKED]; /* the first is the main one */
    size_t n_foreign;
    vip_part foreign[VIP_MOST_FOREIGN];
    vip_progress progress;
    witness first, second;
} judging;

static void
show(void *user, size_t done, size_t n)
{
    judging *j = user;
    vip_progress_update(&j->progress, (double)done / (double)n, "clips");
}

static void
witness_free(witness *w)
{
    for (int i = 0; i < 2 + VIP_MOST_FOREIGN; i++) {
        vip_heard_free(w->heard[i]);
    }
    for (int i = 0; i < 1 + VIP_MOST_FOREIGN; i++) {
        vip_free(w->logits[i]);
    }
    for (int i = 0; i < VIP_MOST_PASSES_ASKED; i++) {
        vip_heard_free(w->others[i]);
        vip_free(w->other_logits[i]);
    }
    vip_model_free(w->model);
}

static vip_listen_options
how_to_listen(const judging *j, const vip_model *model, uint32_t passes)
{
    const double frames = model->frontend.sample_rate / model->frontend.hop; /* in a second */
    return (vip_listen_options){
        .passes = passes,
        .seed = vip_argument(j->arguments, &SEED)->whole,
        .explicit_members = vip_argument(j->arguments, &EXPLICIT)->given,
        .first = (size_t)(vip_argument(j->arguments, &FROM)->number * frames),
        .frames = (size_t)(vip_argument(j->arguments, &CUT)->number * frames),
    };
}

static vipann_status
hear(judging *j, witness *w, uint32_t passes, const vip_part *part, const vip_calibration *calibration,
     const vip_targets *targets, float **logits, vip_heard **heard, vipann_error *error)
{
    const vip_listen_options options = how_to_listen(j, w->model, passes);
    const size_t answers = vip_listen_answers(w->model, &options);
    if (*logits == NULL) {
        *logits = vip_alloc(part->n, vip_product(answers * w->model->network.classes, sizeof(float)));
        if (*logits == NULL) {
            return vip_fail_memory(error, "answers");
        }
        const vipann_status good =
            vip_listen(w->model, j->cache, part->clips, part->n, &options, *logits, show, j, error);
        if (good != VIPANN_OK) {
            return good;
        }
    }
    *heard = vip_heard_new(w->model, j->cache, part, *logits, answers, options.passes == 0, calibration, targets);
    return *heard != NULL ? VIPANN_OK : vip_fail_memory(error, "answers");
}

static vipann_status
check_frontend(const judging *j, const vip_model *model, vipann_error *error)
{
    const vip_frontend_spec *cache = vip_cache_frontend(j->cache), *own = &model->frontend;
    if (cache->sample_rate != own->sample_rate || cache->n_fft != own->n_fft || cache->hop != own->hop) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "%s hears with the front-end %s, the cache was made with %s; make one with `vipann-train features "
            "--frontend %s`",
            model->name, own->name, cache->name, own->name);
    }
    return j->targets == NULL || vip_targets_classes(j->targets) == model->network.classes
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_ARG, "%s has %u classes, the teacher %u; expected the same", model->name,
                          model->network.classes, vip_targets_classes(j->targets));
}

static vipann_status
question(judging *j, const char *path, witness *w, bool main, vipann_error *error)
{
    w->model = vip_model_read(path, error);
    if (w->model == NULL) {
        return error->status;
    }
    vipann_status good = check_frontend(j, w->model, error);
    const vip_calibration *calibration = w->model->calibration.present ? &w->model->calibration : NULL;
    vip_verdict *v = &w->verdict;
    *v = (vip_verdict){.model = w->model,
                       .cache = j->cache,
                       .passes = j->passes[0],
                       .seed = vip_argument(j->arguments, &SEED)->whole,
                       .expression = vip_argument(j->arguments, &TEST)->text,
                       .truth = j->targets != NULL ? "teacher" : "labels"};
    const uint32_t passes = j->passes[0];
    good =
        good == VIPANN_OK ? hear(j, w, passes, &j->test, NULL, j->targets, &w->logits[0], &w->heard[0], error) : good;
    if (good == VIPANN_OK && calibration != NULL) {
        good = hear(j, w, passes, &j->test, calibration, j->targets, &w->logits[0], &w->heard[1], error);
    }
    for (size_t k = 1; k < j->n_passes && main && good == VIPANN_OK; k++) {
        good = hear(j, w, j->passes[k], &j->test, calibration, j->targets, &w->other_logits[k], &w->others[k], error);
        v->others[v->n_others++] = (vip_other_passes){.passes = j->passes[k], .heard = w->others[k]};
    }
    v->raw = w->heard[0];
    v->calibrated = w->heard[1];
    for (size_t k = 0; k < j->n_foreign && main && good == VIPANN_OK; k++) {
        good = hear(j, w, passes, &j->foreign[k], calibration, NULL, &w->logits[1 + k], &w->heard[2 + k], error);
        vip_foreign *f = &v->foreign[v->n_foreign++];
        (void)snprintf(f->name, sizeof f->name, "%s", vip_cache_clip_at(j->cache, j->foreign[k].clips[0])->set);
        f->heard = w->heard[2 + k];
    }
    if (good == VIPANN_OK && vip_heard_unknown_labels(w->heard[0]) == w->heard[0]->n) {
        good = vip_fail(error, VIPANN_E_ARG, "none of the %zu clips has a label that %s knows", w->heard[0]->n,
                        w->model->name);
    }
    return good;
}

/* One part for each set. */
static vipann_status
split_foreign(judging *j, const char *expression, vipann_error *error)
{
    vip_part all;
    vipann_status good = vip_select(j->cache, expression, &all, error);
    for (size_t i = 0; good == VIPANN_OK && i < all.n; i++) {
        const char *set = vip_cache_clip_at(j->cache, all.clips[i])->set;
        size_t k = 0;
        while (k < j->n_foreign && strcmp(vip_cache_clip_at(j->cache, j->foreign[k].clips[0])->set, set) != 0) {
            k++;
        }
        if (k == VIP_MOST_FOREIGN) {
            good = vip_fail(error, VIPANN_E_ARG, "--ood names more than %d sets", VIP_MOST_FOREIGN);
            break;
        }
        if (k == j->n_foreign) {
            j->foreign[k].clips = vip_alloc(all.n, sizeof(size_t));
            if (j->foreign[k].clips == NULL) {
                good = vip_fail_memory(error, "a list of clips");
                break;
            }
            j->n_foreign++;
        }
        j->foreign[k].clips[j->foreign[k].n++] = all.clips[i];
    }
    vip_part_free(&all);
    return good;
}

static vipann_status
write_file(const vip_verdict *verdict, const char *path, void (*write)(const vip_verdict *, FILE *),
           vipann_error *error)
{
    if (path == NULL) {
        return VIPANN_OK;
    }
    vip_atomic_file *file = vip_atomic_file_open(path, error);
    if (file == NULL) {
        return error->status;
    }
    write(verdict, vip_atomic_file_stream(file));
    return vip_atomic_file_commit(file, error);
}

/* "8" or "8,0,1". */
static vipann_status
read_passes(judging *j, vipann_error *error)
{
    const char *const text = vip_argument(j->arguments, &PASSES)->text;
    const vip_option one = {"passes", VIP_OPTION_WHOLE, "S", 0, VIPANN_MAX_PASSES, NULL, NULL, NULL, NULL, NULL};
    for (const char *at = text; at != NULL; at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : NULL) {
        char number[32];
        vip_value value;
        (void)snprintf(number, sizeof number, "%.*s", (int)strcspn(at, ","), at);
        if (j->n_passes == VIP_MOST_PASSES_ASKED) {
            return vip_fail(error, VIPANN_E_ARG, "--passes: found \"%.60s\"; expected at most %d numbers", text,
                            VIP_MOST_PASSES_ASKED);
        }
        const vipann_status good = vip_option_read(&one, number, "--passes", VIPANN_E_ARG, &value, error);
        if (good != VIPANN_OK) {
            return good;
        }
        j->passes[j->n_passes++] = (uint32_t)value.whole;
    }
    return VIPANN_OK;
}

static void
print_differences(const judging *j)
{
    (void)printf("\nagainst %s, clip by clip (difference, 95 %% interval)\n", j->second.model->name);
    for (int f = 0; f < VIP_N_FIGURES; f++) {
        const vip_interval d = vip_verdict_difference(&j->first.verdict, &j->second.verdict, (vip_figure)f);
        if (!isnan(d.value)) {
            (void)printf("%-26s  %+.4f (%+.4f..%+.4f)%s\n", VIP_FIGURE_TEXTS[f], d.value, d.low, d.high,
                         d.low <= 0 && d.high >= 0 ? "  unresolved" : "");
        }
    }
}

static vipann_status
judge(judging *j, vipann_error *error)
{
    const vip_arguments *a = j->arguments;
    vipann_status good = read_passes(j, error);
    j->cache = good == VIPANN_OK ? vip_cache_open(a->operands[1], error) : NULL;
    good = j->cache == NULL ? error->status : vip_select(j->cache, vip_argument(a, &TEST)->text, &j->test, error);
    if (good == VIPANN_OK && vip_argument(a, &OOD)->text != NULL) {
        good = split_foreign(j, vip_argument(a, &OOD)->text, error);
    }
    if (good == VIPANN_OK && vip_argument(a, &TARGETS)->text != NULL) {
        j->targets = vip_targets_open(vip_argument(a, &TARGETS)->text, j->cache, error);
        good = j->targets == NULL ? error->status : VIPANN_OK;
    }
    j->progress = vip_progress_begin(stderr);
    good = good == VIPANN_OK ? question(j, a->operands[0], &j->first, true, error) : good;
    const char *other = vip_argument(a, &COMPARE)->text;
    if (good == VIPANN_OK && other != NULL) {
        good = question(j, other, &j->second, false, error);
    }
    vip_progress_clear(&j->progress);
    if (good != VIPANN_OK) {
        return good;
    }
    vip_verdict_fill(&j->first.verdict);
    vip_verdict_table(&j->first.verdict, stdout);
    if (other != NULL) {
        print_differences(j);
    }
    good = write_file(&j->first.verdict, vip_argument(a, &JSON)->text, vip_verdict_json, error);
    return good == VIPANN_OK ? write_file(&j->first.verdict, vip_argument(a, &CSV)->text, vip_verdict_csv, error)
                             : good;
}

static int
run_eval(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    judging *j = vip_alloc(1, sizeof *j);
    if (j == NULL) {
        (void)fputs("vipann-train eval: not enough memory\n", stderr);
        return VIP_EXIT_FAILED;
    }
    j->arguments = arguments;
    vip_parallel_threads((unsigned)vip_argument(arguments, &THREADS)->whole);
    const vipann_status good = judge(j, &error);
    witness_free(&j->first);
    witness_free(&j->second);
    vip_part_free(&j->test);
    for (size_t k = 0; k < j->n_foreign; k++) {
        vip_part_free(&j->foreign[k]);
    }
    vip_targets_close(j->targets);
    vip_cache_close(j->cache);
    vip_free(j);
    return vip_command_end(&VIP_EVAL_COMMAND, good, &error);
}

int
vip_eval_run(int argc, char **argv)
{
    return vip_command_line(&VIP_EVAL_COMMAND, argc, argv, NULL, run_eval);
}
