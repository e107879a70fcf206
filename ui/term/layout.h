/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layout.h -- which rows of the screen each part of the display gets, whatever its height. */
#ifndef VIP_UI_TERM_LAYOUT_H
#define VIP_UI_TERM_LAYOUT_H

/* Below this nothing can be shown. */
enum { VIP_LAYOUT_LEAST_ROWS = 5, VIP_LAYOUT_LEAST_COLUMNS = 20 };

/* From top to bottom. */
typedef enum {
    VIP_PART_HEAD,
    VIP_PART_LEVEL,
    VIP_PART_STATE,
    VIP_PART_CLASSES,
    VIP_PART_BEFORE_STRIPS, /* left blank */
    VIP_PART_OPEN,
    VIP_PART_UNSURE,
    VIP_PART_MARKS,
    VIP_PART_SPAN, /* how long the strips are; and left blank */
    VIP_PART_EVENTS,
    VIP_PART_NOTICE,
    VIP_PART_FOOT,
    VIP_PART_KEYS,
    VIP_N_PARTS
} vip_part;

typedef struct {
    int y[VIP_N_PARTS];      /* the first row */
    int height[VIP_N_PARTS]; /* 0: not shown */
} vip_layout;

/* Of a screen of at least VIP_LAYOUT_LEAST_ROWS rows, all of which are given away. */
vip_layout vip_layout_of(int rows);

#endif /* VIP_UI_TERM_LAYOUT_H */
