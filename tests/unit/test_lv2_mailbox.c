/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lv2_mailbox.c -- letters between two threads, of which the newest counts. Run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <plugin/lv2/mailbox.h>

static void
send_text(vip_mailbox *box, const char *text)
{
    vip_letter *letter = vip_mailbox_blank(box);
    (void)snprintf(letter->text, sizeof letter->text, "%s", text);
    vip_mailbox_send(box);
}

static void
test_the_newest_letter_counts_and_comes_once(void **state) /* L6 */
{
    (void)state;
    static vip_mailbox box;
    vip_mailbox_init(&box);
    assert_null(vip_mailbox_take(&box));
    for (int round = 0; round < 3; round++) {
        send_text(&box, "one");
        send_text(&box, "two");
        send_text(&box, "three");
        assert_true(vip_mailbox_has_news(&box));
        assert_string_equal(vip_mailbox_take(&box)->text, "three");
        assert_false(vip_mailbox_has_news(&box));
        assert_null(vip_mailbox_take(&box));
    }
}

static void
test_a_letter_stays_as_it_is_until_the_next_is_taken(void **state) /* L6 */
{
    (void)state;
    static vip_mailbox box;
    vip_mailbox_init(&box);
    send_text(&box, "held");
    const vip_letter *held = vip_mailbox_take(&box);
    for (int i = 0; i < 5; i++) {
        send_text(&box, "new");
        assert_string_equal(held->text, "held");
    }
    assert_string_equal(vip_mailbox_take(&box)->text, "new");
}

enum { LETTERS = 20000 };

static void *
send_many(void *data)
{
    for (int i = 1; i <= LETTERS; i++) {
        vip_letter *letter = vip_mailbox_blank(data);
        (void)snprintf(letter->text, sizeof letter->text, "%d", i);
        (void)snprintf(letter->path, sizeof letter->path, "%d", i);
        vip_mailbox_send(data);
    }
    return NULL;
}

static void
test_letters_of_another_thread_are_whole_and_in_order(void **state) /* L6 */
{
    (void)state;
    static vip_mailbox box;
    vip_mailbox_init(&box);
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_many, &box), 0);
    long last = 0;
    while (last < LETTERS) {
        const vip_letter *letter = vip_mailbox_take(&box);
        if (letter != NULL) {
            long number = strtol(letter->text, NULL, 10);
            assert_string_equal(letter->text, letter->path);
            assert_true(number > last);
            last = number;
        }
    }
    assert_int_equal(pthread_join(sender, NULL), 0);
    assert_null(vip_mailbox_take(&box));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_letter_counts_and_comes_once),
        cmocka_unit_test(test_a_letter_stays_as_it_is_until_the_next_is_taken),
        cmocka_unit_test(test_letters_of_another_thread_are_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
