/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model.h -- a model file in memory: what it says of itself, and its tensors as plain float arrays.
 *
 * The format is safetensors with metadata keys "vipann.*" (README.md of this folder). The reader trusts nothing: a file
 * is taken wholly or refused with one line that names the key or tensor, what was found and what was expected. */
#ifndef VIP_MODEL_MODEL_H
#define VIP_MODEL_MODEL_H

#include "network.h"

#include <vipann/vipann.h>

typedef struct {
    char name[32];
    double sample_rate;  /* Hz */
    uint32_t n_fft, hop; /* samples */
    uint32_t mels;       /* always VIP_MELS */
    double fmin, fmax;   /* Hz */
    double amin;         /* power below which the logarithm is cut */
} vip_frontend_spec;

/* The key of each score of *unknown* in a calibration, and the name of each part of their sum; metadata.c has them. */
extern const char *const VIP_SCORE_KEYS[VIPANN_N_SCORES];
extern const char *const VIP_PART_NAMES[VIPANN_N_PARTS];

enum { VIP_MAX_PROTOTYPES = 1024 };

/* What VIPANN_SCORE_SUM adds up: (part - mean) / std of each part that is stated (decide/score.h). */
typedef struct {
    bool has[VIPANN_N_PARTS];
    double mean[VIPANN_N_PARTS], std[VIPANN_N_PARTS]; /* of the calibration clips; std > 0 */
    uint32_t n_prototypes;                            /* more than 0 if and only if there is VIPANN_PART_DISTANCE */
    float *centre;                                    /* [features], mean of the training clips' roots */
    float *prototypes;                                /* [n_prototypes][features], of any length */
} vip_sum;

/* temperature and offset act on each member's logits: z -> (z - offset) / temperature. */
typedef struct {
    bool present;
    float *temperature;              /* [classes]; 1 if not stated */
    float *offset;                   /* [classes]; 0 if not stated */
    float temperature_deterministic; /* for the deterministic pass; 1 if not stated */
    bool has_deterministic;
    float *thresholds;                 /* [classes]; negative: not reportable. NULL if there are none */
    bool has_unknown[VIPANN_N_SCORES]; /* a limit of *unknown* is stated */
    double unknown[VIPANN_N_SCORES];
    vip_sum sum;                      /* what its limit in `unknown` is for; nothing is stated without a limit */
    uint32_t members, window_columns; /* 0 if not stated */
    char *data;                       /* "" if not stated */
} vip_calibration;

typedef struct {
    char *name;      /* file name without folder and ".safetensors" */
    char sha256[65]; /* of the whole file, lower-case hexadecimal */
    vip_network network;
    vipann_task task;
    vip_frontend_spec frontend;
    char **labels; /* [classes] */
    vipann_posterior posterior;
    char *preset;                 /* "" if not stated */
    float rates[VIP_MAX_SITES];   /* by index of network.sites; 0: the site is off. All 0 unless posterior is dropout */
    double prior_mu, prior_sigma; /* mean field: the prior it was trained against; 0 and 1 if not stated */
    vip_calibration calibration;
    char *provenance, *license; /* "" if not stated */

    int n_tensors;
    vip_tensor_shape shapes[VIP_MAX_TENSORS]; /* vip_network_tensors */
    float *values[VIP_MAX_TENSORS]; /* [product of shape]; mean field: mu; ensemble: member 0. NULL for VIP_BN_COUNT */
    float *rho[VIP_MAX_TENSORS];    /* mean field: of every stochastic tensor; NULL where a tensor is deterministic */
    uint32_t members;               /* of an ensemble, 1 .. VIPANN_MAX_PASSES; else 0 */
    float *(*others)[VIP_MAX_TENSORS]; /* [members - 1]: values of the members from 1 on; NULL: there are none */
} vip_model;

/* The tensors of one member of an ensemble, member < members; of any other model (member 0) its values. */
float *const *vip_model_values(const vip_model *model, uint32_t member);

/* A deterministic network of zeros without labels (NULL) and without a front-end, for whoever makes a model; all strings
 * are there and "". 1 <= width <= VIP_MAX_WIDTH, 1 <= classes <= VIP_MAX_CLASSES. NULL if memory is short. */
vip_model *vip_model_new(vip_arch arch, uint32_t width, uint32_t classes, vip_padding padding);

/* Reads and checks the file at path. Errors: E_IO (cannot be read), E_FORMAT (breaks a rule), E_UNSUPPORTED (a newer
 * format), E_MEMORY. */
vip_model *vip_model_read(const char *path, vipann_error *error);

/* The same from memory; name appears in messages and becomes the model's name. data is borrowed for the call. */
vip_model *vip_model_parse(const char *name, const unsigned char *data, size_t bytes, vipann_error *error);

void vip_model_free(vip_model *model);

/* Makes an ensemble of a model of any other kind, whose values become those of member 0; the others' are zero.
 * 1 <= members <= VIPANN_MAX_PASSES. False if memory is short: the model is to be freed. */
bool vip_model_make_ensemble(vip_model *model, uint32_t members);

/* Index of the tensor in shapes and values, or -1. */
int vip_model_tensor(const vip_model *model, const char *name);

/* Room for the distance of a sum, all zero, in place of what there is; count: 1 .. VIP_MAX_PROTOTYPES. False if
 * memory is short: there is none then. */
bool vip_model_make_prototypes(vip_model *model, uint32_t count);

/* The tensors of that distance, "unknown.mean" and "unknown.prototypes", as they lie in a file. */
void vip_model_prototype_shapes(const vip_model *model, vip_tensor_shape *mean, vip_tensor_shape *prototypes);

/* Frees the tensors' numbers (values, rho, others), which are not needed once the kernels have their own form of them.
 * Prototypes stay. */
void vip_model_drop_tensors(vip_model *model);

/* Writes the model to path, beside it first, then fsync and rename, so that path holds the old file or the whole new
 * one. half: weights and biases of convolutions and linear layers (mean field: mu and rho) as f16, all else f32. What is
 * read back equals what was written (f16: rounded to nearest even); a model that could not be read back is refused. Its
 * tensors must not have been dropped. Errors: E_ARG (the model breaks a rule), E_IO, E_MEMORY. */
vipann_status vip_model_write(const vip_model *model, const char *path, bool half, vipann_error *error);

#endif /* VIP_MODEL_MODEL_H */
