#include "sweep/record.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/shape.h"

/* Room that one finding, one source and the rest of a prepared line may take: every byte of the
 * strings as \u00XX, and the numbers. */
#define FINDING_LINE_MAX 2200
#define SOURCE_LINE_MAX 6400
#define PREPARED_LINE_MAX 8192

_Static_assert(RECORD_FINDINGS_MAX *FINDING_LINE_MAX + RECORD_SOURCES_MAX * SOURCE_LINE_MAX +
                       PREPARED_LINE_MAX <
                   RECORD_LINE_MAX,
               "a line holds all findings and sources, whatever bytes their texts are made of");

/* --- writing ------------------------------------------------------------------------------ */

static void write_start(const struct record *r, struct json_writer *w)
{
    const struct record_start *s = &r->u.start;

    jw_kv_int(w, "version", RECORD_VERSION);
    jw_kv_int(w, "pid", s->pid);
    jw_kv_string(w, "core", s->core);
    jw_kv_string(w, "blas", s->blas);
    jw_kv_int(w, "parameters", s->parameters);
    jw_kv_int(w, "flop", s->flop);
    jw_kv_int(w, "resumed_point", s->resumed_point);
}

static void write_point(const struct record *r, struct json_writer *w)
{
    point_write(&r->u.point, w);
    if (!r->metrics)
        return;
    jw_key(w, "metrics");
    metrics_write(r->metrics, w);
}

static void write_result(const struct record *r, struct json_writer *w)
{
    const struct record_result *s = &r->u.result;

    jw_kv_string(w, "status", run_status_name(s->status));
    jw_kv_string(w, "error", run_error_name(s->error));
    jw_kv_string(w, "text", s->text);
    if (s->status == RUN_PAUSED)
        jw_kv_int(w, "epoch", s->epoch);
    jw_kv_real(w, "seconds", s->seconds);
    if (s->has_test)
        jw_kv_real(w, "test_loss", s->test_loss);
    if (s->has_test && s->has_test_acc)
        jw_kv_real(w, "test_acc", s->test_acc);
}

static void write_finding(const struct record_finding *f, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "kind", f->kind);
    jw_kv_int(w, "row", f->row);
    jw_kv_int(w, "column", f->column);
    jw_kv_int(w, "count", f->count);
    jw_kv_string(w, "text", f->text);
    jw_end_object(w);
}

static void write_source(const struct record_source *s, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "path", s->path);
    jw_kv_int(w, "size_bytes", s->size_bytes);
    /* A decimal string, for nanoseconds since 1970 are past 2^53; older files count as of 1970. */
    jw_key(w, "mtime_ns");
    jw_uint_string(w, s->mtime_ns > 0 ? (uint64_t)s->mtime_ns : 0);
    jw_end_object(w);
}

static void write_prepared(const struct record *r, struct json_writer *w)
{
    const struct record_prepared *p = r->u.prepared;

    jw_kv_string(w, "hash", p->hash);
    jw_kv_string(w, "cache", p->cache);
    jw_kv_int(w, "samples", p->samples);
    jw_kv_int(w, "features", p->features);
    jw_kv_int(w, "classes", p->classes);
    jw_kv_int(w, "validation_samples", p->validation_samples);
    jw_kv_int(w, "test_samples", p->test_samples);
    jw_key(w, "shape");
    jw_begin_array(w);
    for (int64_t i = 0; i < p->rank && i < SHAPE_RANK_MAX; i++)
        jw_int(w, p->dim[i]);
    jw_end_array(w);
    jw_kv_int(w, "outputs", p->outputs);
    jw_kv_int(w, "flop", p->flop);
    jw_key(w, "sources");
    jw_begin_array(w);
    for (size_t i = 0; i < p->source_count; i++)
        write_source(&p->sources[i], w);
    jw_end_array(w);
    jw_key(w, "findings");
    jw_begin_array(w);
    for (size_t i = 0; i < p->finding_count; i++)
        write_finding(&p->findings[i], w);
    jw_end_array(w);
}

