/* SPDX-License-Identifier: GPL-3.0-or-later */
/* devices.c -- `vipann devices`: the inputs that `vipann live` can hear. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <common/jsonl.h>
#include <common/number.h>
#include <common/support.h>
#include <common/text.h>
#include <plugin/program/commands.h>

#include "ear.h"

enum { JSON, N_OPTIONS };
enum { DIGITS = 7 };

static const struct timespec LOOK = {0, 5000000};

static const vip_option *const OPTIONS[N_OPTIONS] = {
    [JSON] = &(const vip_option){"json", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "Options",
                                 "One JSON array instead of text."},
};

const vip_command VIP_DEVICES_COMMAND = {
    .name = "vipann devices",
    .operands = "",
    .summary = "Lists the inputs that \"vipann live\" can hear.",
    .details = "Of each: the number and the name by which --device knows it, its channels, its own sample rate, and "
               "through what it is reached. A star stands before the one that is heard if none is asked for. Numbers "
               "change as devices come and go. With no input at all the exit status is 1.",
    .examples = "vipann devices\n"
                "vipann devices --json | jq -r '.[].name'",
    .options = OPTIONS,
    .n_options = N_OPTIONS,
    .least_operands = 0,
    .most_operands = 0,
};

static void
put_json(const vip_devices *devices)
{
    vip_json json = {.out = stdout};
    vip_json_array(&json, NULL);
    for (uint32_t i = 0; i < devices->n; i++) {
        const vip_device *d = &devices->of[i];
        vip_json_object(&json, NULL);
        vip_json_whole(&json, "index", d->index);
        vip_json_text(&json, "name", d->name);
        vip_json_text(&json, "api", d->api);
        vip_json_whole(&json, "channels", d->channels);
        vip_json_number(&json, "rate", d->rate, DIGITS);
        vip_json_truth(&json, "default", d->standard);
        vip_json_close(&json);
    }
    vip_json_close(&json);
}

static void
put_text(const vip_devices *devices)
{
    const vip_text_style style = vip_text_style_of(stdout);
    size_t widest = strlen("name");
    for (uint32_t i = 0; i < devices->n; i++) {
        const size_t cells = vip_text_cells(devices->of[i].name);
        widest = cells > widest ? cells : widest;
    }
    (void)printf("  number  channels  rate (Hz)  %-*s  through\n", (int)widest, "name");
    for (uint32_t i = 0; i < devices->n; i++) {
        const vip_device *d = &devices->of[i];
        char rate[VIP_NUMBER_SIZE];
        (void)printf("%c %6u  %8u  %9s  ", d->standard ? '*' : ' ', d->index, d->channels,
                     vip_number_write(rate, d->rate, DIGITS));
        (void)vip_text_put(stdout, &style, d->name, widest, VIP_DEVICE_NAME);
        (void)fputs("  ", stdout);
        (void)vip_text_put(stdout, &style, d->api, 0, VIP_DEVICE_API);
        (void)putchar('\n');
    }
}

static int
complain(const vipann_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", VIP_DEVICES_COMMAND.name, error->text);
    return VIP_EXIT_FAILED;
}

static int
run(const vip_arguments *arguments)
{
    const vip_wanted any = {"", ""};
    vipann_error error;
    vip_ear *ear = vip_ear_start(VIP_DUTY_LIST, &any, 0, &error);
    if (ear == NULL) {
        return complain(&error);
    }
    while (vip_ear_look(ear) != VIP_EAR_ENDED) {
        (void)nanosleep(&LOOK, NULL);
    }
    static vip_devices devices;
    int status = VIP_EXIT_DONE;
    uint32_t first;
    if (vip_ear_end(ear, &error) != VIP_CHILD_DONE) {
        status = complain(&error);
    } else if (!vip_shared_devices(vip_ear_shared(ear), &devices)) {
        (void)vip_fail(&error, VIPANN_E_IO, "a driver has spoilt the list of devices");
        status = complain(&error);
    } else {
        if (arguments->values[JSON].given) {
            put_json(&devices);
        } else if (devices.n > 0) {
            put_text(&devices);
        }
        if (vip_device_choose(&devices, &any, &first, &error) != VIPANN_OK) {
            status = complain(&error);
        }
    }
    vip_ear_stop(ear);
    return status;
}

int
vip_command_devices(int argc, char **argv)
{
    return vip_command_line(&VIP_DEVICES_COMMAND, argc, argv, vip_preset_apply, run);
}
