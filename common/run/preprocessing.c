#include "sweep/preprocessing.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define VERSION 1
#define TARGETS_MAX ((size_t)1 << 20)

static const char *const missing_names[] = {
#define X(id, name) name,
    MISSING_MAP(X)
#undef X
};

size_t preprocessing_features(const struct shape *s)
{
    return s->rank == 2 ? s->dim[1] : s->dim[0];
}

size_t preprocessing_feature(const struct shape *s, size_t i)
{
    if (s->rank == 2)
        return i % s->dim[1];
    return s->rank == 3 ? i / (s->dim[1] * s->dim[2]) : i;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_floats(const char *key, const float *v, size_t count, struct json_writer *w)
{
    if (!v)
        return;
    jw_key(w, key);
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++)
        jw_real(w, (double)v[i]);
    jw_end_array(w);
}

static void write_doubles(const char *key, const double *v, size_t count, struct json_writer *w)
{
    if (!v)
        return;
    jw_key(w, key);
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++)
        jw_real(w, v[i]);
    jw_end_array(w);
}

void preprocessing_write(const struct preprocessing *p, const char *schema, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", VERSION);
    jw_kv_string(w, "task", p->regression ? "regression" : "classification");
    jw_kv_string(w, "input", p->bytes ? "bytes" : "numbers");
    jw_kv_string(w, "missing", missing_names[p->missing]);
    if (!p->regression && p->has_probabilities)
        jw_kv_string(w, "probabilities", p->sigmoid ? "sigmoid" : "softmax");
    write_floats("shift", p->shift, p->features, w);
    write_floats("factor", p->factor, p->features, w);
    write_floats("fill", p->fill, p->places, w);
    write_doubles("target_shift", p->target_shift, p->targets, w);
    write_doubles("target_unit", p->target_unit, p->targets, w);
    if (schema)
        jw_kv_raw(w, "schema", schema);
    jw_end_object(w);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool text_is(const struct json *root, const char *key, const char *text)
{
    const struct json *v = json_get(root, key);
    return v && json_type(v) == JSON_STRING && strcmp(json_string(v), text) == 0;
}

/* A list of so many numbers; none: *out stays NULL. */
static int read_doubles(const struct json *root, const char *key, size_t count, double **out)
{
    const struct json *list = json_get(root, key);
    if (!list)
        return 0;
    if (json_type(list) != JSON_ARRAY || json_count(list) != count || count == 0)
        return ERR_DATA;
    double *values = xmalloc(count * sizeof *values);
    size_t i = 0;
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (json_real(v, &values[i++]) != 0) {
            free(values);
            return ERR_DATA;
        }
    }
    *out = values;
    return 0;
}

static int read_floats(const struct json *root, const char *key, size_t count, float **out)
{
    double *values = NULL;
    int rc = read_doubles(root, key, count, &values);
    if (rc != 0 || !values)
        return rc;
    float *floats = xmalloc(count * sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = fabs(values[i]) <= (double)FLT_MAX || !isfinite(values[i]) ? (float)values[i]
                                                                             : INFINITY;
    free(values);
    *out = floats;
    return 0;
}

static int read_missing(const struct json *root, enum missing *out)
{
    for (size_t i = 0; i < ARRAY_LEN(missing_names); i++) {
        if (text_is(root, "missing", missing_names[i])) {
            *out = (enum missing)i;
            return 0;
        }
    }
    return ERR_DATA;
}

/* Units are divided by and multiplied with; a feature of scale Inf was constant. */
static int check_numbers(const struct preprocessing *p)
{
    if (!p->shift != !p->factor || !p->target_shift != !p->target_unit)
        return ERR_DATA;
    for (size_t i = 0; p->target_unit && i < p->targets; i++) {
        if (!isfinite(p->target_shift[i]) || !isfinite(p->target_unit[i]))
            return ERR_DATA;
    }
    for (size_t i = 0; p->fill && i < p->places; i++) {
        if (!isfinite(p->fill[i]))
            return ERR_DATA;
    }
    return 0;
}

static int read_numbers(const struct shape *input, struct preprocessing *p)
{
    const struct json *targets = json_get(p->root, "target_shift");
    p->features = preprocessing_features(input);
    p->places = shape_count(input);
    p->targets = targets && json_type(targets) == JSON_ARRAY ? json_count(targets) : 0;
    int rc = p->targets > TARGETS_MAX ? ERR_DATA : 0;
    if (rc == 0)
        rc = read_floats(p->root, "shift", p->features, &p->shift);
    if (rc == 0)
        rc = read_floats(p->root, "factor", p->features, &p->factor);
    if (rc == 0)
        rc = read_floats(p->root, "fill", p->places, &p->fill);
    if (rc == 0)
        rc = read_doubles(p->root, "target_shift", p->targets, &p->target_shift);
    if (rc == 0)
        rc = read_doubles(p->root, "target_unit", p->targets, &p->target_unit);
    return rc == 0 ? check_numbers(p) : rc;
}

int preprocessing_parse(const char *text, const struct shape *input, struct preprocessing *out,
                        struct errbuf *err)
{
    struct preprocessing p = {.root = json_parse(text, strlen(text), NULL)};
    int64_t version = 0;
    const struct json *v = json_get(p.root, "version");
    int rc = v && json_int64(v, &version) == 0 && version == VERSION ? 0 : ERR_DATA;
    if (rc == 0)
        rc = read_missing(p.root, &p.missing);
    p.regression = text_is(p.root, "task", "regression");
    p.bytes = text_is(p.root, "input", "bytes");
    p.sigmoid = text_is(p.root, "probabilities", "sigmoid");
    p.has_probabilities = json_get(p.root, "probabilities") != NULL;
    p.schema = json_get(p.root, "schema");
    if (rc == 0)
        rc = read_numbers(input, &p);
    if (rc != 0) {
        preprocessing_finish(&p);
        return err_set(err, ERR_DATA, version > VERSION
                                          ? "its preprocessing is of a later version"
                                          : "what it tells of its preprocessing is damaged");
    }
    *out = p;
    return 0;
}

void preprocessing_finish(struct preprocessing *p)
{
    free(p->shift);
    free(p->factor);
    free(p->fill);
    free(p->target_shift);
    free(p->target_unit);
    json_destroy(p->root);
    memset(p, 0, sizeof *p);
}
