/* The good neighbour: when runs may start. */
#include "daemon/launch/gate.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#define AT(h, m) ((h)*60 + (m))

static enum gate_verdict verdict(const struct gate *g, struct gate_facts f)
{
    struct gate_judgement j = gate_judge(g, &f);
    assert_int_equal(j.verdict == GATE_OPEN, j.why[0] == '\0');
    return j.verdict;
}

static void test_nothing_asked_nothing_shut(void **state)
{
    struct gate g = {0, GATE_ANY_TIME, GATE_ANY_TIME, false};
    struct gate_facts f = {.load = 1000, .minute = 12 * 60, .on_battery = true};
    assert_int_equal(verdict(&g, f), GATE_OPEN);
}

static void test_hours(void **state)
{
    struct gate night = {0, AT(22, 0), AT(7, 30), false}, day = {0, AT(9, 0), AT(17, 0), false};
    static const struct {
        int minute;
        enum gate_verdict night, day;
    } cases[] = {
        {AT(21, 59), GATE_PAUSE, GATE_PAUSE}, {AT(22, 0), GATE_OPEN, GATE_PAUSE},
        {AT(0, 0), GATE_OPEN, GATE_PAUSE},    {AT(7, 29), GATE_OPEN, GATE_PAUSE},
        {AT(7, 30), GATE_PAUSE, GATE_PAUSE},  {AT(9, 0), GATE_PAUSE, GATE_OPEN},
        {AT(16, 59), GATE_PAUSE, GATE_OPEN},  {AT(17, 0), GATE_PAUSE, GATE_PAUSE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gate_facts f = {.minute = cases[i].minute};
        assert_int_equal(verdict(&night, f), cases[i].night);
        assert_int_equal(verdict(&day, f), cases[i].day);
    }
    struct gate_judgement j = gate_judge(&night, &(struct gate_facts){.minute = AT(12, 0)});
    assert_string_equal(j.why, "outside the active hours 22:00-07:30");
}

/* The load is ours too: what runs goes on, or it would swing. */
static void test_load(void **state)
{
    struct gate g = {2.5, GATE_ANY_TIME, GATE_ANY_TIME, false};
    assert_int_equal(verdict(&g, (struct gate_facts){.load = 2.49}), GATE_OPEN);
    assert_int_equal(verdict(&g, (struct gate_facts){.load = 2.5}), GATE_NO_STARTS);
}

static void test_battery(void **state)
{
    struct gate g = {0, GATE_ANY_TIME, GATE_ANY_TIME, true};
    assert_int_equal(verdict(&g, (struct gate_facts){.on_battery = true}), GATE_PAUSE);
    assert_int_equal(verdict(&g, (struct gate_facts){.on_battery = false}), GATE_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_asked_nothing_shut),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_battery),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
