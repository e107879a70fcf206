/* SPDX-License-Identifier: GPL-3.0-or-later */
/* import.c -- `vipann-train import`: a public checkpoint, or random numbers, become a model. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <common/options.h>
#include <common/support.h>
#include <offline_trainer/data/frontends.h>
#include <offline_trainer/import/convert.h>
#include <offline_trainer/import/labels.h>
#include <offline_trainer/import/random_tensors.h>

#include "train_commands.h"

static const char *const ARCHS[] = {"resnet22", "resnet38", "resnet54", NULL}; /* in the order of vip_arch */
static const char *const PADDINGS[] = {"same", "causal", NULL};                /* of vip_padding */
static const char *const TASKS[] = {"multilabel", "multiclass", NULL};         /* of vipann_task */
static const char *const POSTERIORS[] = {"deterministic", "dropout", "meanfield", "ensemble",
                                         NULL};                       /* vipann_posterior */
static const char *const PRESETS[] = {"all", "vipann", "late", NULL}; /* of vip_dropout_preset */

enum {
    OUTPUT,
    LABELS,
    FRONTEND,
    PADDING,
    TASK,
    DROPOUT,
    HALF,
    TRUNK,
    RANDOM,
    WIDTH,
    CLASSES,
    POSTERIOR,
    SEED,
    N_OPTIONS
};

#define OF_FILE   "A checkpoint"
#define OF_RANDOM "Random numbers"

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [OUTPUT] = &(const vip_option){"output", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, NULL, NULL, "Options",
                                   "The model file to write, MODEL.safetensors."},
    [LABELS] = &(const vip_option){"labels", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, "AudioSet's, of 527 classes",
                                   "Options",
                                   "The names of the classes in the order of the network's outputs: one in each line, "
                                   "or a table (CSV) with a column display_name or label."},
    [FRONTEND] = &(const vip_option){"frontend", VIP_OPTION_CHOICE, NULL, 0, 0, VIP_FRONTEND_NAMES, NULL,
                                     "the one whose mel matrix is in the file; of random numbers panns16k", "Options",
                                     "How sound becomes log-mel frames: for checkpoints without a mel matrix."},
    [PADDING] =
        &(const vip_option){"padding", VIP_OPTION_CHOICE, NULL, 0, 0, PADDINGS, "same", NULL, "Options",
                            "What the network was trained with; a checkpoint does not say it. All published ones "
                            "are same; causal networks are for live sound."},
    [TASK] = &(const vip_option){"task", VIP_OPTION_CHOICE, NULL, 0, 0, TASKS, "multilabel", NULL, "Options",
                                 "Whether several classes can be right at once or exactly one is."},
    [DROPOUT] =
        &(const vip_option){"dropout", VIP_OPTION_CHOICE, NULL, 0, 0, PRESETS, NULL, NULL, "Options",
                            "Let masks act in each pass, so that a deterministic network has members. all: where "
                            "and as often as in training; vipann: as VI-PANN does at test, not within the "
                            "residual blocks; late: only behind the resnet, the cheapest."},
    [HALF] = &(const vip_option){"half", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Options",
                                 "Store the weights in 16 bits: half the file."},
    [TRUNK] = &(const vip_option){"trunk", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, NULL, NULL, OF_FILE,
                                  "For a checkpoint of fc1 and fc_audioset alone: the model file that has the rest. "
                                  "Front-end and padding are its own."},
    [RANDOM] = &(const vip_option){"random", VIP_OPTION_CHOICE, NULL, 0, 0, ARCHS, NULL, NULL, OF_RANDOM,
                                   "Make a network of random numbers instead, of any size, to measure with. It hears "
                                   "nothing that makes sense."},
    [WIDTH] = &(const vip_option){"width", VIP_OPTION_WHOLE, "N", 1, VIP_MAX_WIDTH, NULL, "16", NULL, OF_RANDOM,
                                  "Channels behind the first convolutions; the published networks have 64."},
    [CLASSES] = &(const vip_option){"classes", VIP_OPTION_WHOLE, "N", 1, VIP_MAX_CLASSES, NULL, NULL,
                                    "as many as there are labels, else 527", OF_RANDOM, "How many classes it has."},
    [POSTERIOR] = &(const vip_option){"posterior", VIP_OPTION_CHOICE, NULL, 0, 0, POSTERIORS, NULL,
                                      "dropout with --dropout, else deterministic", OF_RANDOM,
                                      "What its members differ in. An ensemble has 4 networks."},
    [SEED] = &(const vip_option){"seed", VIP_OPTION_WHOLE, "N", 0, 9007199254740992.0, NULL, "1", NULL, OF_RANDOM,
                                 "The same seed gives the same numbers."},
};

