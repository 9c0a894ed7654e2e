/* Edits of the search range: each from runs that speak for it, none from runs that do not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/range_edits.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "tests/unit/engine/support.h"

#define RATE "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}"
#define REST                                                                     \
    ",\"batch_size\":{\"values\":[2,32,128,512]},\"depth\":{\"min\":1,\"max\":6}," \
    "\"width\":{\"min\":16,\"max\":128}"

struct night {
    struct spec spec;
    struct trial trials[64];
    struct trainer_config configs[64];
    struct run_facts facts[64];
    const struct trial *by_number[64];
    int64_t ids[64];
    size_t count;
    struct range_edits edits;
};

static void night_open(struct night *n, const char *parameters)
{
    memset(n, 0, sizeof(*n));
    spec_make(&n->spec, "coarse_to_fine", parameters, 40, 7);
}

/* A healthy run in the middle of everything. */
static struct trial *add(struct night *n, double rate, double metric)
{
    struct trial *t = &n->trials[n->count];
    const struct space *space = &n->spec.space;
    n->by_number[n->count] = t;
    t->number = n->count;
    t->config = &n->configs[n->count];
    t->facts = &n->facts[n->count];
    t->config->settings = n->spec.trainer.fixed;
    for (size_t i = 0; i < space->count; i++)
        t->config->settings.v[space->dimensions[i].key] = dimension_middle(&space->dimensions[i]);
    t->config->settings.v[SETTING_LEARNING_RATE] = rate;
    t->status = RUN_COMPLETED;
    t->has_metric = t->labelled = true;
    t->metric_value = metric;
    t->facts->pattern = PATTERN_LEARNING;
    t->cause = CAUSE_COUNT;
    n->ids[n->count] = 100 + (int64_t)n->count;
    n->count++;
    return t;
}

static void sick(struct trial *t, enum pattern p, enum cause_id c)
{
    t->facts->pattern = p;
    t->cause = c;
}

static void find(struct night *n)
{
    range_edits_find(&n->spec, n->by_number, n->ids, n->count, &n->edits);
}

static const struct range_edit *edit(const struct night *n, enum edit_kind k, enum setting_id id)
{
    for (size_t i = 0; i < n->edits.count; i++)
        if (n->edits.items[i].kind == k && n->edits.items[i].setting == id)
            return &n->edits.items[i];
    return NULL;
}

static void healthy_runs_say_nothing(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    find(&n);
    assert_int_equal(n.edits.count, 0);
    for (int i = 0; i < 20; i++)
        add(&n, 0.01 + 0.0005 * i, 1 + 0.01 * i);
    find(&n);
    assert_int_equal(n.edits.count, 0);
    spec_finish(&n.spec);
}

static void cuts_where_runs_diverge(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    for (int i = 0; i < 10; i++)
        add(&n, 0.002 + 0.002 * i, 1);
    sick(add(&n, 0.1, NAN), PATTERN_NOT_A_NUMBER, CAUSE_UNKNOWN);
    sick(add(&n, 0.08, 5), PATTERN_DIVERGING, CAUSE_LEARNING_RATE_TOO_LARGE);
    find(&n);
    assert_null(edit(&n, EDIT_CUT_ABOVE, SETTING_LEARNING_RATE)); /* two say it: too few */
    sick(add(&n, 0.05, 5), PATTERN_DIVERGING, CAUSE_LEARNING_RATE_TOO_LARGE);
    find(&n);
    const struct range_edit *e = edit(&n, EDIT_CUT_ABOVE, SETTING_LEARNING_RATE);
    assert_non_null(e);
    assert_true(e->from == 0.1 && fabs(e->to - 0.02) < 1e-9 && e->run_count == 3);
    assert_int_equal(e->runs[0], 110);
    assert_string_equal(edit_guide_ref(e->kind), "G4.5");
    assert_non_null(strstr(e->sentence, "3 of 3 runs"));
    spec_finish(&n.spec);
}

static void cuts_where_runs_get_nowhere(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    for (int i = 0; i < 6; i++)
        add(&n, 0.01 + 0.01 * i, 1);
    for (int i = 0; i < 3; i++)
        sick(add(&n, 0.001 + 0.0005 * i, 2), PATTERN_BOTTLENECK, CAUSE_LEARNING_RATE_TOO_SMALL);
    find(&n);
    const struct range_edit *e = edit(&n, EDIT_CUT_BELOW, SETTING_LEARNING_RATE);
    assert_non_null(e);
    assert_true(e->from == 0.001 && e->to == 0.01);
    spec_finish(&n.spec);
}

