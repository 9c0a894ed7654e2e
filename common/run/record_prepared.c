/* The line that `sweep-worker --prepare` prints. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/run/record_part.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/shape.h"

/* Room that one finding, one source and the rest of a prepared line may take: every byte of the
 * strings as \u00XX, and the numbers. */
#define FINDING_LINE_MAX 2200
#define SOURCE_LINE_MAX 6400
#define NOTE_LINE_MAX 1800
#define PREPARED_LINE_MAX 8192

_Static_assert(RECORD_FINDINGS_MAX *FINDING_LINE_MAX + RECORD_SOURCES_MAX * SOURCE_LINE_MAX +
                       RECORD_NOTES_MAX * NOTE_LINE_MAX + PREPARED_LINE_MAX <
                   RECORD_LINE_MAX,
               "a line holds findings, notes and sources, whatever bytes they are made of");

/* --- writing ------------------------------------------------------------------------------ */

void record_finding_write(const struct record_finding *f, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "kind", f->kind);
    jw_kv_int(w, "row", f->row);
    jw_kv_int(w, "column", f->column);
    jw_kv_int(w, "count", f->count);
    jw_kv_string(w, "text", f->text);
    jw_end_object(w);
}

void record_note_write(const struct record_note *n, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "key", n->key);
    jw_kv_string(w, "text", n->text);
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

void record_write_prepared(const struct record *r, struct json_writer *w)
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
    if (p->target[0])
        jw_kv_string(w, "target", p->target);
    jw_key(w, "notes");
    jw_begin_array(w);
    for (size_t i = 0; i < p->note_count; i++)
        record_note_write(&p->notes[i], w);
    jw_end_array(w);
    jw_key(w, "sources");
    jw_begin_array(w);
    for (size_t i = 0; i < p->source_count; i++)
        write_source(&p->sources[i], w);
    jw_end_array(w);
    jw_key(w, "findings");
    jw_begin_array(w);
    for (size_t i = 0; i < p->finding_count; i++)
        record_finding_write(&p->findings[i], w);
    jw_end_array(w);
}

/* --- reading ------------------------------------------------------------------------------ */

static int parse_source(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    struct record_source *s = &p->sources[p->source_count];
    uint64_t mtime_ns = 0;
    int rc = record_get_exact(v, "path", s->path, sizeof(s->path), err);

    if (!rc)
        rc = record_get_count(v, "size_bytes", &s->size_bytes, err);
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
    *f = (struct record_finding){{0}};
    int rc = record_get_exact(v, "kind", f->kind, sizeof(f->kind), err);

    if (!rc)
        rc = record_get_count(v, "row", &f->row, err);
    if (!rc)
        rc = record_get_count(v, "column", &f->column, err);
    if (!rc)
        rc = record_get_count(v, "count", &f->count, err);
    if (!rc)
        rc = record_get_text(v, "text", f->text, sizeof(f->text), err);
    if (rc)
        return rc;
    p->finding_count++;
    return 0;
}

static int parse_note(const struct json *v, struct record_prepared *p, struct errbuf *err)
{
    struct record_note *n = &p->notes[p->note_count];
    int rc = record_get_exact(v, "key", n->key, sizeof(n->key), err);

    if (!rc)
        rc = record_get_text(v, "text", n->text, sizeof(n->text), err);
    if (!rc)
        p->note_count++;
    return rc;
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
    int rc = record_get_exact(v, "hash", p->hash, sizeof(p->hash), err);

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
    int rc = record_get_optional(v, "validation_samples", &p->validation_samples, err);

    if (!rc)
        rc = record_get_optional(v, "test_samples", &p->test_samples, err);
    if (!rc)
        rc = record_get_optional(v, "outputs", &p->outputs, err);
    if (!rc)
        rc = record_get_optional(v, "flop", &p->flop, err);
    if (!rc && json_get(v, "target"))
        rc = record_get_text(v, "target", p->target, sizeof(p->target), err);
    if (!rc && json_get(v, "notes"))
        rc = parse_list(v, "notes", RECORD_NOTES_MAX, parse_note, p, err);
    return rc ? rc : parse_shape(v, p, err);
}

int record_parse_prepared(const struct json *v, struct record *r, struct errbuf *err)
{
    /* Without the room for findings: each run reads this line, and there are few. */
    struct record_prepared *p = xmalloc(sizeof(*p));
    memset(p, 0, offsetof(struct record_prepared, findings));
    int rc = parse_hash(v, p, err);

    if (!rc)
        rc = record_get_exact(v, "cache", p->cache, sizeof(p->cache), err);
    if (!rc)
        rc = record_get_count(v, "samples", &p->samples, err);
    if (!rc)
        rc = record_get_count(v, "features", &p->features, err);
    if (!rc)
        rc = record_get_count(v, "classes", &p->classes, err);
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