const vip_command VIP_IMPORT_COMMAND = {
    .name = "vipann-train import",
    .operands = "[FILE.pth]",
    .summary = "Makes a model of a published checkpoint of PANNs or VI-PANN.",
    .details =
        "FILE.pth is what torch.save wrote, with any version of PyTorch: ResNet22, ResNet38 or ResNet54, as PANNs "
        "publish them or with the Flipout layers of VI-PANN, of any width and number of classes. PyTorch is not "
        "needed. Such a file is a program for Python; here it is only read, and nothing of it is ever run: a file "
        "that wants more than a checkpoint needs is refused.\n"
        "What was found in the file is said in a few lines; `vipann info MODEL` shows the model.",
    .examples = "vipann-train import ResNet22_mAP=0.430.pth -o resnet22.safetensors\n"
                "vipann-train import flipout.pth --half -o flipout.safetensors\n"
                "vipann-train import --random resnet54 --width 64 -o large.safetensors",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 0,
    .most_operands = 1,
};

/* ----------------------------------------------------------------------------------------------- what is asked for */

static vipann_status
refuse(vipann_error *error, const char *what)
{
    return vip_fail(error, VIPANN_E_ARG, "%s (see \"vipann-train import --help\")", what);
}

/* What belongs to one of the two ways is not given with the other. */
static vipann_status
check_asked(const vip_arguments *a, vipann_error *error)
{
    const bool random = a->values[RANDOM].given;
    if (random == (a->n_operands == 1)) {
        return refuse(error, random ? "a checkpoint or --random, not both"
                                    : "nothing to import; expected a checkpoint, FILE.pth, or --random ARCH");
    }
    if (!a->values[OUTPUT].given) {
        return refuse(error, "-o MODEL.safetensors is missing: where the model is to be written");
    }
    if (random && a->values[TRUNK].given) {
        return refuse(error, "--trunk is for checkpoints, not for --random");
    }
    if (a->values[TRUNK].given && (a->values[FRONTEND].given || a->values[PADDING].given)) {
        return refuse(error, "--frontend and --padding are those of the --trunk");
    }
    for (int i = WIDTH; i <= SEED && !random; i++) {
        if (a->values[i].given) {
            return vip_fail(error, VIPANN_E_ARG, "--%s is for --random ARCH; a checkpoint has its own",
                            OPTIONS[i]->name);
        }
    }
    const bool other = a->values[POSTERIOR].given && a->values[POSTERIOR].word != VIPANN_DROPOUT;
    if (a->values[DROPOUT].given && other) {
        return refuse(error, "--dropout is for --posterior dropout");
    }
    return VIPANN_OK;
}

/* ------------------------------------------------------------------------------------------------- what both ways do */

/* A copy of the text in place of the one that is there. */
static vipann_status
set_text(char **to, const char *text, vipann_error *error)
{
    char *copy = vip_copy_string(text);
    if (copy == NULL) {
        return vip_fail_memory(error, "the model");
    }
    vip_free(*to);
    *to = copy;
    return VIPANN_OK;
}

/* Rates of a preset at every site of the network. */
static vipann_status
set_dropout(vip_model *model, int preset, vipann_error *error)
{
    enum { ALL, VIPANN, LATE };
    for (int i = 0; i < model->network.n_sites; i++) {
        const vip_site *site = &model->network.sites[i];
        const bool block = strncmp(site->name, "layer", 5) == 0, stem = strcmp(site->name, "stem") == 0;
        const bool off = (preset == VIPANN && block) || (preset == LATE && (block || stem));
        model->rates[i] = off ? 0 : site->training_rate;
    }
    if (preset == VIPANN && model->task == VIPANN_MULTILABEL) {
        model->rates[model->network.head_site] = 0.5f;
    }
    model->posterior = VIPANN_DROPOUT;
    return set_text(&model->preset, PRESETS[preset], error);
}

/* The labels become the model's; their number is right. */
static void
give_labels(vip_model *model, vip_labels *labels)
{
    for (size_t i = 0; i < labels->n; i++) {
        model->labels[i] = labels->all[i];
    }
    labels->n = 0;
}