static void extends_where_the_best_lie_at_the_end(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    for (int i = 0; i < 10; i++)
        add(&n, 0.01, 2 + i);
    for (int i = 0; i < 3; i++) {
        struct trial *t = add(&n, 0.001, 1 + 0.1 * i);
        t->config->settings.v[SETTING_BATCH_SIZE] = 512;
        t->config->settings.v[SETTING_WIDTH] = 128;
    }
    find(&n);
    const struct range_edit *rate = edit(&n, EDIT_EXTEND_BELOW, SETTING_LEARNING_RATE);
    const struct range_edit *batch = edit(&n, EDIT_EXTEND_ABOVE, SETTING_BATCH_SIZE);
    const struct range_edit *width = edit(&n, EDIT_EXTEND_ABOVE, SETTING_WIDTH);
    assert_true(rate != NULL && batch != NULL && width != NULL);
    assert_true(rate->from == 0.001 && fabs(rate->to - 0.0001) < 1e-12);
    assert_true(batch->from == 512 && batch->to == 2048); /* 128 → 512 → 2048 */
    assert_true(width->from == 128 && width->to == 184);
    n.trials[11].config->settings.v[SETTING_LEARNING_RATE] = 0.01; /* one of the best does not */
    find(&n);
    assert_null(edit(&n, EDIT_EXTEND_BELOW, SETTING_LEARNING_RATE));
    spec_finish(&n.spec);
}

static void never_beyond_what_is_legal(void **state)
{
    struct night n;
    night_open(&n, RATE ",\"train.momentum\":{\"min\":0.5,\"max\":1},\"depth\":{\"min\":0,\"max\":4}");
    for (int i = 0; i < 10; i++)
        add(&n, 0.01, 2 + i);
    for (int i = 0; i < 3; i++) {
        struct trial *t = add(&n, 0.02, 1);
        t->config->settings.v[SETTING_MOMENTUM] = 1;
        t->config->settings.v[SETTING_DEPTH] = 0;
    }
    find(&n);
    assert_null(edit(&n, EDIT_EXTEND_ABOVE, SETTING_MOMENTUM)); /* 1 is the largest there is */
    assert_null(edit(&n, EDIT_EXTEND_BELOW, SETTING_DEPTH));
    spec_finish(&n.spec);
}

static void causes_speak(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    for (int i = 0; i < 3; i++)
        add(&n, 0.01, 1);
    for (int i = 0; i < 3; i++) {
        struct trial *deep = add(&n, 0.01, 2), *tiny = add(&n, 0.01, 2);
        n.trials[i].config->settings.v[SETTING_DEPTH] = 3;
        tiny->config->settings.v[SETTING_DEPTH] = 2;
        sick(deep, PATTERN_BOTTLENECK, CAUSE_TOO_DEEP);
        deep->config->settings.v[SETTING_DEPTH] = 4 + i;
        sick(tiny, PATTERN_OSCILLATING, CAUSE_BATCH_TOO_SMALL);
        tiny->config->settings.v[SETTING_BATCH_SIZE] = 2;
    }
    find(&n);
    const struct range_edit *depth = edit(&n, EDIT_FEWER_LAYERS, SETTING_DEPTH);
    const struct range_edit *batch = edit(&n, EDIT_LARGER_BATCHES, SETTING_BATCH_SIZE);
    assert_true(depth != NULL && depth->from == 6 && depth->to == 3 && depth->run_count == 3);
    assert_true(batch != NULL && batch->from == 2 && batch->to == 32 && batch->run_count == 3);
    add(&n, 0.01, 0.5)->config->settings.v[SETTING_DEPTH] = 6; /* the best run of all */
    find(&n);
    assert_null(edit(&n, EDIT_FEWER_LAYERS, SETTING_DEPTH));
    spec_finish(&n.spec);
}

static void capacity_and_shuffle(void **state)
{
    struct night n;
    night_open(&n, RATE);
    n.spec.trainer.fixed.v[SETTING_SHUFFLE] = 0;
    for (int i = 0; i < 3; i++)
        sick(add(&n, 0.01, 2), PATTERN_BOTTLENECK, CAUSE_CAPACITY_TOO_SMALL);
    for (int i = 0; i < 3; i++)
        sick(add(&n, 0.01, 2), PATTERN_OSCILLATING, CAUSE_NOT_SHUFFLED);
    find(&n);
    const struct range_edit *width = edit(&n, EDIT_MORE_CAPACITY, SETTING_WIDTH);
    assert_true(width != NULL && width->opens && width->low == 128 && width->to == 512);
    assert_string_equal(edit_guide_ref(EDIT_MORE_LAYERS), "G1.1");
    const struct range_edit *depth = edit(&n, EDIT_MORE_LAYERS, SETTING_DEPTH);
    assert_true(depth != NULL && depth->opens && depth->low == 2 && depth->to == 3);
    assert_true(edit(&n, EDIT_SHUFFLE, SETTING_SHUFFLE)->to == 1);
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    range_edit_write_to(width, &w);
    assert_string_equal(text.data, "{\"min\":128,\"max\":512}");
    buf_finish(&text);
    spec_finish(&n.spec);
}

