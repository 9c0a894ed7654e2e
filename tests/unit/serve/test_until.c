/* A time of the day as an instant, in a zone that changes its clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/serve/until.h"

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3" /* needs no table of zones */
#define SECOND 1000000

static int in_berlin(void **state)
{
    setenv("TZ", BERLIN, 1);
    tzset();
    return 0;
}

static utc_us utc(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour,
                    .tm_min = minute};
    return (utc_us)timegm(&tm) * SECOND;
}

static void is_the_next_time(void **state)
{
    utc_us evening = utc(2026, 12, 1, 20, 0);
    assert_int_equal(until_next(450, evening), utc(2026, 12, 2, 6, 30));
    assert_int_equal(until_next(22 * 60, evening), utc(2026, 12, 1, 21, 0));
    assert_int_equal(until_next(21 * 60, evening), utc(2026, 12, 2, 20, 0)); /* it is 21:00 now */
    assert_int_equal(until_next(21 * 60, evening - 1), utc(2026, 12, 1, 20, 0));
    assert_int_equal(until_next(0, utc(2026, 12, 31, 22, 59)), utc(2026, 12, 31, 23, 0));
}

static void over_a_change_of_the_clock(void **state)
{
    assert_int_equal(until_next(450, utc(2026, 3, 28, 21, 0)), utc(2026, 3, 29, 5, 30));
    assert_int_equal(until_next(450, utc(2026, 10, 24, 20, 0)), utc(2026, 10, 25, 6, 30));
}

static void is_said(void **state)
{
    char text[256];
    until_sentence(450, utc(2026, 7, 1, 5, 30), text, sizeof(text));
    assert_string_equal(text, "until 07:30, as the clock of the daemon's machine shows it, is "
                              "2026-07-01 07:30 CEST (2026-07-01 05:30 UTC); max_hours says how "
                              "long instead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_next_time),
        cmocka_unit_test(over_a_change_of_the_clock),
        cmocka_unit_test(is_said),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, in_berlin, NULL);
}
