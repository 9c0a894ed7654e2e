#include <math.h>

#include "sweep/diagnosis.h"
#include "sweep/json.h"

#define DIGITS 7 /* as many as a loss in single precision has */

/* NaN stands for "there is none" here; a measured value is always finite. */
static void real_or_null(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    if (isnan(v))
        jw_null(w);
    else
        jw_real_digits(w, v, DIGITS);
}

static void trend_write(struct json_writer *w, const char *key, const struct diagnosis_trend *t)
{
    static const char *const SIGNS[] = {"falls", "flat", "rises"};

    jw_key(w, key);
    jw_begin_object(w);
    jw_kv_int(w, "count", (int64_t)t->count);
    jw_kv_int(w, "window", (int64_t)t->window);
    jw_kv_string(w, "trend", t->window > 0 ? SIGNS[t->sign + 1] : NULL);
    real_or_null(w, "slope", t->slope);
    real_or_null(w, "slope_low", t->slope_low);
    real_or_null(w, "slope_high", t->slope_high);
    real_or_null(w, "change", t->change);
    real_or_null(w, "noise", t->noise);
    real_or_null(w, "wander", t->wander);
    real_or_null(w, "range", t->range);
    real_or_null(w, "level", t->level);
    real_or_null(w, "z", t->z);
    real_or_null(w, "best", t->best);
    real_or_null(w, "best_epoch", t->best_epoch);
    real_or_null(w, "end", t->end);
    jw_end_object(w);
}

void diagnosis_timeline_write(const struct diagnosis *d, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < d->regime_count; i++) {
        jw_begin_object(w);
        real_or_null(w, "from", d->regimes[i].from);
        real_or_null(w, "to", d->regimes[i].to);
        jw_kv_string(w, "pattern", pattern_name(d->regimes[i].pattern));
        jw_end_object(w);
    }
    jw_end_array(w);
}

void diagnosis_tags_write(const struct diagnosis *d, struct json_writer *w)
{
    jw_begin_array(w);
    for (unsigned i = 0; i < DIAGNOSIS_TAG_COUNT; i++)
        if (d->tags >> i & 1u)
            jw_string(w, diagnosis_tag_name(i));
    jw_end_array(w);
}

void diagnosis_evidence_write(const struct diagnosis *d, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", DIAGNOSIS_VERSION);
    jw_kv_string(w, "test", d->test);
    real_or_null(w, "agreement", d->agreement);
    trend_write(w, "train", &d->train);
    trend_write(w, "val", &d->val);
    real_or_null(w, "gap", d->gap);
    real_or_null(w, "constant_accuracy", d->accuracy);
    jw_key(w, "timeline");
    diagnosis_timeline_write(d, w);
    jw_key(w, "tags");
    diagnosis_tags_write(d, w);
    jw_kv_string(w, "sentence", d->sentence);
    jw_end_object(w);
}