static void overfitting_opens_what_is_not_swept(void **state)
{
    struct night n;
    night_open(&n, RATE ",\"dropout\":{\"values\":[0,0.5]}");
    for (int i = 0; i < 12; i++)
        sick(add(&n, 0.01, 1 + i), PATTERN_OVERFITTING, CAUSE_UNKNOWN);
    find(&n);
    const struct range_edit *l2 = edit(&n, EDIT_REGULARISE, SETTING_L2);
    assert_true(l2 != NULL && l2->opens && l2->low == 1e-5 && l2->to == 1e-2);
    assert_null(edit(&n, EDIT_REGULARISE, SETTING_WEIGHT_DECAY)); /* of adamw only */
    n.spec.trainer.fixed.v[SETTING_OPTIMIZER] = OPTIMIZER_ADAMW;
    find(&n);
    assert_non_null(edit(&n, EDIT_REGULARISE, SETTING_WEIGHT_DECAY));
    assert_null(edit(&n, EDIT_REGULARISE, SETTING_L2));
    n.spec.trainer.fixed.v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    assert_null(edit(&n, EDIT_REGULARISE, SETTING_DROPOUT)); /* is swept already */
    for (int i = 0; i < 3; i++)
        n.trials[i].facts->pattern = PATTERN_LEARNING; /* the best are well */
    find(&n);
    assert_null(edit(&n, EDIT_REGULARISE, SETTING_L2));
    spec_finish(&n.spec);
}

static void treatments_do_not_speak(void **state)
{
    struct night n;
    night_open(&n, RATE REST);
    for (int i = 0; i < 10; i++)
        add(&n, 0.01, 1);
    for (int i = 0; i < 3; i++) {
        struct trial *t = add(&n, 0.1, NAN);
        sick(t, PATTERN_NOT_A_NUMBER, CAUSE_UNKNOWN);
        t->kind = RUN_KIND_TREATMENT;
    }
    find(&n);
    assert_int_equal(n.edits.count, 0);
    spec_finish(&n.spec);
}

static void no_sound_run_shows_the_other_way(void **state)
{
    struct night n;
    night_open(&n, RATE);
    for (int i = 0; i < 4; i++)
        sick(add(&n, 0.001 * (1 + i), NAN), PATTERN_NOT_A_NUMBER, CAUSE_UNKNOWN);
    find(&n);
    const struct range_edit *e = edit(&n, EDIT_EXTEND_BELOW, SETTING_LEARNING_RATE);
    assert_true(e != NULL && e->from == 0.001 && fabs(e->to - 0.0001) < 1e-12);
    assert_int_equal(n.edits.count, 1);
    spec_finish(&n.spec);

    night_open(&n, "\"depth\":{\"min\":1,\"max\":4}"); /* the learning rate is fixed: 0.001 */
    for (int i = 0; i < 4; i++)
        sick(add(&n, 0.001, 2), PATTERN_BOTTLENECK, CAUSE_LEARNING_RATE_TOO_SMALL);
    find(&n);
    e = edit(&n, EDIT_CUT_BELOW, SETTING_LEARNING_RATE);
    assert_true(e != NULL && e->opens && e->from == 0.001);
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    range_edit_write_to(e, &w);
    assert_string_equal(text.data,
                        "{\"min\":0.01,\"max\":0.1,\"distribution\":\"log_uniform_values\"}");
    buf_finish(&text);
    spec_finish(&n.spec);
}

static void bounds_go_on_by_half(void **state)
{
    struct night n;
    night_open(&n, "\"dropout\":{\"min\":0.1,\"max\":0.3},"
                   "\"train.beta1\":{\"min\":0.5,\"max\":0.9},"
                   "\"train.epsilon\":{\"min\":1e-8,\"max\":1e-3}");
    for (int i = 0; i < 10; i++)
        add(&n, 0.01, 2 + i);
    for (int i = 0; i < 3; i++) {
        struct trial *t = add(&n, 0.01, 1);
        t->config->settings.v[SETTING_DROPOUT] = 0.3;
        t->config->settings.v[SETTING_BETA1] = 0.9;
        t->config->settings.v[SETTING_EPSILON] = 1e-8;
    }
    find(&n);
    assert_true(fabs(edit(&n, EDIT_EXTEND_ABOVE, SETTING_DROPOUT)->to - 0.4) < 1e-9);
    /* Not the limit itself: half of the way there. */
    assert_true(fabs(edit(&n, EDIT_EXTEND_ABOVE, SETTING_BETA1)->to - 0.95) < 1e-5);
    assert_true(edit(&n, EDIT_EXTEND_BELOW, SETTING_EPSILON)->to == 5e-9);
    spec_finish(&n.spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_runs_say_nothing),
        cmocka_unit_test(cuts_where_runs_diverge),
        cmocka_unit_test(cuts_where_runs_get_nowhere),
        cmocka_unit_test(extends_where_the_best_lie_at_the_end),
        cmocka_unit_test(never_beyond_what_is_legal),
        cmocka_unit_test(causes_speak),
        cmocka_unit_test(capacity_and_shuffle),
        cmocka_unit_test(overfitting_opens_what_is_not_swept),
        cmocka_unit_test(treatments_do_not_speak),
        cmocka_unit_test(no_sound_run_shows_the_other_way),
        cmocka_unit_test(bounds_go_on_by_half),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
