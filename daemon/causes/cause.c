#include "daemon/causes/cause.h"

#include <string.h>

#include "daemon/causes/cause_features.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define SICK_AT_LEAST 0.3    /* weight that a sick run's cause has at least */
#define HEALTHY_AT_LEAST 0.5 /* and one of a run whose curves say nothing bad */

static const struct row {
    const char *name, *guide_ref, *says;
} rows[CAUSE_COUNT] = {
#define X(id, name, guide_ref, says) [CAUSE_##id] = {name, guide_ref, says},
    CAUSE_MAP(X)
#undef X
};

static cause_test *const tests[CAUSE_COUNT] = {
    [CAUSE_LEARNING_RATE_TOO_LARGE] = cause_learning_rate_too_large,
    [CAUSE_LEARNING_RATE_TOO_SMALL] = cause_learning_rate_too_small,
    [CAUSE_BATCH_TOO_SMALL] = cause_batch_too_small,
    [CAUSE_NOT_SHUFFLED] = cause_not_shuffled,
    [CAUSE_CAPACITY_TOO_SMALL] = cause_capacity_too_small,
    [CAUSE_TOO_DEEP] = cause_too_deep,
    [CAUSE_VANISHING_GRADIENT] = cause_vanishing_gradient,
    [CAUSE_EXPLODING_GRADIENT] = cause_exploding_gradient,
    [CAUSE_DEAD_UNITS] = cause_dead_units,
    [CAUSE_NAN_IN_INPUT] = cause_nan_in_input,
    [CAUSE_CLIPPING_BOUNDS] = cause_clipping_bounds,
    [CAUSE_DROPOUT_TOO_STRONG] = cause_dropout_too_strong,
    [CAUSE_VALIDATION_SET_TOO_SMALL] = cause_validation_set_too_small,
    [CAUSE_LABEL_NOISE] = cause_label_noise,
    [CAUSE_OVERCAPACITY] = cause_overcapacity,
    [CAUSE_CONSTANT_PREDICTION] = cause_constant_prediction,
    [CAUSE_UNKNOWN] = NULL, /* what is left */
};

const char *cause_name(enum cause_id c)
{
    REQUIRE((unsigned)c < CAUSE_COUNT);
    return rows[c].name;
}

int cause_find(const char *name)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        if (strcmp(name, rows[i].name) == 0)
            return (int)i;
    }
    return -1;
}

const char *cause_guide_ref(enum cause_id c)
{
    REQUIRE((unsigned)c < CAUSE_COUNT);
    return rows[c].guide_ref;
}

const char *cause_says(enum cause_id c)
{
    REQUIRE((unsigned)c < CAUSE_COUNT);
    return rows[c].says;
}

/* In order of weight; of equal ones the earlier row. */
static void insert(struct causes *out, const struct cause *c)
{
    size_t at = out->count;
    while (at > 0 && out->items[at - 1].weight < c->weight)
        at--;
    if (at == CAUSES_MAX)
        return;
    size_t last = out->count < CAUSES_MAX ? out->count++ : CAUSES_MAX - 1;
    memmove(out->items + at + 1, out->items + at, (last - at) * sizeof *c);
    out->items[at] = *c;
}

void causes_of(const struct cause_input *in, struct causes *out)
{
    struct cause_features x;
    *out = (struct causes){0};
    cause_features_init(&x, in);
    double least = x.sick ? SICK_AT_LEAST : HEALTHY_AT_LEAST;
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        struct cause c = {.id = (enum cause_id)i};
        if (!tests[i])
            continue;
        c.weight = tests[i](&x, c.evidence);
        if (c.weight >= least)
            insert(out, &c);
    }
    if (out->count > 0 || !x.sick)
        return;
    out->count = 1;
    out->items[0] = (struct cause){.id = CAUSE_UNKNOWN};
    str_copy(out->items[0].evidence, sizeof out->items[0].evidence, rows[CAUSE_UNKNOWN].says);
}

void causes_write(const struct causes *c, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < c->count; i++) {
        const struct cause *k = &c->items[i];
        jw_begin_object(w);
        jw_kv_string(w, "cause", cause_name(k->id));
        jw_kv_real(w, "weight", k->weight);
        jw_kv_string(w, "evidence", k->evidence);
        jw_kv_string(w, "guide_ref", cause_guide_ref(k->id));
        jw_end_object(w);
    }
    jw_end_array(w);
}