static void write_error(const struct record *r, struct json_writer *w)
{
    const struct errbuf *e = &r->u.error;

    jw_kv_string(w, "error", err_name(e->code));
    jw_kv_string(w, "key", e->key);
    jw_kv_string(w, "value", e->value);
    jw_kv_string(w, "allowed", e->allowed);
    jw_kv_string(w, "message", e->message);
}

static void write_layer(const struct layer_stat *l, struct json_writer *w)
{
    jw_begin_array(w);
    jw_string(w, l->name);
#define X(member, doc)                                                                  \
    if (isnan(l->member) && !(l->not_a_number >> LAYER_STAT_##member & 1))              \
        jw_null(w);                                                                     \
    else                                                                                \
        jw_real(w, l->member);
    LAYER_STAT_MAP(X)
#undef X
    jw_end_array(w);
}

static void write_layers(const struct record *r, struct json_writer *w)
{
    const struct layer_stats *s = r->u.layers;

    jw_kv_int(w, "point", s->point);
    jw_key(w, "layers");
    jw_begin_array(w);
    for (size_t i = 0; i < s->count; i++)
        write_layer(&s->layers[i], w);
    jw_end_array(w);
}

/* --- reading: the line comes from a file that any program may have written ------------------ */

/* Free text: cut where too long. Absent: "". */
static int get_text(const struct json *v, const char *key, char *out, size_t size,
                    struct errbuf *err)
{
    const char *s = "";
    int rc = json_get(v, key) ? json_get_string(v, key, &s, err) : 0;

    if (!rc)
        str_copy(out, size, s);
    return rc;
}

/* A name or path: whole or refused. */
static int get_exact(const struct json *v, const char *key, char *out, size_t size,
                     struct errbuf *err)
{
    const char *s;
    int rc = json_get_string(v, key, &s, err);

    if (rc)
        return rc;
    if (!*s || strlen(s) >= size)
        return field_refuse(err, ERR_VALUE, key, json_get(v, key), "1 to %zu bytes", size - 1);
    str_copy(out, size, s);
    return 0;
}

static int get_count(const struct json *v, const char *key, int64_t *out, struct errbuf *err)
{
    int64_t n;
    int rc = json_get_int64(v, key, &n, err);

    if (rc)
        return rc;
    if (n < 0)
        return field_refuse(err, ERR_VALUE, key, json_get(v, key), "0 or more");
    *out = n;
    return 0;
}

/* A member that younger writers add; without it *out stays as it is. */
static int get_optional(const struct json *v, const char *key, int64_t *out, struct errbuf *err)
{
    return json_get(v, key) ? get_count(v, key, out, err) : 0;
}

static int parse_start(const struct json *v, struct record *r, struct errbuf *err)
{
    struct record_start *s = &r->u.start;
    int64_t version;
    int rc = json_get_int64(v, "version", &version, err);

    if (!rc && version != RECORD_VERSION)
        rc = field_refuse(err, ERR_VALUE, "version", json_get(v, "version"), "%d", RECORD_VERSION);
    if (!rc)
        rc = get_count(v, "pid", &s->pid, err);
    if (!rc)
        rc = get_text(v, "core", s->core, sizeof(s->core), err);
    if (!rc)
        rc = get_text(v, "blas", s->blas, sizeof(s->blas), err);
    if (!rc)
        rc = get_count(v, "parameters", &s->parameters, err);
    if (!rc)
        rc = get_optional(v, "flop", &s->flop, err);
    return rc ? rc : get_optional(v, "resumed_point", &s->resumed_point, err);
}

static int parse_point(const struct json *v, struct record *r, struct errbuf *err)
{
    const struct json *metrics = json_get(v, "metrics");
    int rc = point_parse(v, &r->u.point, err);

    return rc || !metrics ? rc : metrics_parse(metrics, &r->u.point, &r->metrics, err);
}

static int parse_result_status(const struct json *v, enum run_status *out, struct errbuf *err)
{
    const char *name;
    int rc = json_get_string(v, "status", &name, err);

    if (rc)
        return rc;
    int status = run_status_find(name);
    if (status != RUN_COMPLETED && status != RUN_STOPPED && status != RUN_FAILED &&
        status != RUN_PAUSED)
        return field_refuse(err, ERR_VALUE, "status", json_get(v, "status"),
                            "completed, stopped, failed or paused");
    *out = (enum run_status)status;
    return 0;
}

/* Epochs are counted from 1, and one at least lies behind a rung. */
static int parse_rung(const struct json *v, struct record_result *s, struct errbuf *err)
{
    int rc = s->status == RUN_PAUSED ? get_count(v, "epoch", &s->epoch, err) : 0;

    if (!rc && s->status == RUN_PAUSED && s->epoch == 0)
        rc = field_refuse(err, ERR_VALUE, "epoch", json_get(v, "epoch"), "1 or more");
    return rc;
}

static int parse_test(const struct json *v, struct record_result *s, struct errbuf *err)
{
    s->has_test = json_get(v, "test_loss") != NULL;
    s->has_test_acc = s->has_test && json_get(v, "test_acc");
    int rc = s->has_test ? json_get_real(v, "test_loss", &s->test_loss, err) : 0;

    return rc || !s->has_test_acc ? rc : json_get_real(v, "test_acc", &s->test_acc, err);
}

static int parse_result(const struct json *v, struct record *r, struct errbuf *err)
{
    struct record_result *s = &r->u.result;
    const char *error = "";
    int rc = parse_result_status(v, &s->status, err);

    if (!rc && json_get(v, "error"))
        rc = json_get_string(v, "error", &error, err);
    if (rc)
        return rc;
    int found = run_error_find(error);
    bool failed = s->status == RUN_FAILED;
    if (found < 0 || (found != RUN_ERROR_NONE) != failed)
        return field_refuse(err, ERR_VALUE, "error", json_get(v, "error"), "%s",
                            failed ? "the error class of a failed run" : "\"\" unless failed");
    s->error = (enum run_error)found;
    rc = get_text(v, "text", s->text, sizeof(s->text), err);
    if (!rc)
        rc = parse_rung(v, s, err);
    if (!rc)
        rc = json_get_real(v, "seconds", &s->seconds, err);
    if (!rc && !(isfinite(s->seconds) && s->seconds >= 0))
        rc = field_refuse(err, ERR_VALUE, "seconds", json_get(v, "seconds"),
                          "a finite number, 0 or more");
    return rc ? rc : parse_test(v, s, err);
}

static int parse_source(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    struct record_source *s = &p->sources[p->source_count];
    uint64_t mtime_ns = 0;
    int rc = get_exact(v, "path", s->path, sizeof(s->path), err);

    if (!rc)
        rc = get_count(v, "size_bytes", &s->size_bytes, err);
    if (!rc)
        rc = json_get_uint64(v, "mtime_ns", &mtime_ns, err);
    if (!rc && mtime_ns > INT64_MAX)
        rc = field_refuse(err, ERR_VALUE, "mtime_ns", json_get(v, "mtime_ns"), "up to 2^63-1");
    if (rc)
        return rc;
    s->mtime_ns = (int64_t)mtime_ns;
    p->source_count++;
    return 0;
}

static int parse_finding(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    struct record_finding *f = &p->findings[p->finding_count];
    int rc = get_exact(v, "kind", f->kind, sizeof(f->kind), err);

    if (!rc)
        rc = get_count(v, "row", &f->row, err);
    if (!rc)
        rc = get_count(v, "column", &f->column, err);
    if (!rc)
        rc = get_count(v, "count", &f->count, err);
    if (!rc)
        rc = get_text(v, "text", f->text, sizeof(f->text), err);
    if (rc)
        return rc;
    p->finding_count++;
    return 0;
}

/* Calls parse for each element of the list v[key], of at most max. */
static int parse_list(const struct json *v, const char *key, size_t max,
                      int (*parse)(const struct json *, struct record_prepared *, struct errbuf *),
                      struct record_prepared *p, struct errbuf *err)
{
    const struct json *list = json_get(v, key);

    if (!list)
        return err_bad(err, ERR_MISSING, key, "nothing", "a list");
    if (json_type(list) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, key, list, "a list");
    if (json_count(list) > max)
        return field_refuse(err, ERR_LIMIT, key, list, "at most %zu elements", max);
    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        if (json_type(m) != JSON_OBJECT)
            return field_refuse(err, ERR_TYPE, key, m, "a list of objects");
        int rc = parse(m, p, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int parse_hash(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    int rc = get_exact(v, "hash", p->hash, sizeof(p->hash), err);

    if (!rc && p->hash[strspn(p->hash, "0123456789abcdef")])
        rc =
            field_refuse(err, ERR_VALUE, "hash", json_get(v, "hash"), "hexadecimal digits 0-9 a-f");
    return rc;
}

/* "shape": up to three dimensions whose product are the features; absent: one dimension. */
static int parse_shape(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    const struct json *list = json_get(v, "shape");
    int64_t product = 1;

    p->rank = 1;
    p->dim[0] = p->features;
    if (!list)
        return 0;
    if (json_type(list) != JSON_ARRAY || !json_count(list) || json_count(list) > SHAPE_RANK_MAX)
        return field_refuse(err, ERR_VALUE, "shape", list, "a list of 1 to 3 numbers");
    p->rank = 0;
    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        int64_t *dim = &p->dim[p->rank++];
        int rc = field_integer(m, "shape", 1, INT32_MAX, dim, err);
        if (rc)
            return rc;
        if (__builtin_mul_overflow(product, *dim, &product))
            return field_refuse(err, ERR_VALUE, "shape", list, "a product below 2^63");
    }
    if (product != p->features)
        return field_refuse(err, ERR_VALUE, "shape", list, "as many numbers as \"features\"");
    return 0;
}

/* What came with a later version of the line. */
static int parse_parts(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    p->outputs = 1;
    int rc = get_optional(v, "validation_samples", &p->validation_samples, err);

    if (!rc)
        rc = get_optional(v, "test_samples", &p->test_samples, err);
    if (!rc)
        rc = get_optional(v, "outputs", &p->outputs, err);
    if (!rc)
        rc = get_optional(v, "flop", &p->flop, err);
    return rc ? rc : parse_shape(v, p, err);
}

static int parse_prepared(const struct json *v, struct record *r, struct errbuf *err)
{
    struct record_prepared *p = xcalloc(1, sizeof(*p));
    int rc = parse_hash(v, p, err);

    if (!rc)
        rc = get_exact(v, "cache", p->cache, sizeof(p->cache), err);
    if (!rc)
        rc = get_count(v, "samples", &p->samples, err);
    if (!rc)
        rc = get_count(v, "features", &p->features, err);
    if (!rc)
        rc = get_count(v, "classes", &p->classes, err);
    if (!rc)
        rc = parse_parts(v, p, err);
    if (!rc)
        rc = parse_list(v, "sources", RECORD_SOURCES_MAX, parse_source, p, err);
    if (!rc)
        rc = parse_list(v, "findings", RECORD_FINDINGS_MAX, parse_finding, p, err);
    if (rc) {
        free(p);
        return rc;
    }
    r->u.prepared = p;
    return 0;
}

/* ["3", grad_norm, weight_norm, update_ratio, dead, saturated]; null: not measured */
static int parse_layer(const struct json *v, struct layer_stat *out, struct errbuf *err)
{
    const struct json *m = json_type(v) == JSON_ARRAY ? json_first(v) : NULL;

    if (!m || json_type(m) != JSON_STRING || strlen(json_string(m)) >= sizeof(out->name))
        return field_refuse(err, ERR_VALUE, "layers", v, "lists that begin with a layer's name");
    str_copy(out->name, sizeof(out->name), json_string(m));
#define X(member, doc)                                                                  \
    m = json_next(m);                                                                   \
    out->member = NAN;                                                                  \
    if (!m || (json_type(m) != JSON_NULL && json_real(m, &out->member) < 0))            \
        return field_refuse(err, ERR_VALUE, "layers", v, "a number or null as " #member); \
    out->not_a_number |= (unsigned)(json_type(m) != JSON_NULL && isnan(out->member))    \
                         << LAYER_STAT_##member;
    LAYER_STAT_MAP(X)
#undef X
    return 0;
}

static int parse_layers(const struct json *v, struct record *r, struct errbuf *err)
{
    const struct json *list = json_get(v, "layers");
    int64_t point;
    int rc = json_get_int64(v, "point", &point, err);

    if (!rc && point < 1)
        rc = field_refuse(err, ERR_VALUE, "point", json_get(v, "point"), "1 or more");
    if (!rc && (!list || json_type(list) != JSON_ARRAY || json_count(list) > LAYER_STATS_MAX))
        rc = field_refuse(err, ERR_VALUE, "layers", list, "a list of at most %d layers",
                          LAYER_STATS_MAX);
    if (rc)
        return rc;
    struct layer_stats *s = xcalloc(1, sizeof(*s));
    s->point = point;
    for (const struct json *m = json_first(list); m && !rc; m = json_next(m))
        rc = parse_layer(m, &s->layers[s->count++], err);
    if (rc) {
        free(s);
        return rc;
    }
    r->u.layers = s;
    return 0;
}

static int parse_error(const struct json *v, struct record *r, struct errbuf *err)
{
    struct errbuf *e = &r->u.error;
    const char *name;
    int rc = json_get_string(v, "error", &name, err);

    if (rc)
        return rc;
    e->code = err_from_name(name);
    rc = get_exact(v, "message", e->message, sizeof(e->message), err);
    if (!rc)
        rc = get_text(v, "key", e->key, sizeof(e->key), err);
    if (!rc)
        rc = get_text(v, "value", e->value, sizeof(e->value), err);
    return rc ? rc : get_text(v, "allowed", e->allowed, sizeof(e->allowed), err);
}

/* --- both --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*write)(const struct record *r, struct json_writer *w);
    int (*parse)(const struct json *v, struct record *r, struct errbuf *err);
} types[] = {
    [RECORD_START] = {"start", write_start, parse_start},
    [RECORD_POINT] = {"point", write_point, parse_point},
    [RECORD_RESULT] = {"result", write_result, parse_result},
    [RECORD_PREPARED] = {"prepared", write_prepared, parse_prepared},
    [RECORD_ERROR] = {"error", write_error, parse_error},
    [RECORD_LAYERS] = {"layers", write_layers, parse_layers},
};

void record_write(const struct record *r, struct buf *out)
{
    struct json_writer w;

    REQUIRE((unsigned)r->type < ARRAY_LEN(types));
    jw_init(&w, out);
    jw_begin_object(&w);
    jw_kv_string(&w, "type", types[r->type].name);
    types[r->type].write(r, &w);
    jw_end_object(&w);
    buf_putc(out, '\n');
}

static int parse_object(const struct json *root, struct record *out, struct errbuf *err)
{
    const char *name;
    struct record r;

    if (json_type(root) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, "line", root, "an object");
    int rc = json_get_string(root, "type", &name, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(name, types[i].name) != 0)
            continue;
        memset(&r, 0, sizeof(r));
        r.type = (enum record_type)i;
        rc = types[i].parse(root, &r, err);
        if (!rc)
            *out = r;
        return rc;
    }
    return field_refuse(err, ERR_VALUE, "type", json_get(root, "type"),
                        "start, point, layers, result, prepared or error");
}

int record_parse(const char *line, size_t len, struct record *out, struct errbuf *err)
{
    struct errbuf why = {0};

    if (len > RECORD_LINE_MAX)
        return err_bad(err, ERR_LIMIT, "line", NULL, "at most %d bytes", RECORD_LINE_MAX);
    struct json *root = json_parse(line, len, &why);
    if (!root) {
        if (err)
            *err = why;
        return why.code;
    }
    int rc = parse_object(root, out, err);
    json_destroy(root);
    return rc;
}

void record_finish(struct record *r)
{
    free(r->metrics);
    r->metrics = NULL;
    if (r->type == RECORD_PREPARED) {
        free(r->u.prepared);
        r->u.prepared = NULL;
    } else if (r->type == RECORD_LAYERS) {
        free(r->u.layers);
        r->u.layers = NULL;
    }
}
