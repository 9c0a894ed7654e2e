#include "worker/variants.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/load.h"
#include "worker/setup.h"

#define INTEGERS_MAX 16    /* of a range that are tried one by one; else its ends */
#define PRODUCT_MAX 4096   /* runs that are checked in all combinations: about 20 ms */
#define PRODUCT_WITH_WEIGHTS_MAX 64 /* as each reads the file */

/* Settings by which a run may be refused. The others are checked when the spec is parsed. */
static const enum setting_id deciding[] = {
    SETTING_LIMIT,         SETTING_VALIDATION,   SETTING_MODEL_TYPE,  SETTING_DEPTH,
    SETTING_WIDTH,         SETTING_ACTIVATION,   SETTING_NORMALIZATION, SETTING_RESIDUAL,
    SETTING_DENSE_BEFORE,  SETTING_DENSE_AFTER,  SETTING_BIDIRECTIONAL, SETTING_DROPOUT,
    SETTING_CHANNELS,      SETTING_KERNEL,       SETTING_STRIDE,      SETTING_PADDING,
    SETTING_POOL_SIZE,
    SETTING_LOSS,          SETTING_CLASS_WEIGHTS, SETTING_OPTIMIZER,  SETTING_BATCH_SIZE,
    SETTING_FREEZE,        SETTING_PRESET,       SETTING_LABEL_SMOOTHING, SETTING_AVERAGE,
};

struct variants {
    const struct samples *samples;
    const struct split *split;
    const struct dimension *axes[ARRAY_LEN(deciding)];
    size_t count;
    const struct spec *sweep;
    struct run_config run; /* the one that is checked */
};

static bool is_listed(const struct dimension *d)
{
    uint64_t values = dimension_cardinality(d);
    return values > 0 && (d->distribution == DISTRIBUTION_CATEGORICAL || values <= INTEGERS_MAX);
}

static size_t axis_count(const struct dimension *d)
{
    return is_listed(d) ? (size_t)dimension_cardinality(d) : 2;
}

static double axis_value(const struct dimension *d, size_t i)
{
    if (is_listed(d))
        return dimension_nth(d, i);
    return i == 0 ? d->min : d->max;
}

/* " (in a run with depth 4, width 2)" */
static void tell_run(const struct variants *v, struct errbuf *err)
{
    char value[32];
    struct buf text = {0};
    if (!err || v->count == 0)
        return;
    buf_puts(&text, err->message);
    for (size_t i = 0; i < v->count; i++) {
        enum setting_id id = dimension_setting(v->axes[i]);
        setting_format(id, v->run.settings.v[id], value);
        buf_printf(&text, "%s %s %s", i == 0 ? " (in a run with" : ",", setting_label(id), value);
    }
    buf_puts(&text, ")");
    str_copy(err->message, sizeof err->message, text.data);
    buf_finish(&text);
}

/* After setup_check nothing but the file is left to be refused. */
static int check_weights(const struct variants *v, struct errbuf *err)
{
    struct setup setup;
    struct errbuf e;
    int rc = setup_open(&setup, &v->run, v->samples, v->split, &e);
    if (rc == 0) {
        setup_close(&setup);
        return 0;
    }
    err_set(err, rc, "$.start_from: %s", e.message);
    if (err)
        str_copy(err->key, sizeof err->key, "$.start_from");
    return rc;
}

/* What no run of the sweep has is not checked: what the constraints leave out. What is absent has
 * its default. The values of what decides nothing are those of the middle. */
static bool is_run(struct variants *v, struct settings *given)
{
    struct assignment at;
    *given = v->run.settings;
    if (!v->sweep)
        return true;
    const struct space *s = &v->sweep->space;
    trainer_assignment(v->sweep, given, &at);
    for (size_t i = 0; i < s->count; i++)
        if (!space_has(&at, i))
            v->run.settings.v[s->dimensions[i].key] =
                v->sweep->trainer.fixed.v[s->dimensions[i].key];
    return space_allows(s, &at);
}

static int check_settings(const struct variants *v, struct errbuf *err)
{
    int rc = load_check_counts(&v->run.settings, v->samples, err);
    if (rc == 0)
        rc = setup_check(&v->run, v->samples, NULL, err);
    if (rc == 0 && v->run.start_weights[0])
        rc = check_weights(v, err);
    if (rc != 0)
        tell_run(v, err);
    return rc;
}

static int check_run(struct variants *v, struct errbuf *err)
{
    struct settings given;
    int rc = is_run(v, &given) ? check_settings(v, err) : 0;
    v->run.settings = given;
    return rc;
}

/* The i-th value of each axis; axes with fewer have their last. */
static int check_corner(struct variants *v, size_t i, struct errbuf *err)
{
    struct settings middle = v->run.settings;
    for (size_t k = 0; k < v->count; k++) {
        const struct dimension *d = v->axes[k];
        size_t last = axis_count(d) - 1;
        v->run.settings.v[dimension_setting(d)] = axis_value(d, i < last ? i : last);
    }
    int rc = check_run(v, err);
    v->run.settings = middle;
    return rc;
}

/* Each value by itself, the others in the middle. */
static int check_singles(struct variants *v, struct errbuf *err)
{
    int rc = 0;
    for (size_t k = 0; k < v->count && rc == 0; k++) {
        const struct dimension *d = v->axes[k];
        double middle = v->run.settings.v[dimension_setting(d)];
        for (size_t i = 0; i < axis_count(d) && rc == 0; i++) {
            v->run.settings.v[dimension_setting(d)] = axis_value(d, i);
            rc = check_run(v, err);
        }
        v->run.settings.v[dimension_setting(d)] = middle;
    }
    return rc;
}

/* Run number n of the product; the last axis runs fastest. */
static void choose(struct variants *v, size_t n)
{
    for (size_t k = v->count; k-- > 0;) {
        const struct dimension *d = v->axes[k];
        size_t count = axis_count(d);
        v->run.settings.v[dimension_setting(d)] = axis_value(d, n % count);
        n /= count;
    }
}

static int check_sweep(struct variants *v, struct errbuf *err)
{
    size_t most = v->run.start_weights[0] ? PRODUCT_WITH_WEIGHTS_MAX : PRODUCT_MAX, product = 1;
    for (size_t k = 0; k < v->count && product <= most; k++)
        product *= axis_count(v->axes[k]);
    int rc = 0;
    if (product > most) {
        rc = check_corner(v, 0, err);
        if (rc == 0)
            rc = check_corner(v, SIZE_MAX, err);
        return rc != 0 ? rc : check_singles(v, err);
    }
    for (size_t n = 0; n < product && rc == 0; n++) {
        choose(v, n);
        rc = check_run(v, err);
    }
    return rc;
}

int variants_check(const struct run_config *config, const struct spec *sweep,
                   const struct samples *samples, const struct split *split, struct errbuf *err)
{
    struct variants *v = xcalloc(1, sizeof *v);
    v->samples = samples;
    v->split = split;
    v->run = *config;
    int rc = check_run(v, err);
    v->sweep = sweep;
    if (sweep) /* a configuration has a list only when its own type is sequential */
        v->run.layers = sweep->trainer.layers;
    for (size_t i = 0; sweep && i < ARRAY_LEN(deciding); i++) {
        const struct dimension *d = spec_dimension(sweep, deciding[i]);
        if (d)
            v->axes[v->count++] = d;
    }
    if (rc == 0 && v->count > 0)
        rc = check_sweep(v, err);
    free(v);
    return rc;
}
