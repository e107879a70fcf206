/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.c -- see recipe.h for the contract: training, step by step. develop.c hears the development part. */
#include "trainee.h"

#include <base/hash.h>
#include <base/memory.h>
#include <base/status.h>
#include <common/clock.h>
#include <common/progress.h>
#include <offline_trainer/grad/loss.h>

#include <math.h>
#include <signal.h>
#include <string.h>

static const double LOG_SECONDS = 10, CHECKPOINT_SECONDS = 60;

static volatile sig_atomic_t stop_asked; /* the one word that a signal can reach */

static void
on_signal(int number)
{
    stop_asked = 1;
    (void)signal(number, SIG_DFL); /* the second one ends the program */
}

void
vip_train_catch_signals(void)
{
    stop_asked = 0;
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
}

/* --------------------------------------------------------------------------------------------------------- one step */

/* Parts of the loss, as they are, and their sum as it is made small. */
typedef struct {
    double total, first, second, embedding, divergence;
} parts;

static double
now_seconds(const vip_trainee *t)
{
    return t->seconds_before + vip_clock_seconds(CLOCK_MONOTONIC) - t->begun;
}

static double
share_of_run(const vip_trainee *t)
{
    const double limit = t->recipe->time_limit;
    return vip_schedule_share(&t->recipe->schedule, t->state.step, limit > 0 ? fmin(now_seconds(t) / limit, 1) : 0);
}

static parts
losses(vip_trainee *t, const vip_fed *fed)
{
    const vip_recipe *r = t->recipe;
    const uint32_t rows = r->net.rows, classes = r->network.classes;
    parts p = {0, NAN, NAN, NAN, NAN};
    const float *z = vip_net_output(t->net, VIP_OUTPUT_LOGITS);
    float *gradient = vip_net_output_gradient(t->net, VIP_OUTPUT_LOGITS);
    p.first = r->task == VIPANN_MULTICLASS
                  ? vip_loss_softmax(z, fed->logits, fed->logits_mask, rows, classes, 1, gradient)
                  : vip_loss_binary(z, fed->logits, fed->logits_mask, rows, classes, t->binary_weight, gradient);
    p.total = p.first;
    if (r->further.second != 0) {
        p.second =
            vip_loss_softmax(vip_net_output(t->net, VIP_OUTPUT_SECOND), fed->second, fed->second_mask, rows,
                             r->further.second, r->second_weight, vip_net_output_gradient(t->net, VIP_OUTPUT_SECOND));
        p.total += p.second;
    }
    if (r->further.embedding != 0) {
        p.embedding = vip_loss_square(vip_net_output(t->net, VIP_OUTPUT_EMBEDDING), fed->embedding, fed->embedding_mask,
                                      rows, r->further.embedding, r->embedding_weight,
                                      vip_net_output_gradient(t->net, VIP_OUTPUT_EMBEDDING));
        p.total += p.embedding;
    }
    return p;
}

static vipann_status
refuse_nan(const vip_trainee *t, const parts *p, double norm, vipann_error *error)
{
    const char *what = isfinite(p->first) == 0                         ? "the loss of the first output"
                       : !isnan(p->second) && isfinite(p->second) == 0 ? "the loss of the second output"
                       : isfinite(p->total) == 0                       ? "the loss"
                       : isfinite(norm) == 0                           ? "the norm of the gradient"
                                                                       : NULL;
    return what == NULL
               ? VIPANN_OK
               : vip_fail(error, VIPANN_E_UNSUPPORTED,
                          "step %llu: %s is no finite number; what was good before is kept in the run's folder; a "
                          "lower --rate may help",
                          (unsigned long long)t->state.step, what);
}

