/* How long a sweep will take: what its runs have to do, and the speed of earlier runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/estimate.h"
#include "sweep/err.h"
#include "sweep/record.h"
#include "sweep/spec.h"

#define SPEC(model, epochs)                                                                        \
    "{\"data\":{\"name\":\"m\",\"validation\":100},\"model\":{" model "},\"epochs\":" #epochs ","  \
    "\"run_cap\":4,\"parameters\":{\"learning_rate\":{\"values\":[0.1]}}}"
static const struct record_prepared images = {.samples = 1100, .features = 784, .classes = 10,
                                              .rank = 3, .dim = {1, 28, 28}, .outputs = 1,
                                              .flop = 6 * 1000};

static struct estimate estimate_of(const char *text, const struct record_prepared *data)
{
    struct errbuf err = {0};
    struct estimate e;
    struct spec s;

    if (spec_parse_text(text, strlen(text), &s, &err))
        fail_msg("%s", err.message);
    estimate_init(&e, &s, data);
    spec_finish(&s);
    return e;
}

static void what_decides_the_time(void **state)
{
    struct record_prepared parts = images;
    struct estimate e = estimate_of(SPEC("\"depth\":2", 3), &images);

    assert_true(e.flop == 6000 && e.samples == 1000 && e.epochs == 3);
    parts.validation_samples = 50; /* of a file of their own */
    e = estimate_of(SPEC("\"depth\":2", 3), &parts);
    assert_true(e.samples == 1100);
}

static void time_follows_earlier_runs(void **state)
{
    struct estimate e = estimate_of(SPEC("\"depth\":1", 4), &images);
    const double flop = 2 * 1000 * 6000; /* half the epochs */
    /* the last two make no sense, and do not count */
    struct run_rate rates[] = {{1, flop}, {1, flop}, {1, flop}, {900, -flop}, {900, 0}};
    double rate = estimate_seconds_per_flop(rates, 0), guess = estimate_seconds(&e, rate, 2, 2);

    /* Nothing known: a guess, with the time that a start takes. */
    assert_true(guess > 0.005 && guess < 1);
    assert_true(estimate_seconds_per_flop(rates, 2) == rate); /* too few */
    /* Three runs of half the epochs took a second: two seconds, in two rounds of two workers. */
    rate = estimate_seconds_per_flop(rates, 5);
    assert_true(fabs(estimate_seconds(&e, rate, 2, 2) - 2.005) < 1e-9);
    assert_true(fabs(estimate_seconds(&e, rate, 3, 2) - 4.01) < 1e-9);
    /* The middle one of three, by what their networks had to do. */
    rates[1] = (struct run_rate){900, flop / 10};
    rates[2] = (struct run_rate){3, flop};
    rate = estimate_seconds_per_flop(rates, 5);
    assert_true(fabs(estimate_seconds(&e, rate, 2, 2) - 6.005) < 1e-9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_decides_the_time),
        cmocka_unit_test(time_follows_earlier_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
