/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record.c -- see record.h for the contract. */
#include "record.h"

#include <stdio.h>
#include <time.h>

#include <common/clock.h>
#include <common/store.h>
#include <common/support.h>

/* Between two looks at the limits; where there is more to do; where that failed. */
static const double TEND_S = 20, TEND_BUSY_S = 0.2, TEND_FAILED_S = 10;

struct vip_record {
    vip_store *store;
    double tended; /* s: when the limits are looked at next */
    vipann_error failed;
    vipann_error told;
};

#define GROUP "What to keep"

const vip_option VIP_OPTION_STORE = {
    .name = "store",
    .kind = VIP_OPTION_TEXT,
    .argument = "FILE",
    .group = GROUP,
    .help =
        "Keep events, and counts by hour, in this store, which `vipann events FILE` lists. It may be read meanwhile.",
};

const vip_option VIP_OPTION_STORE_DAYS = {
    .name = "store-days",
    .kind = VIP_OPTION_NUMBER,
    .argument = "DAYS",
    .least = 0,
    .most = 1e5,
    .standard = "0",
    .group = GROUP,
    .help = "Events older than that go, their counts stay; 0: all stay.",
};

const vip_option VIP_OPTION_STORE_LIMIT = {
    .name = "store-limit",
    .kind = VIP_OPTION_NUMBER,
    .argument = "MEGABYTES",
    .least = 0,
    .most = 1e6,
    .standard = "1000",
    .group = GROUP,
    .help = "Beyond that the oldest events go; 0: no limit.",
};

vipann_status
vip_record_asked(const vip_arguments *a, vip_record **record, vipann_error *error)
{
    *record = NULL;
    if (!vip_argument(a, &VIP_OPTION_STORE)->given) {
        const bool needless =
            vip_argument(a, &VIP_OPTION_STORE_DAYS)->given || vip_argument(a, &VIP_OPTION_STORE_LIMIT)->given;
        return needless ? vip_fail(error, VIPANN_E_ARG,
                                   "--store-days and --store-limit are limits of --store; give that, too")
                        : VIPANN_OK;
    }
    const vip_store_setup setup = {.path = vip_argument(a, &VIP_OPTION_STORE)->text,
                                   .days = vip_argument(a, &VIP_OPTION_STORE_DAYS)->number,
                                   .bytes = (uint64_t)(vip_argument(a, &VIP_OPTION_STORE_LIMIT)->number * 1e6)};
    vip_record *r = vip_alloc(1, sizeof *r);
    if (r == NULL) {
        return vip_fail_memory(error, "the event store");
    }
    r->store = vip_store_open(&setup, error);
    if (r->store == NULL) {
        vip_free(r);
        return error->status;
    }
    *record = r;
    return VIPANN_OK;
}

void
vip_record_free(vip_record *record)
{
    if (record != NULL) {
        vip_store_close(record->store);
        vip_free(record);
    }
}

void
vip_record_event(vip_record *record, const vip_told *told)
{
    const vip_store_event event = {told->input, told->label, told->model, told->utc, told->event};
    (void)vip_store_put(record->store, &event, &record->failed);
}

void
vip_record_clip(vip_record *record, const char *input, const vip_clip *clip)
{
    (void)vip_store_clip(record->store, input, clip->id, clip->path, &record->failed);
}

void
vip_record_turn(vip_record *record, double now)
{
    if (now >= record->tended) {
        bool more = true;
        const vipann_status status =
            vip_store_tend(record->store, vip_clock_seconds(CLOCK_REALTIME), &more, &record->failed);
        record->tended = now + (status != VIPANN_OK ? TEND_FAILED_S : more ? TEND_BUSY_S : TEND_S);
    }
}

const char *
vip_record_look(vip_record *record)
{
    record->told = record->failed;
    record->failed = (vipann_error){VIPANN_OK, ""};
    return record->told.status != VIPANN_OK ? record->told.text : NULL;
}
