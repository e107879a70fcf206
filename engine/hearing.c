/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hearing.c -- see hearing.h for the contract. */
#include "hearing.h"

#include <base/memory.h>
#include <bayes/members.h>

struct vip_hearing {
    vip_weights *flipout; /* pairs, with the signs of each member */
    vip_signs *signs;
    uint32_t n_drawn;
    vip_weights **drawn; /* [n_drawn] of explicit members */
    vip_pass *pass;
};

/* One draw for all members, and each one's signs. */
static bool
draw_flipout(vip_hearing *hearing, const vip_model *model, uint64_t seed, uint32_t members)
{
    vip_tensors noise = vip_draw_noise(model, seed, 0);
    if (noise != NULL) {
        hearing->flipout = vip_weights_new(model, model->values, noise);
    }
    if (hearing->flipout != NULL) {
        hearing->signs = vip_draw_signs(model, hearing->flipout, noise, seed, members);
    }
    vip_tensors_free(noise);
    return hearing->signs != NULL;
}

/* Member m has draw m. */
static bool
draw_explicit(vip_hearing *hearing, const vip_model *model, uint64_t seed, uint32_t members)
{
    hearing->drawn = vip_alloc(members, sizeof *hearing->drawn);
    bool complete = hearing->drawn != NULL;
    for (uint32_t m = 0; m < members && complete; m++) {
        vip_tensors tensors = vip_draw_weights(model, seed, m);
        hearing->drawn[m] = tensors == NULL ? NULL : vip_weights_new(model, tensors, NULL);
        vip_tensors_free(tensors);
        hearing->n_drawn = m + 1;
        complete = hearing->drawn[m] != NULL;
    }
    return complete;
}

/* What the members of a mean-field posterior need. */
static bool
draw(vip_hearing *hearing, const vip_model *model, const vipann_options *options, uint32_t members)
{
    return options->members == VIPANN_EXPLICIT ? draw_explicit(hearing, model, options->seed, members)
                                               : draw_flipout(hearing, model, options->seed, members);
}

vip_hearing *
vip_hearing_new(const vipann_model *model, const vipann_options *options, const vip_kernels *kernels)
{
    const vip_model *file = model->file;
    const bool differ = vip_has_members(model, options);
    const uint32_t members = vip_most_members(model, options);
    vip_hearing *hearing = vip_alloc(1, sizeof *hearing);
    if (hearing == NULL || (differ && file->posterior == VIPANN_MEANFIELD && !draw(hearing, file, options, members))) {
        vip_hearing_free(hearing);
        return NULL;
    }
    const vip_weights *const *sets = (const vip_weights *const *)(differ ? model->sets : NULL);
    const vip_pass_options how = {
        .kernels = kernels,
        .rates = differ && file->posterior == VIPANN_DROPOUT ? file->rates : NULL,
        .signs = hearing->signs,
        .sets = hearing->drawn != NULL ? (const vip_weights *const *)hearing->drawn : sets,
        .seed = options->seed,
        .max_members = members,
        .max_frames = options->piece_columns * VIP_COLUMN_FRAMES,
        .max_window = vip_longest_window(options),
    };
    hearing->pass = vip_pass_new(&file->network, hearing->flipout != NULL ? hearing->flipout : model->weights, &how);
    if (hearing->pass == NULL) {
        vip_hearing_free(hearing);
        return NULL;
    }
    return hearing;
}

void
vip_hearing_free(vip_hearing *hearing)
{
    if (hearing == NULL) {
        return;
    }
    vip_pass_free(hearing->pass);
    for (uint32_t m = 0; hearing->drawn != NULL && m < hearing->n_drawn; m++) {
        vip_weights_free(hearing->drawn[m]);
    }
    vip_free(hearing->drawn);
    vip_signs_free(hearing->signs);
    vip_weights_free(hearing->flipout);
    vip_free(hearing);
}

vip_pass *
vip_hearing_pass(const vip_hearing *hearing)
{
    return hearing->pass;
}