static vipann_status
step(vip_trainee *t, parts *p, double *rate, vipann_error *error)
{
    const vip_recipe *r = t->recipe;
    const double share = share_of_run(t);
    vip_fed fed;
    vip_feed_batch(t->feed, t->state.step, &fed);
    fed.batch.momentum = t->momentum;
    fed.batch.eps_draw = (uint32_t)t->state.step;
    vip_net_set_dropout(t->net, vip_ramp(r->dropout_from, r->dropout_ramp, share));
    vip_net_forward(t->net, &fed.batch, true);
    *p = losses(t, &fed);
    vip_net_backward(t->net);
    if (r->posterior == VIPANN_MEANFIELD) {
        const double weight = vip_kl_weight(r->beta * vip_ramp(0, r->kl_warm_up, share), r->feed.part->n, r->kl,
                                            r->task == VIPANN_MULTICLASS ? 1 : r->network.classes) *
                              (r->task == VIPANN_MULTICLASS ? 1 : t->binary_weight);
        p->divergence = weight * vip_kl(t->prior, t->parameters, r->kl, weight);
        p->total += p->divergence;
    }
    const double norm = vip_optimiser_norm(t->optimiser, t->parameters->gradients);
    const vipann_status good = refuse_nan(t, p, norm, error);
    if (good != VIPANN_OK) {
        return good;
    }
    const double scale = r->clip_norm > 0 && norm > r->clip_norm ? r->clip_norm / norm : 1;
    t->state.clipped += scale < 1;
    *rate = r->rate * vip_schedule_factor(&r->schedule, share);
    vip_optimiser_step(t->optimiser, *rate, scale, t->parameters->gradients, t->parameters->values);
    vip_average(t->average, t->parameters->values, t->parameters->n_trainable,
                vip_average_decay(r->average_decay, t->state.step));
    t->state.step++;
    t->state.clips += fed.clips;
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------------- checkpoints */

static void
fill_state(vip_trainee *t)
{
    size_t remembered;
    float *memory = vip_optimiser_memory(t->optimiser, &remembered);
    t->state.arrays[0] = (vip_checkpoint_array){t->parameters->values, t->parameters->n};
    t->state.arrays[1] = (vip_checkpoint_array){t->average, t->parameters->n_trainable};
    t->state.arrays[2] = (vip_checkpoint_array){memory, remembered};
    t->state.arrays[3] = (vip_checkpoint_array){t->best, t->parameters->n};
}

static vipann_status
write_checkpoint(vip_trainee *t, vipann_error *error)
{
    fill_state(t);
    t->state.seconds = now_seconds(t);
    t->state.optimiser_steps = vip_optimiser_steps(t->optimiser);
    return vip_checkpoint_write(t->recipe->folder, &t->state, error);
}

static vipann_status
resume_from(vip_trainee *t, vipann_error *error)
{
    bool older;
    fill_state(t);
    const vipann_status good = vip_checkpoint_read(t->recipe->folder, &t->state, &older, error);
    if (good == VIPANN_OK) {
        vip_optimiser_set_steps(t->optimiser, t->state.optimiser_steps);
        t->seconds_before = t->state.seconds;
        if (older) {
            (void)fprintf(stderr, "%s/checkpoint is damaged; the one before it is used\n", t->recipe->folder);
        }
    }
    return good;
}

/* ----------------------------------------------------------------------------------------------------------- the run */

/* What happens between steps, and when it did last. */
typedef struct {
    FILE *log;
    vip_progress progress;
    double logged, saved; /* seconds of the run */
    double developing;    /* seconds that evaluations have taken since it began or was resumed */
    uint64_t logged_step, logged_clips;
    parts sum;
} watch;

static void
add_parts(parts *sum, const parts *p)
{
    sum->total += p->total;
    sum->first += p->first;
    sum->second += p->second;
    sum->embedding += p->embedding;
    sum->divergence += p->divergence;
}

static void
write_log(const vip_trainee *t, watch *w, double rate)
{
    const uint64_t steps = t->state.step - w->logged_step;
    const double seconds = now_seconds(t), n = (double)steps;
    if (steps == 0) {
        return;
    }
    const vip_log_steps line = {
        .step = t->state.step,
        .clips = t->state.clips,
        .epoch = (double)t->state.step / (double)vip_feed_epoch(t->feed),
        .seconds = seconds,
        .rate = rate,
        .clips_per_second = (double)(t->recipe->net.rows * steps) / (seconds - w->logged),
        .loss = w->sum.total / n,
        .first = w->sum.first / n,
        .second = w->sum.second / n,
        .embedding = w->sum.embedding / n,
        .divergence = w->sum.divergence / n,
        .clipped = t->state.clipped,
    };
    vip_folder_log_steps(w->log, &line);
    char what[160];
    (void)snprintf(what, sizeof what, "loss %.3f (%.3f%s%.3g), %.0f clips/s%s", line.loss, line.first,
                   isnan(line.divergence) ? isnan(line.second) ? ", rate " : ", second " : ", KL ",
                   isnan(line.divergence) ? isnan(line.second) ? rate : line.second : line.divergence,
                   line.clips_per_second, t->dev_text);
    vip_progress_update(&w->progress, share_of_run(t), what);
    w->logged = seconds;
    w->logged_step = t->state.step;
    w->sum = (parts){0, 0, 0, 0, 0};
}

static bool
is_over(const vip_trainee *t)
{
    const vip_recipe *r = t->recipe;
    return share_of_run(t) >= 1 || (r->patience > 0 && t->state.since_best >= r->patience);
}

/* The next evaluation is due when so large a share of the run is done. */
static bool
is_evaluation_due(const vip_trainee *t)
{
    const uint32_t n = t->recipe->evaluations;
    return n > 0 && share_of_run(t) * n >= (double)(t->state.evaluations + 1);
}

/* Where time is short it is for learning: an evaluation is left out if those before have taken their share of it. */
static bool
has_time_for_it(const vip_trainee *t, const watch *w)
{
    const double most = 0.1;
    return t->recipe->time_limit <= 0 || w->developing <= most * now_seconds(t);
}

static vipann_status
run_steps(vip_trainee *t, watch *w, vip_outcome *outcome, vipann_error *error)
{
    double rate = 0;
    while (!is_over(t) && stop_asked == 0) {
        parts p;
        vipann_status good = step(t, &p, &rate, error);
        if (good != VIPANN_OK) {
            return good;
        }
        add_parts(&w->sum, &p);
        if (now_seconds(t) - w->logged >= LOG_SECONDS) {
            write_log(t, w, rate);
        }
        vip_progress_update(&w->progress, share_of_run(t), t->dev_text);
        const bool due = is_evaluation_due(t) && !is_over(t);
        t->state.evaluations += due;
        if (due && has_time_for_it(t, w)) {
            write_log(t, w, rate); /* the speed is that of steps alone */
            t->state.seconds = now_seconds(t);
            good = vip_trainee_develop(t, w->log, false, error);
            w->logged = now_seconds(t);
            w->developing += w->logged - t->state.seconds;
        }
        if (good == VIPANN_OK && now_seconds(t) - w->saved >= CHECKPOINT_SECONDS) {
            good = write_checkpoint(t, error);
            w->saved = now_seconds(t);
        }
        if (good != VIPANN_OK) {
            return good;
        }
    }
    write_log(t, w, rate);
    outcome->stopped = stop_asked != 0 && !is_over(t);
    return write_checkpoint(t, error);
}

static vipann_status
run_with_log(vip_trainee *t, bool resume, vip_outcome *outcome, vipann_error *error)
{
    watch w = {.log = vip_folder_log(t->recipe, resume, error)};
    if (w.log == NULL) {
        return error != NULL ? error->status : VIPANN_E_IO;
    }
    w.progress = vip_progress_begin(stderr);
    w.logged = w.saved = now_seconds(t);
    w.logged_step = t->state.step;
    vipann_status good = run_steps(t, &w, outcome, error);
    if (good == VIPANN_OK && !outcome->stopped) {
        good = vip_trainee_develop(t, w.log, true, error);
        outcome->finished = good == VIPANN_OK;
    }
    vip_progress_clear(&w.progress);
    outcome->steps = t->state.step;
    outcome->clips = t->state.clips;
    outcome->seconds = now_seconds(t);
    outcome->best = t->state.best;
    if (fclose(w.log) != 0 && good == VIPANN_OK) {
        good = vip_fail(error, VIPANN_E_IO, "%s/log.jsonl cannot be written", t->recipe->folder);
    }
    return good;
}

vipann_status
vip_train(const vip_recipe *recipe, bool resume, vip_outcome *outcome, vipann_error *error)
{
    *outcome = (vip_outcome){0};
    vip_trainee t;
    vipann_status good = vip_trainee_new(&t, recipe, error);
    if (good == VIPANN_OK) {
        vip_sha256(recipe->text, strlen(recipe->text), t.state.recipe);
        good = resume
                   ? resume_from(&t, error)
                   : vip_folder_config(recipe, recipe->feed.part->n, recipe->dev != NULL ? recipe->dev->n : 0, error);
    }
    t.begun = vip_clock_seconds(CLOCK_MONOTONIC);
    if (good == VIPANN_OK) {
        good = run_with_log(&t, resume, outcome, error);
    }
    vip_trainee_free(&t);
    return good;
}
