/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures.h -- the numbers by which answers to some clips are judged (method 9). */
#ifndef VIP_TRAINER_FIGURES_H
#define VIP_TRAINER_FIGURES_H

#include "heard.h"

typedef enum {
    VIP_FIGURE_ACCURACY,
    VIP_FIGURE_UAR,
    VIP_FIGURE_MAP,
    VIP_FIGURE_AUC,
    VIP_FIGURE_D_PRIME,
    VIP_FIGURE_NLL,
    VIP_FIGURE_BRIER,
    VIP_FIGURE_ECE,
    VIP_FIGURE_POOLED_ECE,
    VIP_FIGURE_MCE,
    VIP_FIGURE_ACE,
    VIP_FIGURE_AURC,
    VIP_FIGURE_EXCESS_AURC,
    VIP_FIGURE_RETAINED_50,
    VIP_FIGURE_RETAINED_80,
    VIP_FIGURE_RETAINED_90,
    VIP_N_FIGURES
} vip_figure;

/* Their names in JSON, and what a person reads. */
extern const char *const VIP_FIGURE_NAMES[VIP_N_FIGURES], *const VIP_FIGURE_TEXTS[VIP_N_FIGURES];

/* The figure of those clips, some of which may occur several times; NaN: it has none, or memory is short. Any thread.
 *
 * Multi-class: clips without a label that the model knows do not count. Multi-label, where 0.5 and more is heard: average
 * precision and AUC are means over the classes that are heard in a clip at least (AUC: and not in all), d' is that of the mean
 * AUC; NLL is the sum over classes, Brier their mean; ECE is that of each class, of p itself, mean over classes, the pooled one
 * that of all pairs of clip and class. Risk is sorted by total doubt. */
double vip_figure_of(const vip_heard *heard, vip_figure figure, const size_t *clips, size_t n);

/* Average precision, AUC and ECE of one class of a multi-label model; NaN where there is none. */
typedef struct {
    size_t positives;
    double average_precision, auc, ece;
} vip_class_figures;

vip_class_figures vip_class_figures_of(const vip_heard *heard, uint32_t label);

#endif /* VIP_TRAINER_FIGURES_H */
