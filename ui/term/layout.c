/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layout.c -- see layout.h for the contract. */
#include "layout.h"

#include <stddef.h>

/* The order in which parts get their rows, one each time: what matters most comes first. */
static const vip_part FIRST[] = {
    VIP_PART_HEAD,   VIP_PART_CLASSES, VIP_PART_LEVEL,         VIP_PART_OPEN,    VIP_PART_UNSURE, /* 5 */
    VIP_PART_STATE,  VIP_PART_CLASSES, VIP_PART_FOOT,          VIP_PART_CLASSES, VIP_PART_MARKS,  /* 10 */
    VIP_PART_EVENTS, VIP_PART_CLASSES, VIP_PART_NOTICE,        VIP_PART_CLASSES, VIP_PART_EVENTS, /* 15 */
    VIP_PART_EVENTS, VIP_PART_KEYS,    VIP_PART_BEFORE_STRIPS, VIP_PART_EVENTS,  VIP_PART_SPAN,   /* 20 */
    VIP_PART_EVENTS, VIP_PART_EVENTS,  VIP_PART_CLASSES,       VIP_PART_EVENTS,                   /* 24 */
};

/* And what those get that are left, again and again. */
static const vip_part THEN[] = {VIP_PART_CLASSES, VIP_PART_EVENTS, VIP_PART_OPEN,
                                VIP_PART_UNSURE,  VIP_PART_EVENTS, VIP_PART_EVENTS};

/* The most rows that a part has a use for; the events take the rest. */
static int
most(vip_part part)
{
    return part == VIP_PART_CLASSES ? 16 : part == VIP_PART_OPEN || part == VIP_PART_UNSURE ? 4 : 1;
}

vip_layout
vip_layout_of(int rows)
{
    static const int first = (int)(sizeof FIRST / sizeof *FIRST), then = (int)(sizeof THEN / sizeof *THEN);
    vip_layout layout = {.height = {0}};
    for (int row = 0; row < rows; row++) {
        vip_part part = row < first ? FIRST[row] : THEN[(row - first) % then];
        if (layout.height[part] >= most(part)) {
            part = VIP_PART_EVENTS;
        }
        layout.height[part]++;
    }
    for (int part = 1; part < VIP_N_PARTS; part++) {
        layout.y[part] = layout.y[part - 1] + layout.height[part - 1];
    }
    return layout;
}
