/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_osc.c -- what is heard as OSC messages, received by a server of liblo: O7 to O9 of plugin/out/README.md. */
#include <lo/lo.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/clock.h>
#include <plugin/out/osc.h>

#include "tests/data/random_model.h"

enum { CLASSES = 4, MOST = 16, WAIT_MS = 5000 };

/* A message as text: its path, its types, and each value. */
typedef struct {
    lo_server server;
    char target[64];
    size_t n;
    char said[MOST][512];
} ears;

static int
hear(const char *path, const char *types, lo_arg **values, int n, lo_message message, void *user)
{
    ears *e = user;
    assert_true(e->n < MOST);
    char *out = e->said[e->n++];
    size_t at = (size_t)snprintf(out, sizeof e->said[0], "%s %s", path, types);
    (void)message;
    for (int i = 0; i < n; i++) {
        char *const end = out + at;
        int64_t whole; /* values lie where they lie in the message, which need not suit their type */
        double number;
        float small;
        const size_t room = sizeof e->said[0] - at;
        switch (types[i]) {
        case 's':
            at += (size_t)snprintf(end, room, " %s", (const char *)values[i]);
            break;
        case 'h':
            memcpy(&whole, values[i], sizeof whole);
            at += (size_t)snprintf(end, room, " %lld", (long long)whole);
            break;
        case 'd':
            memcpy(&number, values[i], sizeof number);
            at += (size_t)snprintf(end, room, " %g", number);
            break;
        case 'f':
            memcpy(&small, values[i], sizeof small);
            at += (size_t)snprintf(end, room, " %g", (double)small);
            break;
        default:
            break;
        }
    }
    return 0;
}

static void
open_ears(ears *e)
{
    memset(e, 0, sizeof *e);
    e->server = lo_server_new(NULL, NULL);
    assert_non_null(e->server);
    assert_non_null(lo_server_add_method(e->server, NULL, NULL, hear, e));
    (void)snprintf(e->target, sizeof e->target, "127.0.0.1:%d", lo_server_get_port(e->server));
}

static void
listen_to(ears *e, size_t n)
{
    while (e->n < n) {
        assert_true(lo_server_recv_noblock(e->server, WAIT_MS) > 0);
    }
    assert_int_equal(lo_server_recv_noblock(e->server, 20), 0);
}

/* A file of a model whose third class has a hostile name. */
static vipann_model *
make_model(char path[64])
{
    const random_model_spec spec = {VIP_RESNET22, 1, CLASSES, VIP_CAUSAL, VIPANN_DROPOUT, VIPANN_MULTILABEL, 4};
    vip_model *model = random_model(&spec);
    vipann_error error;
    assert_non_null(model);
    vip_free(model->labels[2]);
    model->labels[2] = vip_copy_string("\"' $(x) \\ %s");
    (void)snprintf(path, 64, "/tmp/vipann-osc-XXXXXX");
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(vip_model_write(model, path, false, &error), VIPANN_OK);
    vip_model_free(model);
    vipann_model *opened = vipann_model_open(path, &error);
    assert_non_null(opened);
    (void)remove(path);
    return opened;
}

