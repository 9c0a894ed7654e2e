#include "sweep/reported_point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"

static const char a_number[] = "a number, \"nan\", \"+inf\" or \"-inf\"";

/* The member that counts: "epoch", else "step". */
static int read_epoch(const struct json *v, const char *path, const struct json **key,
                      double *epoch, struct errbuf *err)
{
    char member[FIELD_PATH_MAX];

    *key = json_get(v, "epoch") ? json_get(v, "epoch") : json_get(v, "step");
    if (!*key)
        return field_missing(err, path, "epoch", "a number above 0: which epoch, or step, it is");
    field_path(member, path, json_key(*key));
    if (json_type(*key) != JSON_NUMBER || !(json_number(*key) > 0) || isinf(json_number(*key)))
        return field_refuse(err, ERR_VALUE, member, *key, "a number above 0; epochs count from 1");
    *epoch = json_number(*key);
    return 0;
}

static void fill_column(struct point *p, int ranks[CURVE_COLUMN_COUNT], const char *name,
                        double value)
{
    enum curve_column c;
    int rank;

    if (!curve_title_column(name, &c, &rank) || (point_has(p, c) && ranks[c] <= rank))
        return;
    ranks[c] = rank;
    point_set(p, c, value);
}

static int read_value(const struct json *v, const char *path, struct metric_value *out,
                      struct errbuf *err)
{
    char member[FIELD_PATH_MAX];

    field_path(member, path, json_key(v));
    if (!metric_name_valid(json_key(v)))
        return field_refuse(err, ERR_KEY, member, v,
                            "names of 1 to %d bytes without control characters", METRIC_NAME_MAX);
    if (json_real(v, &out->value) < 0)
        return field_refuse(err, ERR_TYPE, member, v, "%s", a_number);
    str_copy(out->name, sizeof(out->name), json_key(v));
    return 0;
}

int reported_point_parse(const struct json *v, const char *path, struct point_metrics **out,
                         struct errbuf *err)
{
    const struct json *key = NULL;
    int ranks[CURVE_COLUMN_COUNT], rc;
    struct point p = {0};

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, path, v,
                            "an object, such as {\"epoch\": 1, \"val_loss\": 0.41}");
    rc = read_epoch(v, path, &key, &p.epoch, err);
    if (rc)
        return rc;
    if (json_count(v) < 2 || json_count(v) > METRICS_MAX + 1)
        return field_refuse(err, ERR_LIMIT, path, v, "1 to %d numbers beside %s", METRICS_MAX,
                            json_key(key));
    struct point_metrics *m = metrics_create(&p, json_count(v) - 1);
    m->count = 0;
    for (const struct json *n = json_first(v); n && !rc; n = json_next(n)) {
        struct metric_value *value = &m->values[m->count];
        if (n == key || json_type(n) == JSON_NULL) /* null: not measured */
            continue;
        rc = read_value(n, path, value, err);
        if (rc)
            break;
        fill_column(&m->at, ranks, value->name, value->value);
        m->count++;
    }
    if (rc)
        free(m);
    else
        *out = m;
    return rc;
}
