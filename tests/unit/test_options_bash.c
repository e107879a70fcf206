/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_options_bash.c -- holds what common/options.h promises of completion; what bash makes of it is in
 * tests/cli/completion.sh. */
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
    &(const vip_option){"model", VIP_OPTION_TEXT, "MODEL", 0, 0, NULL, NULL, NULL, "How", "Which."},
    &(const vip_option){"window", VIP_OPTION_NUMBER, "SECONDS", 0.5, 120, WORDS, "4.8", NULL, "How", "How long."},
    &(const vip_option){"output", VIP_OPTION_TEXT, "FILE", 0, 0, NULL, NULL, NULL, "What", "Where to."},
    &(const vip_option){"output-folder", VIP_OPTION_TEXT, "DIR", 0, 0, NULL, NULL, NULL, "What", "Where to."},
    &(const vip_option){"class", VIP_OPTION_TEXT, "NAME", 0, 0, NULL, NULL, NULL, "What", "Which class."},
    &(const vip_option){"clip", VIP_OPTION_FLAG, NULL, 0, 0, NULL, NULL, NULL, "What", "One for all."},
};

static const vip_command FILES = {.name = "a-test file",
                                  .operands = "FILE|DIR...",
                                  .summary = "Says.",
                                  .examples = "",
                                  .options = OPTIONS,
                                  .n_options = LENGTH(OPTIONS)};

static const vip_command INFO = {.name = "a-test info", .operands = "MODEL", .summary = "Tells.", .examples = ""};

static const vip_subcommand COMMANDS[] = {{"file", &FILES, NULL}, {"info", &INFO, NULL}, {NULL, NULL, NULL}};

static const vip_command PROGRAM = {
    .name = "a-test", .operands = "COMMAND [ARGUMENT...]", .summary = "Tests.", .examples = "", .commands = COMMANDS};

static void
write_script(const char *models, FILE *out)
{
    assert_non_null(out);
    vip_options_bash(&PROGRAM, models, out);
}

static void
test_each_value_has_its_kind(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "    '')\n        options='--help' operand=word\n",
        "        '') words='file info' ;;\n",
        "    'file')\n        options='--model --window --output --output-folder --class --clip --help' operand=file\n",
        "        --model) kind=model ;;\n",
        "        --window) kind=word words='all some' ;;\n",
        "        --output) kind=file ;;\n",
        "        --output-folder) kind=folder ;;\n",
        "        --class) kind=word ;;\n",
        "    'info')\n        options='--help' operand=model\n",
        "    local installed='/a'\\''b'\n",
        "complete -F _a_test a-test\n",
    };
    char *script = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&script, &size);
    write_script("/a'b", out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < LENGTH(expected); i++) {
        if (strstr(script, expected[i]) == NULL) {
            print_error("expected:\n%s\nin:\n%s\n", expected[i], script);
            fail();
        }
    }
    assert_null(strstr(script, "        --clip)")); /* it takes no value */
    free(script);
}

static void
test_the_script_is_bash(void **state)
{
    (void)state;
    FILE *bash = popen("bash -n", "w");
    write_script("/usr/it's/\"models\"", bash);
    assert_int_equal(pclose(bash), 0);
    bash = popen("bash", "w");
    write_script("/tmp", bash);
    (void)fputs("COMP_WORDS=(a-test i) COMP_CWORD=1; _a_test; [ \"${COMPREPLY[*]}\" = info ]\n", bash);
    assert_int_equal(pclose(bash), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_value_has_its_kind),
        cmocka_unit_test(test_the_script_is_bash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