static void
test_what_is_heard_arrives_as_it_was(void **state)
{
    (void)state;
    ears e;
    char path[64];
    vipann_error error;
    vipann_model *model = make_model(path);
    open_ears(&e);
    vip_osc *osc = vip_osc_new(e.target, "/studio/a", 3, &error);
    assert_non_null(osc);
    float p[CLASSES] = {0.25f, 0.5f, 0.75f, 0.5f}, std[CLASSES] = {0.125f, 0, 0.0625f, 0};
    vipann_result result = {.t_seconds = 1.5,
                            .has_epistemic = true,
                            .unknown = VIPANN_NO,
                            .total_nats = 0.75,
                            .aleatoric_nats = 0.5,
                            .epistemic_nats = 0.25,
                            .level_dbfs = -20,
                            .classes = CLASSES,
                            .p = p,
                            .std = std};
    vip_osc_result(osc, "in_1", model, &result);
    listen_to(&e, 4);
    assert_string_equal(e.said[0], "/studio/a/uncertainty sdfffFf in_1 1.5 0.75 0.5 0.25 -20");
    assert_string_equal(e.said[1], "/studio/a/class sdsff in_1 1.5 \"' $(x) \\ %s 0.75 0.0625");
    assert_string_equal(e.said[2], "/studio/a/class sdsff in_1 1.5 class 1 0.5 0");
    assert_string_equal(e.said[3], "/studio/a/class sdsff in_1 1.5 class 3 0.5 0");
    e.n = 0;
    result.has_epistemic = false;
    result.unknown = VIPANN_CANNOT_SAY;
    vip_osc_result(osc, "in_1", model, &result);
    listen_to(&e, 4);
    assert_string_equal(e.said[0], "/studio/a/uncertainty sdffNNf in_1 1.5 0.75 0.5 -20");
    assert_string_equal(e.said[1], "/studio/a/class sdsfN in_1 1.5 \"' $(x) \\ %s 0.75");
    e.n = 0;
    const vipann_event event = {.id = 7,
                                .class_index = 1,
                                .ended = true,
                                .start_seconds = 0.5,
                                .end_seconds = 2,
                                .p_max = 0.75,
                                .has_epistemic = true,
                                .epistemic_nats = 0.25,
                                .unknown = VIPANN_YES};
    const vip_told told = {.input = "in_1", .label = vipann_model_label(model, 1), .event = &event};
    vip_osc_event(osc, &told);
    listen_to(&e, 1);
    assert_string_equal(e.said[0],
                        "/studio/a/event ssshddffTs end in_1 class 1 7 0.5 2 0.75 0.25 1970-01-01T00:00:00.500Z");
    assert_null(vip_osc_look(osc));
    vip_osc_free(osc);
    lo_server_free(e.server);
    vipann_model_unref(model);
}

static void
test_a_receiver_that_is_gone_or_slow_keeps_nobody(void **state)
{
    (void)state;
    ears e;
    vipann_error error;
    open_ears(&e);
    enum { MESSAGES = 20000 };
    const vipann_event event = {.id = 7, .class_index = 1};
    const vip_told told = {.input = "in_1", .label = "a label", .event = &event};
    for (int gone = 0; gone < 2; gone++) { /* at first somebody is there who never reads */
        vip_osc *osc = vip_osc_new(e.target, "/vipann", 5, &error);
        assert_non_null(osc);
        const double before = vip_clock_seconds(CLOCK_MONOTONIC);
        for (int i = 0; i < MESSAGES; i++) {
            vip_osc_event(osc, &told);
        }
        assert_true(vip_clock_seconds(CLOCK_MONOTONIC) - before < 20);
        (void)vip_osc_look(osc); /* a loss that the system tells of is told on, one that it does not is none */
        assert_null(vip_osc_look(osc));
        vip_osc_free(osc);
        if (gone == 0) {
            lo_server_free(e.server);
        }
    }
}

static void
test_what_is_no_receiver_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *target, *prefix, *said;
    } table[] = {
        {"localhost", "/vipann", "expected HOST:PORT"},
        {":9000", "/vipann", "expected HOST:PORT"},
        {"localhost:", "/vipann", "expected HOST:PORT"},
        {"localhost:port", "/vipann", "expected HOST:PORT"},
        {"localhost:1234567", "/vipann", "expected HOST:PORT"},
        {"::1:9000", "/vipann", "expected HOST:PORT"},
        {"[::1:9000", "/vipann", "expected HOST:PORT"},
        {"[::1]9000", "/vipann", "expected HOST:PORT"},
        {"no such host:9000", "/vipann", "give a host that can be found"},
        {"localhost:9000", "vipann", "expected a path such as /vipann"},
        {"localhost:9000", "/vipann/", "expected a path such as /vipann"},
        {"localhost:9000", "/a b", "expected a path such as /vipann"},
        {"localhost:9000", "/a*", "expected a path such as /vipann"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vipann_error error = {VIPANN_OK, ""};
        assert_null(vip_osc_new(table[i].target, table[i].prefix, 5, &error));
        assert_int_equal(error.status, VIPANN_E_ARG);
        if (strstr(error.text, table[i].said) == NULL) {
            fail_msg("%s: %s", table[i].target, error.text);
        }
    }
    char longest[400];
    vipann_error error;
    memset(longest, 'a', sizeof longest - 1);
    memcpy(longest + sizeof longest - 6, ":9000", 6);
    assert_null(vip_osc_new(longest, "/vipann", 5, &error));
    longest[0] = '/';
    longest[sizeof longest - 6] = 'a';
    assert_null(vip_osc_new("localhost:9000", longest, 5, &error));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_heard_arrives_as_it_was),
        cmocka_unit_test(test_a_receiver_that_is_gone_or_slow_keeps_nobody),
        cmocka_unit_test(test_what_is_no_receiver_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
