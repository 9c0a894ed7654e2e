/* A specification as canonical JSON: every default filled in, settings in the table's order. */
#include "sweep/spec.h"

#include <string.h>

#include "common/spec/part.h"
#include "sweep/json.h"

static void write_listed(const struct dimension *d, struct json_writer *w)
{
    jw_key(w, "values");
    jw_begin_array(w);
    for (size_t i = 0; i < d->value_count; i++)
        setting_to_json(d->setting, d->values[i], w);
    jw_end_array(w);
}

static void write_range(const struct dimension *d, struct json_writer *w)
{
    jw_key(w, "min");
    setting_to_json(d->setting, d->min, w);
    jw_key(w, "max");
    setting_to_json(d->setting, d->max, w);
    jw_kv_string(w, "distribution", distribution_name(d->distribution));
    if (d->q > 0)
        jw_kv_real(w, "q", d->q);
}

void spec_parameters_write(const struct spec *s, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->dimension_count; i++) {
        const struct dimension *d = &s->dimensions[i];
        jw_key(w, d->name);
        jw_begin_object(w);
        if (d->distribution == DISTRIBUTION_CATEGORICAL)
            write_listed(d, w);
        else
            write_range(d, w);
        jw_end_object(w);
    }
    jw_end_object(w);
}

static void write_seed(uint64_t seed, struct json_writer *w)
{
    if (seed <= (uint64_t)JSON_MAX_SAFE_INTEGER)
        jw_int(w, (int64_t)seed);
    else
        jw_uint_string(w, seed);
}

static void write_section(const struct spec *s, const char *section, const bool *skip,
                          struct json_writer *w)
{
    jw_key(w, section);
    jw_begin_object(w);
    settings_write_except(&s->fixed, section, skip, w);
    if (s->layers.count > 0 && strcmp(section, "model") == 0) {
        jw_key(w, "layers");
        layer_list_write(&s->layers, w);
    }
    jw_end_object(w);
}

/* Swept settings are written as parameters; a depth that no layer repeats may not be given. */
static void settings_left_out(const struct spec *s, bool skip[SETTING_COUNT])
{
    double low, high;

    for (int i = 0; i < SETTING_COUNT; i++)
        skip[i] = spec_dimension(s, (enum setting_id)i) != NULL;
    spec_setting_range(s, SETTING_MODEL_TYPE, &low, &high);
    if (low == MODEL_SEQUENTIAL && !layer_list_uses(&s->layers, SETTING_DEPTH))
        skip[SETTING_DEPTH] = true;
}

void spec_write(const struct spec *s, struct json_writer *w)
{
    bool skip[SETTING_COUNT];

    settings_left_out(s, skip);
    jw_begin_object(w);
    jw_kv_string(w, "name", s->name);
    jw_kv_string(w, "method", method_name(s->method));
    jw_key(w, "metric");
    spec_metric_write(s->metric, s->maximize, w);
    jw_key(w, "data");
    spec_data_write_except(&s->data, &s->fixed, skip, w);
    write_section(s, "model", skip, w);
    write_section(s, "train", skip, w);
    jw_key(w, "parameters");
    spec_parameters_write(s, w);
    jw_kv_int(w, "epochs", s->epochs);
    jw_kv_int(w, "run_cap", s->run_cap);
    jw_key(w, "seed");
    write_seed(s->seed, w);
    jw_kv_int(w, "priority", s->priority);
    if (s->after)
        jw_kv_int(w, "after", s->after);
    if (s->start_from)
        jw_kv_int(w, "start_from", s->start_from);
    spec_treat_write(s, w);
    jw_end_object(w);
}
