/* What waits for a client: order, partial writes, and the bound of notifications. */
#include "daemon/serve/outbox.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static void push(struct outbox *o, const char *text, bool note)
{
    outbox_push(o, message_create(text, strlen(text)), note);
}

static void expect(const struct outbox *o, size_t i, const char *text)
{
    char *data;
    size_t len = outbox_at(o, i, &data);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(data, text, len);
}

static void test_bytes_leave_in_order(void **state)
{
    struct outbox o = {0};
    push(&o, "first\n", false);
    push(&o, "note\n", true);
    push(&o, "last\n", false);
    assert_int_equal(o.bytes, 16);
    outbox_sent(&o, 2);
    expect(&o, 0, "rst\n");
    outbox_sent(&o, 6);
    assert_int_equal(o.count, 2);
    assert_int_equal(o.notes, 1);
    expect(&o, 0, "te\n");
    push(&o, "more\n", false);
    outbox_sent(&o, 3);
    assert_int_equal(o.notes, 0);
    expect(&o, 0, "last\n");
    expect(&o, 1, "more\n");
    outbox_sent(&o, 10);
    assert_int_equal(o.count + o.bytes + o.note_bytes, 0);
    outbox_finish(&o);
}

/* Encoded once: two clients hold the same bytes, and each lets go of its own. */
static void test_a_message_is_shared(void **state)
{
    struct outbox a = {0}, b = {0};
    struct message *m = message_create("x\n", 2);
    outbox_push(&a, message_hold(m), true);
    outbox_push(&b, message_hold(m), true);
    assert_int_equal(m->references, 3);
    outbox_finish(&a);
    outbox_sent(&b, 2);
    assert_int_equal(m->references, 1);
    message_release(m);
    outbox_finish(&b);
}

static void test_notifications_are_bounded_and_replies_are_not(void **state)
{
    struct outbox o = {0};
    for (int i = 0; i < OUTBOX_NOTES_MAX; i++) {
        assert_true(outbox_takes_notes(&o));
        push(&o, "n\n", true);
    }
    assert_false(outbox_takes_notes(&o));
    push(&o, "reply\n", false);
    outbox_sent(&o, 2);
    assert_true(outbox_takes_notes(&o));
    outbox_finish(&o);
    char large[OUTBOX_NOTE_BYTES_MAX];
    memset(large, 'x', sizeof(large));
    outbox_push(&o, message_create(large, sizeof(large)), false);
    assert_true(outbox_takes_notes(&o));
    outbox_push(&o, message_create(large, sizeof(large)), true);
    assert_false(outbox_takes_notes(&o));
    outbox_finish(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_leave_in_order),
        cmocka_unit_test(test_a_message_is_shared),
        cmocka_unit_test(test_notifications_are_bounded_and_replies_are_not),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
