#include "sweep/curve.h"

#include <math.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

_Static_assert(CURVE_COLUMN_COUNT <= 32, "struct point's measured has one bit per column");

static const struct {
    const char *name;
    bool canonical;
} columns[] = {
#define X(id, column, canonical) [CURVE_##id] = {#column, canonical},
    CURVE_COLUMN_MAP(X)
#undef X
};

static const struct {
    const char *name;
    enum curve_column column;
} metrics[] = {
#define X(id, name, column) [METRIC_##id] = {name, CURVE_##column},
    METRIC_MAP(X)
#undef X
};

const char *curve_column_name(enum curve_column c)
{
    REQUIRE((unsigned)c < CURVE_COLUMN_COUNT);
    return columns[c].name;
}

bool curve_column_canonical(enum curve_column c)
{
    REQUIRE((unsigned)c < CURVE_COLUMN_COUNT);
    return columns[c].canonical;
}

/* 0 and -0 differ; every NaN is the same, since JSON and SQLite know but one. */
static bool same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof(a)) == 0;
}

bool point_same(const struct point *a, const struct point *b)
{
    if (a->point != b->point || !same_bits(a->epoch, b->epoch))
        return false;
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        if (!columns[c].canonical)
            continue;
        if (point_has(a, c) != point_has(b, c))
            return false;
        if (point_has(a, c) && !same_bits(a->v[c], b->v[c]))
            return false;
    }
    return true;
}

void point_write(const struct point *p, struct json_writer *w)
{
    jw_kv_int(w, "point", p->point);
    jw_kv_real(w, "epoch", p->epoch);
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        jw_key(w, columns[c].name);
        if (point_has(p, c))
            jw_real(w, p->v[c]);
        else
            jw_null(w);
    }
}

/* A member that may be missing or null: not measured. */
static int read_column(const struct json *v, enum curve_column c, struct point *p,
                       struct errbuf *err)
{
    const struct json *member = json_get(v, columns[c].name);
    double value;
    int rc;

    if (!member || json_type(member) == JSON_NULL)
        return 0;
    rc = json_get_real(v, columns[c].name, &value, err);
    if (rc == 0)
        point_set(p, c, value);
    return rc;
}

static int refuse(const struct json *v, const char *key, const char *allowed, struct errbuf *err)
{
    char given[64];

    json_excerpt(json_get(v, key), given, sizeof(given));
    return err_bad(err, ERR_VALUE, key, given, "%s", allowed);
}

int point_parse(const struct json *v, struct point *out, struct errbuf *err)
{
    struct point p = {0};
    int rc = json_get_int64(v, "point", &p.point, err);

    if (rc == 0)
        rc = json_get_real(v, "epoch", &p.epoch, err);
    if (rc != 0)
        return rc;
    if (p.point < 1)
        return refuse(v, "point", "an integer from 1", err);
    if (!isfinite(p.epoch) || p.epoch <= 0)
        return refuse(v, "epoch", "a number above 0", err);
    for (int c = 0; c < CURVE_COLUMN_COUNT && rc == 0; c++)
        rc = read_column(v, c, &p, err);
    if (rc == 0)
        *out = p;
    return rc;
}

const char *metric_name(enum metric m)
{
    REQUIRE((unsigned)m < METRIC_COUNT);
    return metrics[m].name;
}

enum metric metric_find(const char *name)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        if (strcmp(metrics[m].name, name) == 0)
            return (enum metric)m;
    return METRIC_NAMED;
}

enum curve_column metric_column(enum metric m)
{
    REQUIRE((unsigned)m < METRIC_COUNT);
    return metrics[m].column;
}

bool metric_better(double a, double b, bool maximize)
{
    if (!isfinite(a) || !isfinite(b))
        return isfinite(a) && !isfinite(b);
    return maximize ? a > b : a < b;
}
