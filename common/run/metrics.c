#include "sweep/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/base/json_scan.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define METRICS_KEY "metrics"

struct point_metrics *metrics_create(const struct point *at, size_t count)
{
    struct point_metrics *m = xcalloc(1, sizeof(*m) + count * sizeof(m->values[0]));

    m->at = *at;
    m->count = count;
    return m;
}

bool metric_name_valid(const char *name)
{
    const unsigned char *p = (const unsigned char *)name;
    size_t len = strlen(name);

    if (len == 0 || len > METRIC_NAME_MAX)
        return false;
    for (size_t n; len > 0; p += n, len -= n)
        if (*p < 0x20 || *p == 0x7f || (n = json_utf8_length(p, len)) == 0)
            return false;
    return true;
}

void metrics_write(const struct point_metrics *m, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < m->count; i++)
        jw_kv_real(w, m->values[i].name, m->values[i].value);
    jw_end_object(w);
}

static int parse_value(const struct json *v, struct metric_value *out, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, METRICS_KEY, json_key(v));
    if (!metric_name_valid(json_key(v)))
        return field_refuse(err, ERR_KEY, path, v,
                            "names of 1 to %d bytes without control characters", METRIC_NAME_MAX);
    if (json_real(v, &out->value) < 0)
        return field_refuse(err, ERR_TYPE, path, v, "a number, \"nan\", \"+inf\" or \"-inf\"");
    str_copy(out->name, sizeof(out->name), json_key(v));
    return 0;
}

int metrics_parse(const struct json *v, const struct point *at, struct point_metrics **out,
                  struct errbuf *err)
{
    size_t i = 0;
    int rc = 0;

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, METRICS_KEY, v, "an object");
    if (json_count(v) > METRICS_MAX)
        return err_bad(err, ERR_LIMIT, METRICS_KEY, NULL, "at most %d names", METRICS_MAX);
    if (json_count(v) == 0) {
        *out = NULL;
        return 0;
    }
    struct point_metrics *m = metrics_create(at, json_count(v));
    for (const struct json *value = json_first(v); value && !rc; value = json_next(value))
        rc = parse_value(value, &m->values[i++], err);
    if (rc)
        free(m);
    else
        *out = m;
    return rc;
}

bool point_value(const struct point *p, const struct point_metrics *m, const char *name,
                 double *out)
{
    enum metric known = metric_find(name);

    if (known != METRIC_NAMED) {
        enum curve_column c = metric_column(known);
        if (point_has(p, c))
            *out = p->v[c];
        return point_has(p, c);
    }
    for (size_t i = 0; m && i < m->count; i++) {
        if (strcmp(m->values[i].name, name) == 0) {
            *out = m->values[i].value;
            return true;
        }
    }
    return false;
}