static vipann_status
write_model(const vip_model *model, const vip_arguments *a, vipann_error *error)
{
    const char *path = a->values[OUTPUT].text;
    vipann_status status = vip_model_write(model, path, a->values[HALF].given, error);
    if (status == VIPANN_OK) {
        (void)printf("written      %s: %s, width %u, %s, %.2f million weights%s\n", path,
                     vip_arch_name(model->network.arch), (unsigned)model->network.width,
                     PADDINGS[model->network.padding], (double)vip_network_weights(&model->network) / 1e6,
                     a->values[HALF].given ? " in 16 bits" : "");
    }
    return status;
}

/* ------------------------------------------------------------------------------------------------------ a checkpoint */

static void
tell(const vip_torch *torch, const vip_converted *found, const vip_model *model)
{
    (void)printf("checkpoint   %s, %zu entries under %s\n",
                 torch->legacy ? "container of PyTorch before 1.6" : "zip container", torch->n,
                 torch->nested ? "'model'" : "no key");
    if (found->bayesian_convs + found->bayesian_linears > 0) {
        (void)printf("names        VI-PANN's: %zu convolutions and %zu tensors of linear layers have mu and rho\n",
                     found->bayesian_convs, found->bayesian_linears);
    } else {
        (void)printf("names        PANNs'\n");
    }
    if (found->left_out > 0) {
        (void)printf("left out     %zu entries that no model needs (front-end, old noise and priors)\n",
                     found->left_out);
    }
    (void)printf("posterior    %s%s%s\n", POSTERIORS[model->posterior], model->preset[0] != '\0' ? ", preset " : "",
                 model->preset);
    (void)printf("front-end    %s, %s\n", model->frontend.name,
                 found->recognised  ? "recognised by its mel matrix"
                 : found->head_only ? "the trunk's"
                                    : "as asked");
    (void)printf("classes      %u, %s\n", (unsigned)model->network.classes, TASKS[model->task]);
}

/* The labels of so many classes: from the file that is named, or AudioSet's. */
static vipann_status
find_labels(const vip_arguments *a, uint32_t classes, vip_labels *labels, vipann_error *error)
{
    const char *path = a->values[LABELS].text;
    if (path == NULL && classes != VIP_AUDIOSET_CLASSES) {
        return vip_fail(
            error, VIPANN_E_ARG,
            "the network has %u classes, and their names are not in the checkpoint; give them with --labels "
            "FILE, one in each line",
            (unsigned)classes);
    }
    vipann_status status = path == NULL ? vip_labels_of_audioset(labels, error) : vip_labels_read(labels, path, error);
    if (status == VIPANN_OK && labels->n != classes) {
        status =
            vip_fail(error, VIPANN_E_FORMAT, "%.120s: has %zu labels, expected %u, one for each class of the network",
                     path, labels->n, (unsigned)classes);
    }
    return status;
}

static vipann_status
describe(vip_model *model, const vip_arguments *a, const char *kind, vipann_error *error)
{
    const char *file = strrchr(a->operands[0], '/');
    char text[256];
    (void)snprintf(text, sizeof text, "imported from the %s %.100s by vipann-train %s", kind,
                   file != NULL ? file + 1 : a->operands[0], vipann_version());
    return set_text(&model->provenance, text, error);
}

/* What is left to do once the checkpoint has become a model. */
static vipann_status
finish_checkpoint(vip_model *model, const vip_arguments *a, const vip_torch *torch, const vip_converted *found,
                  vipann_error *error)
{
    vip_labels labels = {0};
    vipann_status status = VIPANN_OK;
    if (a->values[DROPOUT].given && model->posterior == VIPANN_MEANFIELD) {
        status = refuse(error, "--dropout is for deterministic networks; this one has members by its weights");
    } else if (a->values[DROPOUT].given) {
        status = set_dropout(model, a->values[DROPOUT].word, error);
    }
    if (status == VIPANN_OK) {
        status = find_labels(a, model->network.classes, &labels, error);
    }
    if (status == VIPANN_OK) {
        give_labels(model, &labels);
        status = describe(model, a, "checkpoint", error);
    }
    if (status == VIPANN_OK) {
        tell(torch, found, model);
        status = write_model(model, a, error);
    }
    vip_labels_free(&labels);
    return status;
}

