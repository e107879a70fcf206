/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_hash.c -- holds hash.h to the examples of FIPS 180-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <base/hash.h>

static void
test_sums_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sum;
    } table[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char sum[VIP_SHA256_SIZE];
        memset(sum, 'x', sizeof sum);
        vip_sha256(table[i].text, strlen(table[i].text), sum);
        assert_string_equal(sum, table[i].sum);
    }
}

static void
test_nothing_at_all_has_a_sum(void **state)
{
    (void)state;
    char of_null[VIP_SHA256_SIZE], of_empty[VIP_SHA256_SIZE];
    vip_sha256(NULL, 0, of_null);
    vip_sha256("", 0, of_empty);
    assert_string_equal(of_null, of_empty);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_are_those_of_the_standard),
        cmocka_unit_test(test_nothing_at_all_has_a_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
