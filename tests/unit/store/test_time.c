/* Times as text: back from what was written, and what a text that we have not written is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/store/time.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define SECOND INT64_C(1000000)

static void check_back(utc_us t)
{
    char text[STORE_TIME_SIZE];
    store_time_format(t, text);
    assert_true(store_time_parse(text) == t);
}

/* From 1888 to 2108: a machine's clock may be anything. */
static void comes_back(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 100000; i++)
        check_back((int64_t)((rng_uniform(&r) * 220 - 82) * 31556952e3) * 1000);
    for (int64_t day = -31000; day < 51000; day++) /* and each day's first moment */
        check_back(day * 86400 * SECOND);
    check_back(253402300799 * SECOND + 999000); /* the last with a year of four digits */
}

static void says_what_it_is(void **state)
{
    static const struct {
        const char *text;
        utc_us t;
    } cases[] = {
        {"1970-01-01 00:00:00.000", 0},
        {"2026-11-24 00:50:58.123", INT64_C(1795481458123000)},
        {"2024-02-29 23:59:59.999", INT64_C(1709251199999000)},
        {"2024-02-30 00:00:00.000", INT64_C(1709251200000000)}, /* the day after */
        {"2026-11-24 00:50:58", INT64_C(1795481458000000)},
        {"2026-11-24 0:50:58.123", INT64_C(1795481458123000)},
        {"1969-12-31 23:59:59.-500", -1500000},
        {"2026-11-24", 0},
        {"2026-11-24 00:50", 0},
        {"2026-11-2", 0},
        {"yesterday", 0},
        {"", 0},
        {NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(store_time_parse(cases[i].text) == cases[i].t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(says_what_it_is),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
