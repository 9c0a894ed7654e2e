/* Windows of stored runs, labelled again without a store. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/causes/relabelling.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define POINTS 20
#define THEN 1000000
#define NOW 2000000

static const char spec[] =
    "{\"name\":\"night\",\"method\":\"random\",\"data\":{\"path\":\"/d\",\"format\":\"csv\","
    "\"validation\":20},\"parameters\":{\"learning_rate\":{\"min\":0.01,\"max\":0.5}},"
    "\"epochs\":20,\"run_cap\":9,\"seed\":1}";

/* Its label is of older rules, and wrong. */
static void add_run(struct relabel_window *w, bool learns)
{
    w->runs = array_room(w->runs, &w->cap, w->count, sizeof(*w->runs));
    struct relabel_run *r = &w->runs[w->count];
    *r = (struct relabel_run){.id = 10 + (int64_t)w->count++,
                              .kind = RUN_KIND_SEARCH,
                              .status = RUN_COMPLETED,
                              .epochs = 20,
                              .params_json = xstrdup("{\"learning_rate\":0.1}"),
                              .has_label = true,
                              .pattern = PATTERN_TOO_SHORT,
                              .runner_up = PATTERN_NONE,
                              .tags = xstrdup(""),
                              .evidence_json = xstrdup("{}"),
                              .causes_json = xstrdup(""),
                              .facts_json = xstrdup(""),
                              .version = 1,
                              .created_at = "2026-11-24 00:50:58.123",
                              .created = THEN,
                              .point_count = POINTS,
                              .points = xcalloc(POINTS, sizeof(*r->points))};
    for (int i = 0; i < POINTS; i++) {
        double loss = learns ? 2.0 - 0.08 * i : 0.5 + 0.1 * i;
        r->points[i] = (struct point){.point = i + 1, .epoch = i + 1};
        point_set(&r->points[i], CURVE_TRAIN_LOSS, loss);
        point_set(&r->points[i], CURVE_VAL_LOSS, loss + 0.01);
    }
    w->to = w->count;
}

static struct relabel_window *new_window(size_t runs)
{
    struct relabel_window *w = xmalloc(sizeof(*w));
    *w = (struct relabel_window){.sweep_id = 5,
                                 .spec_json = xstrdup(spec),
                                 .data_facts_json = xstrdup(""),
                                 .data_samples = 100};
    for (size_t i = 0; i < runs; i++)
        add_run(w, i % 2 == 0);
    return w;
}

static void set_text(char **text, const char *to)
{
    free(*text);
    *text = xstrdup(to);
}

/* The label of that run in the batch; NULL: it has none. */
static const struct label_row *label_of(const struct store_batch *b, int64_t run_id)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->ops[i].type == STORE_RELABEL && b->ops[i].u.relabelled->label->run_id == run_id)
            return b->ops[i].u.relabelled->label;
    return NULL;
}

static void test_labels_and_position(void **state)
{
    struct relabelling r = {.sweep_id = 5};
    struct store_batch b = {0};
    struct relabel_window *w = new_window(3);
    w->to = 2;
    relabelling_step(&r, w, NOW, &b);
    assert_int_equal(r.looked, 2);
    assert_int_equal(r.changed, 2);
    assert_int_equal(r.sweep_id, 5);
    assert_int_equal(r.number, 2); /* the third is another window's */
    assert_int_equal(b.count, 2);
    assert_int_not_equal(label_of(&b, 10)->pattern, label_of(&b, 11)->pattern);
    assert_int_equal(r.moved[PATTERN_TOO_SHORT][label_of(&b, 11)->pattern], 1);
    assert_int_equal(label_of(&b, 10)->created, NOW);
    assert_int_equal(b.ops[0].u.relabelled->old_version, 1);
    assert_string_equal(b.ops[0].u.relabelled->old_created_at, "2026-11-24 00:50:58.123");
    store_batch_finish(&b);
    w->from = 2;
    w->to = 3;
    relabelling_step(&r, w, NOW, &b);
    assert_int_equal(r.looked, 3);
    assert_int_equal(r.sweep_id, 6);
    assert_int_equal(r.number, 0);
    store_batch_finish(&b);
    relabel_window_destroy(w);
}

/* What was written is found to be the same: its time stays; and of this version there is nothing
 * to write. */
