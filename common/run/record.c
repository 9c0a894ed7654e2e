#include "sweep/record.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/run/record_part.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define QUOTE_BYTES 160 /* of a line that is refused */

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
    if (s->grace_ms > 0)
        jw_kv_int(w, "grace_ms", s->grace_ms);
    if (s->anew)
        jw_kv_bool(w, "anew", true);
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

static int parse_start(const struct json *v, struct record *r, struct errbuf *err)
{
    struct record_start *s = &r->u.start;
    int64_t version;
    int rc = json_get_int64(v, "version", &version, err);

    if (!rc && version != RECORD_VERSION)
        rc = field_refuse(err, ERR_VALUE, "version", json_get(v, "version"), "%d", RECORD_VERSION);
    if (!rc)
        rc = record_get_count(v, "pid", &s->pid, err);
    if (!rc)
        rc = record_get_text(v, "core", s->core, sizeof(s->core), err);
    if (!rc)
        rc = record_get_text(v, "blas", s->blas, sizeof(s->blas), err);
    if (!rc)
        rc = record_get_count(v, "parameters", &s->parameters, err);
    if (!rc)
        rc = record_get_optional(v, "flop", &s->flop, err);
    if (!rc)
        rc = record_get_optional(v, "resumed_point", &s->resumed_point, err);
    if (!rc)
        rc = record_get_optional(v, "grace_ms", &s->grace_ms, err);
    const struct json *anew = json_get(v, "anew");
    if (!rc && anew && json_type(anew) != JSON_BOOL)
        rc = field_refuse(err, ERR_TYPE, "anew", anew, "true or false");
    s->anew = !rc && anew && json_bool(anew);
    return rc;
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
    int rc = s->status == RUN_PAUSED ? record_get_count(v, "epoch", &s->epoch, err) : 0;

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
    rc = record_get_text(v, "text", s->text, sizeof(s->text), err);
    if (!rc)
        rc = parse_rung(v, s, err);
    if (!rc)
        rc = json_get_real(v, "seconds", &s->seconds, err);
    if (!rc && !(isfinite(s->seconds) && s->seconds >= 0))
        rc = field_refuse(err, ERR_VALUE, "seconds", json_get(v, "seconds"),
                          "a finite number, 0 or more");
    return rc ? rc : parse_test(v, s, err);
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
    rc = record_get_exact(v, "message", e->message, sizeof(e->message), err);
    if (!rc)
        rc = record_get_text(v, "key", e->key, sizeof(e->key), err);
    if (!rc)
        rc = record_get_text(v, "value", e->value, sizeof(e->value), err);
    return rc ? rc : record_get_text(v, "allowed", e->allowed, sizeof(e->allowed), err);
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
    [RECORD_PREPARED] = {"prepared", record_write_prepared, record_parse_prepared},
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

void record_explain(const char *line, size_t len, const struct errbuf *why, char *out, size_t size)
{
    char quote[QUOTE_BYTES + 1];
    struct buf text = {0}, cut = {0};

    buf_append(&cut, line, len < 2 * QUOTE_BYTES ? len : 2 * QUOTE_BYTES);
    for (size_t i = 0; i < cut.len; i++)
        if ((unsigned char)cut.data[i] < 0x20 || cut.data[i] == 0x7f)
            cut.data[i] = '?';
    str_copy(quote, sizeof(quote), cut.data ? cut.data : "");
    buf_printf(&text, "%s, in the line %s%s", why->message, quote, len > QUOTE_BYTES ? "…" : "");
    str_copy(out, size, text.data);
    buf_finish(&text);
    buf_finish(&cut);
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
