/* The engine: test scores of winners, first weights, settings of data, presets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* Who loses the weights loses the test scores; nobody is ranked by them. */
static void test_scores_of_winners(void **state)
{
    static const int orders[][6] = {{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {3, 1, 5, 6, 2, 4}};
    for (size_t k = 0; k < sizeof(orders) / sizeof(*orders); k++) {
        struct world w;
        world_init(&w, 6, 1);
        world_grid(&w, SIX_DEPTHS, "");
        for (int i = 0; i < 6; i++) {
            int id = orders[k][i];
            struct record_result r = {.status = RUN_COMPLETED, .seconds = 1, .has_test = true,
                                      .has_test_acc = true, .test_loss = 10 - id, .test_acc = 0.5};
            world_tell(&w, id, 1, 0.1 * id);
            world_end(&w, id, (struct run_exit){.result = &r});
        }
        for (int n = 0; n < 6; n++) {
            const struct run_row *row = world_run_row(&w, 1, n);
            assert_int_equal(row->has_test_loss, n < 3);
            assert_int_equal(row->has_test_acc, n < 3);
            if (n < 3)
                assert_true(row->test_loss == 10 - (n + 1) && row->test_acc == 0.5);
        }
        world_finish(&w);
    }
}

/* Every run begins with the weights of the run that the spec names. */
static void test_start_from(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, ",\"start_from\":77");
    assert_int_equal(w.worker_count, 1);
    assert_string_equal(w.workers[0].config.start_weights, "/runs/77/best.safetensors");
    world_finish(&w);
}

/* Data settings differ from run to run; the preset's values are in the rows. */
static void test_settings_of_data_and_preset(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_grid(&w, "\"data.scale\":{\"values\":[\"none\",\"standard\"]}",
               ",\"train\":{\"preset\":\"guide_g3_2\"}");
    assert_int_equal(w.worker_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct run_config *c = &w.workers[i].config;
        assert_true(c->settings.v[SETTING_SCALE] == (c == &w.workers[0].config ? 0 : 1));
        assert_true(c->settings.v[SETTING_VALIDATION] == 10);
        assert_true(c->settings.v[SETTING_CLIP_MIN] == 0.1);
    }
    assert_true(world_run_row(&w, 1, 0)->config->settings.v[SETTING_OPTIMIZER] == OPTIMIZER_MOMENTUM);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_of_winners),
        cmocka_unit_test(test_start_from),
        cmocka_unit_test(test_settings_of_data_and_preset),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
