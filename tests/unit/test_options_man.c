/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_options_man.c -- holds what common/options.h promises of man pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/options.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const char *const WORDS[] = {"all", "some", NULL};

static const vip_option *const OPTIONS[] = {
    &(const vip_option){"passes", VIP_OPTION_WHOLE, "N", 0, 64, NULL, NULL, "the model's", "How", "How many."},
    &(const vip_option){"window", VIP_OPTION_NUMBER, "SECONDS", 0.5, 120, WORDS, "4.8", NULL, "How",
                        "How long. Or not."},
    &(const vip_option){"format", VIP_OPTION_CHOICE, NULL, 0, 0, WORDS, "all", NULL, "What",
                        ".TH 'sh \\fBthis\\fR \"x\" a-b --c ~ ^"},
    &(const vip_option){"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "What",
                        "'One for all, of version 1. 2."},
};

static const vip_entry ENVIRONMENT[] = {{"TEST_PATH", "Where."}, {NULL, NULL}};
static const char *const PAGES[] = {"test 1", "test-file 1", "test-rules 5", NULL};

static const vip_command COMMAND = {.name = "test file",
                                    .operands = "FILE...",
                                    .summary = "Says what there is.",
                                    .details = "First.\nSecond, `with` a .wav in it.",
                                    .examples = "test file --clip a.wav\ntest file \\ -\ntest file 'a = 1'",
                                    .options = OPTIONS,
                                    .n_options = LENGTH(OPTIONS)};

static const vip_command INFO = {.name = "test info", .operands = "MODEL", .summary = "Tells more.", .examples = ""};
static const vip_subcommand COMMANDS[] = {{"file", &COMMAND, NULL}, {"info", &INFO, NULL}, {NULL, NULL, NULL}};

static const vip_command PROGRAM = {.name = "test",
                                    .operands = "COMMAND [ARGUMENT...]",
                                    .summary = "Tests.",
                                    .examples = "test file",
                                    .options = OPTIONS + 3,
                                    .n_options = 1,
                                    .commands = COMMANDS,
                                    .environment = ENVIRONMENT};

/* The page, to be freed. */
static char *
page_of(const vip_command *command)
{
    const vip_manual manual = {"test 1.2", "May 4, 2021", &PROGRAM, PAGES};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vip_options_man(command, &manual, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void
assert_has(const char *page, const char *expected)
{
    if (strstr(page, expected) == NULL) {
        print_error("expected:\n%s\nin:\n%s\n", expected, page);
        fail();
    }
}

static void
assert_page_has(const vip_command *command, const char *const *expected, size_t n)
{
    char *page = page_of(command);
    for (size_t i = 0; i < n; i++) {
        assert_has(page, expected[i]);
    }
    free(page);
}

static void
test_the_page_shows_what_the_table_says(void **state)
{
    (void)state;
    static const char *const expected[] = {
        ".Dd May 4, 2021\n.Dt TEST-FILE 1\n.Os \"test 1.2\"\n",
        ".Sh NAME\n.Nm test-file\n.Nd says what there is\n",
        ".Sh SYNOPSIS\n.Nm test Cm file\n.Op Ar OPTION...\n.Ar FILE...\n",
        ".Nm test Cm file\nsays what there is.\n.Pp\nFirst.\n.Pp\nSecond, \\(gawith\\(ga a \\%.wav in it.\n",
        ".Ss How\n.Bl -tag -width Ds\n.It Fl -passes Ar N\nHow many.\n(0 to 64; default: the model's)\n",
        ".It Fl -window Ar SECONDS | Cm all | Cm some\nHow long.\nOr not.\n\\%(0.5 to 120; default: \\%4.8)\n.El\n",
        ".Ss What\n.Bl -tag -width Ds\n.It Fl -format Cm all | Cm some\n",
        "\n.It Fl -help\n",
        ".It Ev TEST_PATH\nWhere.\n",
        ".Sh EXIT STATUS\n",
        "$ test file \\-\\-clip a.wav\n$ test file \\e \\-\n$ test file \\(aqa = 1\\(aq\n",
        ".Sh SEE ALSO\n.Xr test 1 ,\n.Xr test-rules 5\n",
    };
    assert_page_has(&COMMAND, expected, LENGTH(expected));
}

static void
test_the_page_of_a_program_lists_its_commands(void **state)
{
    (void)state;
    static const char *const expected[] = {
        ".Nm test\n.Nd tests\n",
        ".Nm test\n.Ar COMMAND\n.Op Ar ARGUMENT...\n.Nm test\n.Fl -help | Fl -clip\n",
        ".It Cm file\nSays what there is.\nSee\n.Xr test-file 1 .\n.It Cm info\nTells more.\n",
        ".Sh SEE ALSO\n.Xr test-file 1 ,\n.Xr test-rules 5\n",
    };
    assert_page_has(&PROGRAM, expected, LENGTH(expected));
}

static void
test_text_stays_text(void **state)
{
    (void)state;
    char *page = page_of(&COMMAND);
    assert_has(page, "\n\\&\\%.TH 'sh \\efBthis\\efR \\(dqx\\(dq a-b \\%\\-\\-c \\(ti \\(ha (default: all)\n");
    assert_has(page, "\n\\&'One for all, of version 1. 2.\n");
    free(page);
}

/* Wherever a line is broken, what begins the next one is no request. */
static void
test_no_word_becomes_a_request(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        char details[1024];
        (void)snprintf(details, sizeof details, "%.*s", (int)(1 + shift), "xxxxxxxxx");
        while (strlen(details) < sizeof details - 16) {
            strncat(details, " .wav 'nf", sizeof details - strlen(details) - 1);
        }
        vip_command command = COMMAND;
        command.details = details;
        char *page = page_of(&command);
        assert_has(page, "\n\\&");
        assert_null(strstr(page, "\n.wav"));
        assert_null(strstr(page, "\n'"));
        for (const char *line = page; *line != '\0'; line += strcspn(line, "\n") + 1) {
            assert_true(strcspn(line, "\n") <= 100);
        }
        free(page);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_shows_what_the_table_says),
        cmocka_unit_test(test_the_page_of_a_program_lists_its_commands),
        cmocka_unit_test(test_text_stays_text),
        cmocka_unit_test(test_no_word_becomes_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
