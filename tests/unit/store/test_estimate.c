/* How long a sweep will take: operations of a network, and the speed of earlier runs. */
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
#include "sweep/json.h"
#include "sweep/record.h"
#include "sweep/spec.h"

#define SPEC(model, epochs)                                                                        \
    "{\"data\":{\"name\":\"m\",\"validation\":100},\"model\":{" model "},\"epochs\":" #epochs ","  \
    "\"run_cap\":4,\"parameters\":{\"learning_rate\":{\"values\":[0.1]}}}"
#define LAYERS                                                                                     \
    "[{\"type\":\"conv2d\",\"channels\":16},{\"type\":\"max_pool\"},{\"type\":\"flatten\"},"       \
    "{\"type\":\"dense\",\"units\":64}]"

static const struct record_prepared images = {
    .samples = 1100, .features = 784, .classes = 10, .rank = 3, .dim = {1, 28, 28}, .outputs = 1};
static const struct record_prepared sequences = {
    .samples = 1100, .features = 900, .classes = 2, .rank = 2, .dim = {300, 3}, .outputs = 1};

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

static void operations_of_networks(void **state)
{
    struct estimate e = estimate_of(SPEC("\"depth\":2,\"width\":64", 1), &images);
    assert_true(e.flop == 6.0 * (784 * 64 + 64 * 64 + 64 * 10));
    assert_true(e.samples == 1000 && e.epochs == 1);
    e = estimate_of(SPEC("\"depth\":0", 1), &images);
    assert_true(e.flop == 6.0 * 7840);
    /* (300, 3) → dense 64 → LSTM 64 → dense 64 → 2: the LSTM has four gates (G1.1) */
    e = estimate_of(SPEC("\"type\":\"lstm\",\"depth\":1,\"width\":64", 1), &sequences);
    assert_true(e.flop == 6.0 * (300 * 3 * 64 + 300 * 4 * (64 + 64) * 64 + 64 * 64 + 64 * 2));
    e = estimate_of(SPEC("\"type\":\"sequential\",\"layers\":" LAYERS, 1), &images);
    assert_true(e.flop == 6.0 * (9 * 16 * 26 * 26 + 16 * 13 * 13 * 64 + 64 * 10));
}

/* Rows of STORE_QUERY_RUN_RATES. */
static const char *names[] = {"seconds",      "epochs",        "samples",    "data_features",
                              "data_classes", "settings_json", "layers_json"};

static void fill_rate(struct cell *row, double seconds, const char *settings, const char *layers)
{
    const double numbers[] = {seconds, 2, 1000, 784, 10};

    for (size_t i = 0; i < 5; i++)
        row[i] = (struct cell){.type = CELL_REAL, .real = numbers[i]};
    row[5] = (struct cell){.type = CELL_TEXT, .text = settings};
    row[6] = (struct cell){.type = layers ? CELL_TEXT : CELL_NULL, .text = layers};
}

static void time_follows_earlier_runs(void **state)
{
    static const char wide[] = "{\"model\":{\"depth\":1,\"width\":100}}";
    static const char listed[] = "{\"model\":{\"type\":\"sequential\"}}";
    struct estimate e = estimate_of(SPEC("\"depth\":1,\"width\":100", 4), &images);
    struct cell cells[5 * 7];
    struct table t = {.columns = 7, .rows = 0, .names = names, .cells = cells};

    /* Nothing known: a guess, with the time that a start takes. */
    double guess = estimate_seconds(&e, &t, 2, 2);
    assert_true(guess > 0.005 && guess < 1);
    /* Three runs of half the epochs took a second: two seconds, in two rounds of two workers. */
    for (size_t i = 0; i < 3; i++)
        fill_rate(&cells[7 * i], 1, wide, NULL);
    /* What makes no sense, or cannot be known, does not count. */
    fill_rate(&cells[7 * 3], 900, "{", NULL);
    fill_rate(&cells[7 * 4], 900, listed, "[{\"type\":\"nonsense\"}]");
    t.rows = 5;
    assert_true(fabs(estimate_seconds(&e, &t, 2, 2) - 2.005) < 1e-9);
    assert_true(fabs(estimate_seconds(&e, &t, 3, 2) - 4.01) < 1e-9);
    fill_rate(&cells[7 * 1], 900, listed, LAYERS);
    fill_rate(&cells[7 * 2], 900, listed, LAYERS);
    assert_true(estimate_seconds(&e, &t, 2, 2) > 2.1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_of_networks),
        cmocka_unit_test(time_follows_earlier_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
