/* A specification as canonical JSON: every default filled in, settings in the table's order. */
#include "sweep/spec.h"

#include "common/run/objective.h"
#include "common/spec/part.h"
#include "sweep/json.h"

static void write_listed(const struct dimension *d, struct json_writer *w)
{
    jw_key(w, "values");
    jw_begin_array(w);
    for (size_t i = 0; i < d->value_count; i++)
        dimension_to_json(d, d->values[i], w);
    jw_end_array(w);
    if (!d->probabilities)
        return;
    jw_key(w, "probabilities");
    jw_begin_array(w);
    for (size_t i = 0; i < d->value_count; i++)
        jw_real(w, d->probabilities[i]);
    jw_end_array(w);
}

static void write_range(const struct dimension *d, struct json_writer *w)
{
    jw_key(w, "min");
    dimension_to_json(d, d->min, w);
    jw_key(w, "max");
    dimension_to_json(d, d->max, w);
    jw_kv_string(w, "distribution", distribution_name(d->distribution));
    if (distribution_shape(d->distribution) == SHAPE_NORMAL) {
        jw_kv_real(w, "mu", d->mu);
        jw_kv_real(w, "sigma", d->sigma);
    }
    if (distribution_shape(d->distribution) == SHAPE_BETA) {
        jw_kv_real(w, "a", d->a);
        jw_kv_real(w, "b", d->b);
    }
    if (d->q > 0)
        jw_kv_real(w, "q", d->q);
}

void spec_parameters_write(const struct spec *s, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *d = &s->space.dimensions[i];
        jw_key(w, d->name);
        jw_begin_object(w);
        if (d->distribution == DISTRIBUTION_CATEGORICAL)
            write_listed(d, w);
        else
            write_range(d, w);
        if (d->role != role_of_name(d->name))
            jw_kv_string(w, "role", role_name(d->role));
        spec_condition_write(s, d, w);
        jw_end_object(w);
    }
    jw_end_object(w);
}

void spec_write(const struct spec *s, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "name", s->name);
    jw_kv_string(w, "method", method_name(s->method));
    spec_auto_write(s, w);
    jw_key(w, "metric");
    objective_write(spec_metric_name(s), s->maximize, w);
    spec_objectives_write(s, w);
    task_of(s)->write(s, w);
    jw_key(w, "parameters");
    spec_parameters_write(s, w);
    spec_constraints_write(s, w);
    jw_kv_int(w, "epochs", s->epochs);
    jw_kv_int(w, "run_cap", s->run_cap);
    jw_key(w, "seed");
    jw_uint(w, s->seed);
    if (s->trainer.split_told && s->trainer.split_seed != s->seed) {
        jw_key(w, "split_seed");
        jw_uint(w, s->trainer.split_seed);
    }
    jw_kv_int(w, "priority", s->priority);
    if (s->after)
        jw_kv_int(w, "after", s->after);
    if (s->trainer.start_from)
        jw_kv_int(w, "start_from", s->trainer.start_from);
    spec_treat_write(s, w);
    spec_repeat_write(s, w);
    spec_gain_write(s, w);
    spec_deadline_write(s, w);
    spec_warm_write(s, w);
    spec_lag_write(s, w);
    spec_perturb_write(s, w);
    spec_rounds_write(s, w);
    spec_stop_write(s, w);
    spec_limits_write(s, w);
    spec_resources_write(s, w);
    spec_place_write(s, w);
    jw_end_object(w);
}
