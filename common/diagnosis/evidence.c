#include <math.h>

#include "sweep/diagnosis.h"
#include "sweep/json.h"

/* NaN stands for "there is none" here; a measured value is always finite. */
static void real_or_null(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    if (isnan(v))
        jw_null(w);
    else
        jw_real(w, v);
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
    real_or_null(w, "change", t->change);
    real_or_null(w, "noise", t->noise);
    real_or_null(w, "range", t->range);
    real_or_null(w, "level", t->level);
    real_or_null(w, "z", t->z);
    real_or_null(w, "best", t->best);
    real_or_null(w, "best_epoch", t->best_epoch);
    real_or_null(w, "end", t->end);
    jw_end_object(w);
}

void diagnosis_evidence_write(const struct diagnosis *d, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", DIAGNOSIS_VERSION);
    jw_kv_string(w, "test", d->test);
    trend_write(w, "train", &d->train);
    trend_write(w, "val", &d->val);
    real_or_null(w, "gap", d->gap);
    jw_key(w, "tags");
    jw_begin_array(w);
    for (unsigned i = 0; i < DIAGNOSIS_TAG_COUNT; i++)
        if (d->tags >> i & 1u)
            jw_string(w, diagnosis_tag_name(i));
    jw_end_array(w);
    jw_kv_string(w, "sentence", d->sentence);
    jw_end_object(w);
}