static vipann_status
import_checkpoint(const vip_arguments *a, vipann_error *error)
{
    vip_torch torch;
    vip_converted found = {0};
    vip_model *trunk = NULL, *model = NULL;
    vip_convert_options options = {.frontend =
                                       a->values[FRONTEND].given ? a->values[FRONTEND].word : VIP_FRONTEND_OF_FILE,
                                   .padding = (vip_padding)a->values[PADDING].word,
                                   .task = (vipann_task)a->values[TASK].word};
    vipann_status status = vip_torch_open(&torch, a->operands[0], error);
    if (status == VIPANN_OK && a->values[TRUNK].given) {
        trunk = vip_model_read(a->values[TRUNK].text, error);
        status = trunk != NULL ? VIPANN_OK : error->status;
    }
    if (status == VIPANN_OK) {
        options.trunk = trunk;
        model = vip_convert(&torch, &options, &found, error);
        status = model != NULL ? finish_checkpoint(model, a, &torch, &found, error) : error->status;
    }
    vip_model_free(model);
    vip_model_free(trunk);
    vip_torch_close(&torch);
    return status;
}

/* ---------------------------------------------------------------------------------------------------- random numbers */

/* How many classes there are to be, and their labels. */
static vipann_status
make_labels(const vip_arguments *a, vip_labels *labels, uint32_t *classes, vipann_error *error)
{
    const bool given = a->values[CLASSES].given;
    *classes = given ? (uint32_t)a->values[CLASSES].whole : VIP_AUDIOSET_CLASSES;
    if (a->values[LABELS].given && !given) {
        vipann_status status = vip_labels_read(labels, a->values[LABELS].text, error);
        *classes = (uint32_t)labels->n;
        return status;
    }
    if (a->values[LABELS].given || *classes == VIP_AUDIOSET_CLASSES) {
        return find_labels(a, *classes, labels, error);
    }
    labels->all = vip_alloc(*classes, sizeof *labels->all);
    while (labels->all != NULL && labels->n < *classes) {
        char label[32];
        (void)snprintf(label, sizeof label, "class %zu", labels->n);
        labels->all[labels->n] = vip_copy_string(label);
        if (labels->all[labels->n] == NULL) {
            break;
        }
        labels->n++;
    }
    return labels->n == *classes ? VIPANN_OK : vip_fail_memory(error, "labels");
}

static vipann_status
fill_random(vip_model *model, const vip_arguments *a, vipann_error *error)
{
    enum { MEMBERS = 4 };
    const bool dropout = a->values[DROPOUT].given || a->values[POSTERIOR].word == VIPANN_DROPOUT;
    const int frontend = a->values[FRONTEND].given ? a->values[FRONTEND].word : 0;
    model->frontend = *vip_frontend_named(VIP_FRONTEND_NAMES[frontend]);
    model->task = (vipann_task)a->values[TASK].word;
    model->posterior = a->values[POSTERIOR].given ? (vipann_posterior)a->values[POSTERIOR].word : VIPANN_DETERMINISTIC;
    if (!vip_random_tensors(model, a->values[SEED].whole, MEMBERS)) {
        return vip_fail_memory(error, "the model");
    }
    vipann_status status = VIPANN_OK;
    if (dropout) {
        status = set_dropout(model, a->values[DROPOUT].given ? a->values[DROPOUT].word : 0, error);
    }
    if (status == VIPANN_OK) {
        status = set_text(&model->provenance, "random numbers for measurements", error);
    }
    return status;
}

static vipann_status
import_random(const vip_arguments *a, vipann_error *error)
{
    vip_labels labels = {0};
    uint32_t classes;
    vip_model *model = NULL;
    vipann_status status = make_labels(a, &labels, &classes, error);
    if (status == VIPANN_OK) {
        model = vip_model_new((vip_arch)a->values[RANDOM].word, (uint32_t)a->values[WIDTH].whole, classes,
                              (vip_padding)a->values[PADDING].word);
        status = model == NULL ? vip_fail_memory(error, "the model") : fill_random(model, a, error);
    }
    if (status == VIPANN_OK) {
        give_labels(model, &labels);
        status = write_model(model, a, error);
    }
    vip_model_free(model);
    vip_labels_free(&labels);
    return status;
}

static int
import(const vip_arguments *arguments)
{
    vipann_error error = {VIPANN_OK, ""};
    vipann_status status = check_asked(arguments, &error);
    if (status == VIPANN_OK) {
        status =
            arguments->values[RANDOM].given ? import_random(arguments, &error) : import_checkpoint(arguments, &error);
    }
    return vip_command_end(&VIP_IMPORT_COMMAND, status, &error);
}

int
vip_import_run(int argc, char **argv)
{
    return vip_command_line(&VIP_IMPORT_COMMAND, argc, argv, NULL, import);
}
