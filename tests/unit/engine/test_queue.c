#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/engine/queue.h"
#include "sweep/rng.h"

static void test_order(void **state)
{
    struct queue_entry e[] = {
        {.sweep_id = 1, .running = 3, .waiting = 5},
        {.sweep_id = 2, .running = 1, .waiting = 5},
        {.sweep_id = 3, .running = 1, .waiting = 5},
        {.sweep_id = 4, .priority = 7, .running = 9, .waiting = 1},
        {.sweep_id = 5, .priority = 9, .running = 0, .waiting = 0},
    };
    assert_int_equal(queue_pick(e, 5), 3); /* priority before all; nothing waits in 5 */
    e[3].waiting = 0;
    assert_int_equal(queue_pick(e, 5), 1); /* fewest running, then age */
    e[1].served = 4;
    assert_int_equal(queue_pick(e, 5), 2); /* longest without a start */
    e[1].waiting = e[2].waiting = 0;
    assert_int_equal(queue_pick(e, 5), 0);
    e[0].waiting = 0;
    assert_int_equal(queue_pick(e, 5), QUEUE_NONE);
    assert_int_equal(queue_pick(NULL, 0), QUEUE_NONE);
}

/* A strict order: of two different entries exactly one comes before the other; transitive. */
static void test_strict(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (int round = 0; round < 20000; round++) {
        struct queue_entry e[3];
        for (int i = 0; i < 3; i++)
            e[i] = (struct queue_entry){.sweep_id = i + 1,
                                        .priority = (int64_t)rng_below(&r, 3) - 1,
                                        .running = rng_below(&r, 3),
                                        .served = rng_below(&r, 3),
                                        .waiting = 1};
        for (int i = 0; i < 3; i++) {
            assert_false(queue_before(&e[i], &e[i]));
            assert_true(queue_before(&e[i], &e[(i + 1) % 3]) !=
                        queue_before(&e[(i + 1) % 3], &e[i]));
        }
        if (queue_before(&e[0], &e[1]) && queue_before(&e[1], &e[2]))
            assert_true(queue_before(&e[0], &e[2]));
    }
}

/* One worker, three sweeps: each gets every third run. */
static void test_round_robin_one_worker(void **state)
{
    struct queue_entry e[3] = {{.sweep_id = 1, .waiting = 50},
                               {.sweep_id = 2, .waiting = 50},
                               {.sweep_id = 3, .waiting = 50}};
    for (uint64_t start = 1; start <= 150; start++) {
        size_t i = queue_pick(e, 3);
        assert_int_equal(i, (start - 1) % 3);
        e[i].served = start;
        e[i].waiting--;
    }
    assert_int_equal(queue_pick(e, 3), QUEUE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_strict),
                                       cmocka_unit_test(test_round_robin_one_worker)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
