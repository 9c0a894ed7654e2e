/* How long a sweep will take: what its runs have to do, and the speed of earlier runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/estimate.h"
#include "daemon/store/store.h"
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

/* Rows of STORE_QUERY_RUN_RATES. */
static const char *names[] = {"seconds", "epochs", "samples", "flop"};
#define COLUMNS (sizeof(names) / sizeof(names[0]))

static void fill_rate(struct cell *row, double seconds, double flop)
{
    const double numbers[COLUMNS] = {seconds, 2, 1000, flop};

    for (size_t i = 0; i < COLUMNS; i++)
        row[i] = (struct cell){.type = CELL_REAL, .real = numbers[i]};
}

static void time_follows_earlier_runs(void **state)
{
    struct estimate e = estimate_of(SPEC("\"depth\":1", 4), &images);
    struct cell cells[5 * COLUMNS];
    struct table t = {.columns = COLUMNS, .rows = 0, .names = names, .cells = cells};

    /* Nothing known: a guess, with the time that a start takes. */
    double guess = estimate_seconds(&e, &t, 2, 2);
    assert_true(guess > 0.005 && guess < 1);
    /* Three runs of half the epochs took a second: two seconds, in two rounds of two workers. */
    for (size_t i = 0; i < 3; i++)
        fill_rate(&cells[COLUMNS * i], 1, 6000);
    /* What makes no sense does not count. */
    fill_rate(&cells[COLUMNS * 3], 900, -1);
    fill_rate(&cells[COLUMNS * 4], 900, 6000);
    cells[COLUMNS * 4 + 2] = (struct cell){.type = CELL_TEXT, .text = "many"};
    t.rows = 5;
    assert_true(fabs(estimate_seconds(&e, &t, 2, 2) - 2.005) < 1e-9);
    assert_true(fabs(estimate_seconds(&e, &t, 3, 2) - 4.01) < 1e-9);
    /* The middle one of three, by what their networks had to do. */
    fill_rate(&cells[COLUMNS * 1], 900, 600);
    fill_rate(&cells[COLUMNS * 2], 3, 6000);
    assert_true(fabs(estimate_seconds(&e, &t, 2, 2) - 6.005) < 1e-9);
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
