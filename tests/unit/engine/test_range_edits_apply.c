/* Any night: what is proposed can be carried out, alone and all together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/range_edits.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "tests/unit/engine/support.h"

#define RUNS_MAX 40
#define NIGHTS 8000

struct night {
    struct spec spec;
    struct trial trials[RUNS_MAX];
    struct trainer_config configs[RUNS_MAX];
    struct run_facts facts[RUNS_MAX];
    const struct trial *by_number[RUNS_MAX];
    int64_t ids[RUNS_MAX];
    size_t count;
    struct range_edits edits;
};

static bool moves_lower(enum edit_kind k)
{
    return k == EDIT_CUT_BELOW || k == EDIT_EXTEND_BELOW || k == EDIT_LARGER_BATCHES;
}

static struct dimension *sweep_it(struct spec *s, enum setting_id id)
{
    int at = space_find_key(&s->space, (int)id);
    if (at >= 0)
        return &s->space.dimensions[at];
    struct dimension *d = &s->space.dimensions[s->space.count++];
    bool whole = setting_get(id)->type == SETTING_INTEGER;
    *d = (struct dimension){.key = (int)id, .type = whole ? VALUE_INTEGER : VALUE_REAL};
    str_copy(d->name, sizeof(d->name), setting_label(id));
    d->role = role_of_name(d->name);
    return d;
}

static void edit_list(struct dimension *d, const struct range_edit *e)
{
    bool lower = moves_lower(e->kind), wider = lower ? e->to < e->from : e->to > e->from;
    size_t kept = 0;
    d->values = xrealloc(d->values, (d->value_count + 1) * sizeof(double));
    for (size_t i = 0; i < d->value_count; i++)
        if (wider || (lower ? d->values[i] >= e->to : d->values[i] <= e->to))
            d->values[kept++] = d->values[i];
    if (wider)
        d->values[kept++] = e->to;
    d->value_count = kept;
}

static void open_range(struct dimension *d, const struct range_edit *e)
{
    bool whole = setting_get(e->setting)->type == SETTING_INTEGER;
    d->min = e->low;
    d->max = e->to;
    d->distribution = whole ? DISTRIBUTION_INT_UNIFORM : DISTRIBUTION_UNIFORM;
    if (e->log_scale)
        d->distribution = DISTRIBUTION_LOG_UNIFORM_VALUES;
}

/* A range whose bounds meet is one value: a fixed setting. */
static void fix(struct spec *s, struct dimension *d)
{
    s->trainer.fixed.v[d->key] = d->min;
    dimension_finish(d);
    s->space.count--;
    memmove(d, d + 1, (size_t)(&s->space.dimensions[s->space.count] - d) * sizeof(*d));
}

static void apply(struct spec *s, const struct range_edit *e)
{
    if (e->kind == EDIT_SHUFFLE) {
        s->trainer.fixed.v[SETTING_SHUFFLE] = 1;
        return;
    }
    struct dimension *d = sweep_it(s, e->setting);
    if (e->opens)
        open_range(d, e);
    else if (d->distribution == DISTRIBUTION_CATEGORICAL)
        edit_list(d, e);
    else
        *(moves_lower(e->kind) ? &d->min : &d->max) = e->to;
    if (d->distribution != DISTRIBUTION_CATEGORICAL && d->min == d->max)
        fix(s, d);
}

static void assert_accepted(const struct spec *s)
{
    struct buf text = {0};
    struct errbuf err;
    struct json_writer w;
    struct spec after;
    jw_init(&w, &text);
    spec_write(s, &w);
    if (spec_parse_text(text.data, text.len, &after, &err) != 0)
        fail_msg("%s in %s", err.message, text.data);
    spec_finish(&after);
    buf_finish(&text);
}

static void assert_sound(const struct range_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct range_edit *e = &edits->items[i];
        const struct setting *s = setting_get(e->setting);
        assert_true(e->run_count >= EDIT_RUNS_LEAST && e->sentence[0] != '\0');
        assert_true(e->to >= s->min && e->to <= s->max && (e->opens || e->to != e->from));
        assert_true(!e->opens || (e->low < e->to && e->low >= s->min));
        for (size_t k = 1; k < e->run_count && k < EDIT_RUNS_MAX; k++)
            assert_true(e->runs[k - 1] != e->runs[k]);
        for (size_t k = 0; k < i; k++) /* one edit a bound */
            assert_false(edits->items[k].setting == e->setting &&
                         moves_lower(edits->items[k].kind) == moves_lower(e->kind));
    }
}

/* One of the sicknesses that edits look at, or none. */
static void fall_sick(struct trial *t, double u)
{
    static const struct {
        enum pattern pattern;
        enum cause_id cause;
    } sick[] = {
        {PATTERN_LEARNING, CAUSE_COUNT},
        {PATTERN_DIVERGING, CAUSE_LEARNING_RATE_TOO_LARGE},
        {PATTERN_NOT_A_NUMBER, CAUSE_UNKNOWN},
        {PATTERN_OVERFITTING, CAUSE_UNKNOWN},
        {PATTERN_BOTTLENECK, CAUSE_LEARNING_RATE_TOO_SMALL},
        {PATTERN_BOTTLENECK, CAUSE_TOO_DEEP},
        {PATTERN_BOTTLENECK, CAUSE_CAPACITY_TOO_SMALL},
        {PATTERN_OSCILLATING, CAUSE_BATCH_TOO_SMALL},
        {PATTERN_OSCILLATING, CAUSE_NOT_SHUFFLED},
    };
    size_t i = (size_t)(u * ARRAY_LEN(sick));
    t->facts->pattern = sick[i].pattern;
    t->cause = sick[i].cause;
}

