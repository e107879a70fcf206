/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c -- `vipann file`: recordings in, results or events out. */
#include <string.h>
#include <sys/stat.h>

#include <common/support.h>
#include <common/text.h>

#include "explain.h"
#include "file_options.h"
#include "jobs.h"
#include "show.h"
#include <plugin/program/asked.h>
#include <plugin/program/commands.h>
#include <plugin/program/models.h>

/* One run of the command. */
typedef struct {
    const vip_arguments *arguments;
    const vip_value *values;
    vip_paths paths;
    size_t unread; /* folders that could not be read */
    vipann_model *model;
    vipann_rules *rules;
    vip_setting settings[VIP_FILE_SETTINGS];
    vip_place place;
    vip_delivery *delivery;
    vip_jobs jobs;
} batch;

static const char *
name_of_command(void)
{
    return VIP_FILE_COMMAND.name;
}

/* One line on stderr, if there is anything to say, and the exit status. */
static int
complain(const vipann_error *error)
{
    if (error->text[0] != '\0') {
        (void)fprintf(stderr, "%s: %s\n", name_of_command(), error->text);
    }
    return error->status == VIPANN_E_ARG ? VIP_EXIT_ASKED_WRONGLY : VIP_EXIT_FAILED;
}

/* --------------------------------------------------------------------------------------------------- recordings */

static void
on_unread_folder(void *user, const char *text)
{
    batch *b = user;
    b->unread++;
    (void)fprintf(stderr, "%s: %s\n", name_of_command(), text);
}

static vipann_status
list_recordings(batch *b, vipann_error *error)
{
    bool recursive = b->values[VIP_FILE_RECURSIVE].given;
    uint64_t i, n;
    for (size_t k = 0; k < b->arguments->n_operands; k++) {
        vipann_status status =
            vip_paths_add(&b->paths, b->arguments->operands[k], recursive, on_unread_folder, b, error);
        if (status != VIPANN_OK) {
            return status;
        }
    }
    if (b->paths.n == 0 && b->unread == 0) {
        return vip_fail(error, VIPANN_E_IO, "%s: there is no sound file in it; name files, or another folder",
                        vip_text_tail(b->arguments->operands[0], 100));
    }
    if (b->values[VIP_FILE_SHARD].given && vip_file_shard(b->values[VIP_FILE_SHARD].text, &i, &n, error) == VIPANN_OK) {
        vip_paths_keep_shard(&b->paths, i, n);
    }
    return VIPANN_OK;
}

/* --output must not be one of the recordings. */
static vipann_status
check_output(const batch *b, vipann_error *error)
{
    struct stat output, input;
    if (b->place.output == NULL || stat(b->place.output, &output) != 0 || !S_ISREG(output.st_mode)) {
        return VIPANN_OK;
    }
    for (size_t i = 0; i < b->paths.n; i++) {
        const char *path = b->paths.all[i].path;
        if (stat(path, &input) == 0 && input.st_dev == output.st_dev && input.st_ino == output.st_ino) {
            return vip_fail(error, VIPANN_E_ARG,
                            "--output %s would replace a recording that is to be heard; choose another name",
                            vip_text_tail(path, 100));
        }
    }
    return VIPANN_OK;
}

/* In --output-dir no two recordings may share a name. */
static vipann_status
check_names(const batch *b, vipann_error *error)
{
    if (b->place.folder == NULL || b->paths.n < 2) {
        return VIPANN_OK;
    }
    size_t *order = vip_alloc(b->paths.n, sizeof *order);
    if (order == NULL) {
        return vip_fail_memory(error, "the list of recordings");
    }
    vipann_status status = VIPANN_OK;
    vip_paths_sort(&b->paths, true, order);
    for (size_t i = 1; i < b->paths.n && status == VIPANN_OK; i++) {
        const vip_path *one = &b->paths.all[order[i - 1]], *other = &b->paths.all[order[i]];
        if (strcmp(one->name, other->name) == 0) {
            status = vip_fail(error, VIPANN_E_ARG,
                              "%s and %s would both become %s%s in --output-dir; hear them in two goes, or give the "
                              "folder above them with --recursive",
                              vip_text_tail(one->path, 50), vip_text_tail(other->path, 50),
                              vip_text_tail(one->name, 30), b->place.ending);
        }
    }
    vip_free(order);
    return status;
}

/* -------------------------------------------------------------------------------------------------------- set-up */

static void
set_place(batch *b)
{
    const vip_value *v = b->values;
    bool file = v[VIP_FILE_OUTPUT].given && strcmp(v[VIP_FILE_OUTPUT].text, "-") != 0;
    b->place = (vip_place){.output = file ? v[VIP_FILE_OUTPUT].text : NULL,
                           .folder = v[VIP_FILE_OUTPUT_DIR].given ? v[VIP_FILE_OUTPUT_DIR].text : NULL,
                           .ending = VIP_FORMATS[v[VIP_FILE_FORMAT].word].ending,
                           .resume = v[VIP_FILE_RESUME].given,
                           .settings = b->settings};
}

static vipann_status
open_model(batch *b, vipann_error *error)
{
    b->model = vip_models_open(b->values[VIP_FILE_MODEL].text, error);
    b->rules = b->model != NULL ? vip_asked_rules(b->arguments, b->model, error) : NULL;
    return b->rules != NULL ? VIPANN_OK : error->status;
}

