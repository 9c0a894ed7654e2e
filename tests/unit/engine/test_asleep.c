/* Where many sweeps are open, those that wait take little, and come to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SWEEPS 48
#define SPACE "\"depth\":{\"min\":1,\"max\":4},\"batch_size\":{\"values\":[32,128,512]}"

static void submit(struct world *w)
{
    world_submit(w, "random", SPACE, 6, 5, "");
    world_settle(w);
}

static size_t awake(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->engine->sweep_count; i++)
        n += w->engine->sweeps[i]->cache->spec != NULL;
    return n;
}

/* Runs that are as their sweep's specification says keep neither configuration nor parameters. */
static void check_lean(const struct world *w)
{
    for (size_t i = 0; i < w->engine->sweep_count; i++) {
        const struct sweep *s = w->engine->sweeps[i];
        for (size_t k = 0; k < s->live_count; k++) {
            assert_null(s->live[k]->row->config);
            assert_null(s->live[k]->row->params_json);
            assert_null(s->trials[s->live[k]->index]->config);
            assert_null(s->trials[s->live[k]->index]->facts);
        }
    }
}

static void many_sweeps_come_to_the_same(void **state)
{
    struct world alone, many;
    world_init(&alone, 1, 1);
    submit(&alone);
    assert_int_equal(awake(&alone), 1);
    check_lean(&alone);
    world_run(&alone);
    char *expected = world_canonical(&alone, 1);
    world_init(&many, 1, 1);
    for (int i = 0; i < SWEEPS; i++)
        submit(&many);
    assert_int_equal(many.engine->sweep_count, SWEEPS);
    assert_int_equal(awake(&many), many.engine->running_count); /* each of another sweep */
    check_lean(&many);
    world_crash(&many, 1, 0);
    check_lean(&many);
    world_run(&many);
    for (int64_t id = 1; id <= SWEEPS; id++) {
        char *got = world_canonical(&many, id);
        assert_string_equal(got, expected);
        free(got);
    }
    assert_int_equal(many.engine->sweep_count, 0); /* nothing is left of them */
    assert_int_equal(many.engine->running_count, 0);
    free(expected);
    world_finish(&alone);
    world_finish(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_sweeps_come_to_the_same)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