static void test_the_same_label(void **state)
{
    struct relabelling r = {0};
    struct store_batch b = {0}, again = {0};
    struct relabel_window *w = new_window(1);
    struct relabel_run *run = &w->runs[0];
    relabelling_step(&r, w, NOW, &b);
    const struct label_row *l = label_of(&b, 10);
    run->pattern = l->pattern;
    run->runner_up = l->runner_up;
    run->confidence = l->confidence;
    set_text(&run->tags, l->tags);
    set_text(&run->evidence_json, l->evidence_json);
    set_text(&run->facts_json, l->facts_json);
    struct buf causes = {0};
    struct json_writer writer;
    jw_init(&writer, &causes);
    if (l->causes.count > 0)
        causes_write(&l->causes, &writer);
    set_text(&run->causes_json, causes.len > 0 ? causes.data : "");
    buf_finish(&causes);
    char *names = advice_names(&l->advice);
    set_text(&run->remedies_json, names);
    free(names);
    r = (struct relabelling){0};
    relabelling_step(&r, w, NOW + 1, &again);
    assert_int_equal(r.changed, 0);
    assert_int_equal(label_of(&again, 10)->created, THEN);
    assert_null(label_of(&again, 10)->facts_json);
    store_batch_finish(&again);
    run->version = DIAGNOSIS_VERSION;
    relabelling_step(&r, w, NOW + 1, &again);
    assert_int_equal(r.looked, 2);
    assert_int_equal(again.count, 0);
    store_batch_finish(&b);
    relabel_window_destroy(w);
}

static void test_what_makes_no_sense_is_left(void **state)
{
    struct relabelling r = {0};
    struct store_batch b = {0};
    struct relabel_window *w = new_window(2);
    set_text(&w->runs[0].params_json, "{\"learning_rate\":");
    relabelling_step(&r, w, NOW, &b);
    assert_int_equal(r.looked, 1);
    assert_null(label_of(&b, 10));
    assert_non_null(label_of(&b, 11));
    store_batch_finish(&b);
    set_text(&w->spec_json, "{\"name\":\"night\"");
    relabelling_step(&r, w, NOW, &b);
    assert_int_equal(r.looked, 1);
    assert_int_equal(r.sweep_id, 6);
    assert_int_equal(b.count, 0);
    relabel_window_destroy(w);
}

/* Facts of the layers come from the rows where none were stored. */
static void test_layers(void **state)
{
    struct relabelling r = {0};
    struct store_batch b = {0};
    struct relabel_window *w = new_window(1);
    struct relabel_run *run = &w->runs[0];
    run->layers = xcalloc(1, sizeof(*run->layers));
    run->layers[0] = (struct layers_rows){.run_id = 10,
                                          .point = 1,
                                          .count = 2,
                                          .layers = xcalloc(2, sizeof(struct layer_stat))};
    run->layers_count = 1;
    run->layers[0].layers[0].grad_norm = 3;
    run->layers[0].layers[1].grad_norm = 6;
    relabelling_step(&r, w, NOW, &b);
    assert_non_null(strstr(label_of(&b, 10)->facts_json, "\"grad_ratio\":0.5"));
    store_batch_finish(&b);
    set_text(&run->facts_json, "{\"grad_ratio\":0.25}");
    relabelling_step(&r, w, NOW, &b);
    assert_non_null(strstr(label_of(&b, 10)->facts_json, "\"grad_ratio\":0.25"));
    store_batch_finish(&b);
    relabel_window_destroy(w);
}

static void add_treatment(struct relabel_window *w, struct relabel_treatment t)
{
    w->treatments = array_room(w->treatments, &w->treatment_cap, w->treatment_count,
                               sizeof(*w->treatments));
    w->treatments[w->treatment_count++] = t;
}

static void test_outcomes(void **state)
{
    static const struct {
        enum run_status status;
        double metric, change;
        enum pattern own;     /* the parent's is that of run 11, which is new */
        bool was, written, cured;
    } rows[] = {
        {RUN_COMPLETED, 0.5, NAN, PATTERN_LEARNING, false, true, true},
        {RUN_COMPLETED, 0.5, NAN, PATTERN_LEARNING, true, false, true},
        {RUN_STOPPED, 0.5, 0.005, PATTERN_LEARNING, false, true, true},
        {RUN_COMPLETED, 0.5, 0.0051, PATTERN_LEARNING, true, true, false},
        {RUN_COMPLETED, INFINITY, -1, PATTERN_LEARNING, true, true, false},
        {RUN_FAILED, 0.5, -1, PATTERN_LEARNING, true, true, false},
        {RUN_COMPLETED, 0.5, -1, PATTERN_NONE, true, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct relabelling r = {0};
        struct store_batch b = {0};
        struct relabel_window *w = new_window(2);
        add_treatment(w, (struct relabel_treatment){.run_id = 99,
                                                    .parent_id = 11,
                                                    .status = rows[i].status,
                                                    .has_metric = true,
                                                    .metric_value = rows[i].metric,
                                                    .change = rows[i].change,
                                                    .cured = rows[i].was,
                                                    .pattern = rows[i].own,
                                                    .parent_pattern = PATTERN_LEARNING});
        relabelling_step(&r, w, NOW, &b);
        assert_int_equal(b.count, 2 + rows[i].written);
        if (rows[i].written) {
            assert_int_equal(b.ops[0].type, STORE_PUT_OUTCOME);
            assert_int_equal(b.ops[0].u.outcome.run_id, 99);
            assert_int_equal(b.ops[0].u.outcome.cured, rows[i].cured);
        }
        store_batch_finish(&b);
        relabel_window_destroy(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_and_position),
        cmocka_unit_test(test_the_same_label),
        cmocka_unit_test(test_what_makes_no_sense_is_left),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_outcomes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