/* E_ARG: the model does not have what the options ask of it. */
static vipann_status
set_jobs(batch *b, vipann_error *error)
{
    const vip_value *v = b->values;
    vip_jobs *jobs = &b->jobs;
    *jobs = (vip_jobs){.program = name_of_command(), .paths = &b->paths};
    jobs->analysis = (vip_analysis){.model = b->model, .start = v[VIP_FILE_START].number};
    jobs->analysis.duration = v[VIP_FILE_DURATION].given ? v[VIP_FILE_DURATION].number : 0;
    jobs->analysis.clip = v[VIP_FILE_CLIP].given;
    jobs->analysis.events = vip_file_subject(v) != VIP_RESULTS;
    vip_file_engine_options(b->arguments, b->model, &jobs->analysis.options);
    jobs->analysis.options.rules = b->rules;
    jobs->format = &VIP_FORMATS[v[VIP_FILE_FORMAT].word];
    jobs->threads = (size_t)v[VIP_FILE_THREADS].whole;
    jobs->report.subject = vip_file_subject(v);
    jobs->report.clip = v[VIP_FILE_CLIP].given;
    jobs->report.top = v[VIP_FILE_TOP].word != VIP_NO_WORD ? UINT32_MAX : (uint32_t)v[VIP_FILE_TOP].whole;
    /* The options are checked once here, and not for each recording: what the cost is does not matter. How many channels a
     * recording has is not known yet. */
    vipann_options options = jobs->analysis.options;
    vipann_cost cost;
    options.channels = VIPANN_MAX_CHANNELS;
    return vipann_model_cost(b->model, &options, &cost, error);
}

/* Opens the place for what will be heard, and leaves out what an earlier run has heard. */
static vipann_status
open_place(batch *b, size_t *failed, vipann_error *error)
{
    b->place.n_settings = vip_file_settings(b->values, b->model, &b->jobs.analysis.options, b->settings);
    b->delivery = vip_delivery_open(&b->place, error);
    if (b->delivery == NULL) {
        return error->status;
    }
    FILE *stream = vip_delivery_stream(b->delivery);
    b->jobs.delivery = b->delivery;
    b->jobs.report.style = vip_text_style_of(stream != NULL ? stream : stdout);
    if (stream == NULL) { /* a file, whatever standard output is */
        b->jobs.report.style = (vip_text_style){.unicode = b->jobs.report.style.unicode};
    }
    vipann_status status = vip_delivery_skip(b->delivery, &b->paths, failed, &b->jobs.report.index, error);
    if (status == VIPANN_OK && *failed > 0) {
        (void)fprintf(stderr, "%s: %zu recording%s could not be heard in an earlier run; the journal says which\n",
                      name_of_command(), *failed, *failed == 1 ? "" : "s");
    }
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- run */

static int
hear(batch *b)
{
    vipann_error error = {VIPANN_OK, ""};
    size_t failed_before = 0, failed = 0;
    vipann_status status = open_place(b, &failed_before, &error);
    if (status == VIPANN_OK) {
        status = vip_jobs_run(&b->jobs, &failed, &error);
    }
    if (status != VIPANN_OK) {
        vip_delivery_discard(b->delivery);
        return complain(&error);
    }
    if (vip_delivery_close(b->delivery, &error) != VIPANN_OK) {
        return complain(&error);
    }
    return failed + failed_before + b->unread > 0 ? VIP_EXIT_FAILED : VIP_EXIT_DONE;
}

static int
show(batch *b)
{
    vipann_error error = {VIPANN_OK, ""};
#ifdef VIPANN_TERM
    const vipann_status status = vip_show(&b->jobs.analysis, b->paths.all[0].path, name_of_command(), &error);
#else
    (void)b;
    const vipann_status status =
        vip_fail(&error, VIPANN_E_UNSUPPORTED, "--display: this program was built without ncurses");
#endif
    return status == VIPANN_OK ? VIP_EXIT_DONE : complain(&error);
}

static int
run_batch(batch *b)
{
    vipann_error error = {VIPANN_OK, ""};
    set_place(b);
    if (b->values[VIP_FILE_EXPLAIN].given) {
        vipann_status status = open_model(b, &error);
        if (status == VIPANN_OK) {
            status = vip_explain(b->model, b->rules, b->values[VIP_FILE_EXPLAIN].text, stdout, &error);
        }
        return status == VIPANN_OK ? VIP_EXIT_DONE : complain(&error);
    }
    if (list_recordings(b, &error) != VIPANN_OK || check_output(b, &error) != VIPANN_OK ||
        check_names(b, &error) != VIPANN_OK || open_model(b, &error) != VIPANN_OK || set_jobs(b, &error) != VIPANN_OK) {
        return complain(&error);
    }
    return b->values[VIP_FILE_DISPLAY].given ? show(b) : hear(b);
}

static int
run(const vip_arguments *arguments)
{
    vipann_error error;
    if (vip_file_check(arguments, &error) != VIPANN_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        return VIP_EXIT_ASKED_WRONGLY;
    }
    batch b = {.arguments = arguments, .values = arguments->values};
    int status = run_batch(&b);
    vip_paths_free(&b.paths);
    vipann_rules_free(b.rules);
    vipann_model_unref(b.model);
    return status;
}

int
vip_command_file(int argc, char **argv)
{
    return vip_command_line(&VIP_FILE_COMMAND, argc, argv, vip_preset_apply, run);
}
