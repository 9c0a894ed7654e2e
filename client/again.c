#include "client/again.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/render.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/spec.h"

/* --- what the run has of its own -------------------------------------------------------------- */

/* What a remedy changed, too: the settings of the row are all that it trained with. */
static int take_settings(const struct json *settings, struct trainer_task *t, struct errbuf *err)
{
    const struct json *layers = json_get(json_get(settings, "model"), "layers");
    int rc = settings_from_json(&t->fixed, settings, NULL, err);
    if (rc == 0 && layers != NULL)
        rc = layer_list_parse(layers, "$.model.layers", &t->layers, err);
    if (rc == 0)
        t->start_from = member_int(settings, "start_from", t->start_from);
    return rc;
}

static void take_value(struct dimension *d, double value)
{
    free(d->probabilities);
    d->probabilities = NULL;
    d->values = xrealloc(d->values, sizeof *d->values);
    d->values[0] = value;
    d->value_count = 1;
    d->distribution = DISTRIBUTION_CATEGORICAL;
    d->q = 0;
}

/* A parameter whose condition did not hold had no value: it is left out. Conditions and constraints
 * have nothing to say of one configuration. */
static void keep_dimensions(struct space *s, const double *values)
{
    size_t kept = 0;
    space_loosen(s);
    for (size_t i = 0; i < s->count; i++) {
        if (isnan(values[i])) {
            dimension_finish(&s->dimensions[i]);
            continue;
        }
        take_value(&s->dimensions[i], values[i]);
        s->dimensions[kept++] = s->dimensions[i];
    }
    s->count = kept;
}

static int take_values(const struct json *run, struct spec *s, struct errbuf *err)
{
    const struct json *params = json_get(run, "params");
    double values[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *d = &s->space.dimensions[i];
        const struct json *v = json_get(params, d->name);
        char path[SPACE_NAME_MAX + sizeof "$.parameters."];
        snprintf(path, sizeof path, "$.parameters.%s", d->name);
        values[i] = NAN;
        int rc = 0;
        if (v == NULL || json_type(v) == JSON_NULL)
            continue;
        if (s->task == TASK_TRAINER)
            values[i] = s->trainer.fixed.v[d->key];
        else
            rc = dimension_from_json(d, v, path, &values[i], err);
        if (rc != 0)
            return rc;
    }
    keep_dimensions(&s->space, values);
    return 0;
}

/* One run, that no rule ends and to which nothing is added. */
static void alone(struct spec *s)
{
    s->method = METHOD_GRID;
    s->run_cap = 1;
    s->priority = s->after = s->lag = 0;
    s->treat = s->carry_on = s->repeat = false;
    s->treat_share = s->repeat_share = 0;
    s->without = 0;
    s->least_gain = 0;
    s->max_hours = 0;
    s->has_until = false;
    s->warm_count = 0;
    s->picked[0] = '\0';
    s->stop = (struct stop_settings){.rule = STOP_NONE};
}

static int take_run(const struct json *run, struct spec *s, struct errbuf *err)
{
    struct trainer_task *t = &s->trainer;
    uint64_t sweep_seed = s->seed;
    char name[sizeof s->name];
    int rc = json_get_uint64(run, "seed", &s->seed, err);
    if (rc != 0)
        return rc;
    if (s->task == TASK_TRAINER) {
        rc = take_settings(json_get(run, "settings"), t, err);
        t->split_seed = t->split_told ? t->split_seed : sweep_seed;
        t->split_told = true;
    }
    if (s->task == TASK_COMMAND)
        command_manner_forget(&((struct command_task *)s->own)->manner);
    if (rc == 0)
        rc = take_values(run, s, err);
    alone(s);
    s->epochs = member_int(run, "epochs", s->epochs);
    snprintf(name, sizeof name, "run %lld of ", (long long)member_int(run, "id", 0));
    str_copy(name + strlen(name), sizeof name - strlen(name), s->name);
    str_copy(s->name, sizeof s->name, name);
    return rc;
}

/* --- the text --------------------------------------------------------------------------------- */

static void print_members(const struct json *spec, struct buf *out)
{
    const char *before = "{\n  ";
    for (const struct json *v = json_first(spec); v != NULL; v = json_next(v)) {
        struct json_writer w;
        buf_puts(out, before);
        jw_init(&w, out);
        jw_string(&w, json_key(v));
        buf_puts(out, ": ");
        jw_init(&w, out);
        jw_value(&w, v);
        before = ",\n  ";
    }
    buf_puts(out, "\n}\n");
}

/* What is printed was read once as `submit` will read it. */
static int write_checked(const struct spec *s, struct buf *out, struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;
    struct spec *read = xcalloc(1, sizeof *read);
    jw_init(&w, &text);
    spec_write(s, &w);
    struct json *root = json_parse(text.data, text.len, err);
    int rc = root != NULL ? spec_parse(root, read, err) : ERR_PARSE;
    if (rc == 0) {
        print_members(root, out);
        spec_finish(read);
    }
    free(read);
    json_destroy(root);
    buf_finish(&text);
    return rc;
}

int again_write(const struct json *spec, const struct json *run, struct buf *out,
                struct errbuf *err)
{
    struct spec *s = xcalloc(1, sizeof *s);
    int rc = spec == NULL || run == NULL
                 ? err_set(err, ERR_PARSE, "the daemon's reply has no specification or no run")
                 : spec_parse(spec, s, err);
    if (rc == 0) {
        rc = take_run(run, s, err);
        if (rc == 0)
            rc = write_checked(s, out, err);
        spec_finish(s);
    }
    free(s);
    return rc;
}