/* Runs all over the space or near one end of it. Sick are runs at random, or all, or those at one
 * end of one dimension; with any sickness, or all with the same. */
static void night_init(struct night *n, const char *space, struct rng *r)
{
    double shapes[] = {1, 8, 0.125}, shape = shapes[rng_below(r, 3)], sick = rng_uniform(r);
    uint64_t mode = rng_below(r, 3), side = rng_below(r, 2);
    double same = rng_uniform(r);
    spec_make(&n->spec, "coarse_to_fine", space, 40, 7);
    n->count = rng_below(r, RUNS_MAX + 1);
    const struct space *own = &n->spec.space;
    size_t end = rng_below(r, own->count);
    for (size_t i = 0; i < n->count; i++) {
        struct trial *t = &n->trials[i];
        n->by_number[i] = t;
        *t = (struct trial){.number = i,
                            .config = &n->configs[i],
                            .facts = &n->facts[i],
                            .status = RUN_COMPLETED,
                            .labelled = true,
                            .has_metric = true,
                            .metric_value = rng_uniform(r),
                            .cause = CAUSE_COUNT};
        t->facts->pattern = PATTERN_LEARNING;
        t->config->settings = n->spec.trainer.fixed;
        for (size_t k = 0; k < own->count; k++) {
            const struct dimension *d = &own->dimensions[k];
            t->at.v[k] = dimension_value(d, pow(rng_uniform(r), shape));
            t->config->settings.v[d->key] = t->at.v[k];
        }
        double u = mode == 2 ? dimension_position(&own->dimensions[end], t->at.v[end])
                             : rng_uniform(r);
        if (side == 0 ? u < sick : u > 1 - sick)
            fall_sick(t, mode > 0 ? same : rng_uniform(r));
        n->ids[i] = 100 + (int64_t)i;
    }
}

static void turn_round(struct night *n)
{
    for (size_t i = 0, k = n->count; i + 1 < k; i++) {
        const struct trial *t = n->by_number[i];
        int64_t id = n->ids[i];
        k--;
        n->by_number[i] = n->by_number[k];
        n->ids[i] = n->ids[k];
        n->by_number[k] = t;
        n->ids[k] = id;
    }
}

static void find(struct night *n)
{
    range_edits_find(&n->spec, n->by_number, n->ids, n->count, &n->edits);
}

static void spend(const char *space, uint64_t seed, size_t found[EDIT_KIND_COUNT])
{
    struct night n = {0};
    struct range_edits before;
    struct rng r;
    rng_init(&r, seed, RNG_TEST, 0);
    night_init(&n, space, &r);
    find(&n);
    before = n.edits;
    turn_round(&n);
    find(&n);
    assert_memory_equal(&before, &n.edits, sizeof(before)); /* whatever order they ended in */
    assert_sound(&n.edits);
    for (size_t i = 0; i < n.edits.count; i++) {
        found[n.edits.items[i].kind]++;
        apply(&n.spec, &n.edits.items[i]);
        assert_accepted(&n.spec);
    }
    spec_finish(&n.spec);
}

static void any_night_can_be_carried_out(void **state)
{
    static const char *const SPACES[] = {
        "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"},"
        "\"batch_size\":{\"values\":[2,32,128,512]},\"depth\":{\"min\":1,\"max\":6},"
        "\"width\":{\"min\":16,\"max\":128}",
        "\"learning_rate\":{\"min\":0.001,\"max\":0.1}",
        "\"batch_size\":{\"values\":[1,1048576]},\"depth\":{\"values\":[1,2,256]}",
        "\"optimizer\":{\"values\":[\"adamw\",\"sgd\"]},"
        "\"train.momentum\":{\"min\":0.5,\"max\":0.99}",
        "\"width\":{\"min\":16,\"max\":512,\"distribution\":\"q_log_uniform_values\",\"q\":16},"
        "\"learning_rate\":{\"values\":[1e-6,1e6]},\"model.type\":{\"values\":[\"mlp\",\"lstm\"]}",
        "\"model.type\":{\"value\":\"rnn\"},\"depth\":{\"min\":1,\"max\":3},"
        "\"train.l2\":{\"min\":0,\"max\":1000},\"dropout\":{\"values\":[0,0.999]}",
        "\"train.preset\":{\"value\":\"guide_g3_2\"},\"batch_size\":{\"min\":1,\"max\":64}",
        "\"data.limit\":{\"values\":[100,200]},\"train.epsilon\":{\"min\":1e-9,\"max\":1},"
        "\"train.shuffle\":{\"value\":false}",
    };
    size_t found[EDIT_KIND_COUNT] = {0};
    for (uint64_t seed = 0; seed < NIGHTS; seed++)
        spend(SPACES[seed % ARRAY_LEN(SPACES)], seed, found);
    for (int k = 0; k < EDIT_KIND_COUNT; k++)
        if (found[k] == 0)
            fail_msg("no night spoke for %s", edit_name((enum edit_kind)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_night_can_be_carried_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
