#include "worker/data/feature_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "worker/data/schema.h"

#define NAME_BYTES 60

static struct table_columns *read_columns(const struct samples *s)
{
    struct table_columns *c = NULL;
    struct json *schema = s->schema ? json_parse(s->schema, strlen(s->schema), NULL) : NULL;
    bool fits = schema && schema_columns(schema, &c, NULL) == 0 && c && c->count > 0 &&
                c->features == s->features && s->shape.rank == 1;
    json_destroy(schema);
    if (fits)
        return c;
    table_columns_destroy(c);
    return NULL;
}

void feature_names_init(struct feature_names *n, const struct samples *s)
{
    memset(n, 0, sizeof *n);
    n->columns = read_columns(s);
    if (!n->columns)
        return;
    n->column = xcalloc(s->features, sizeof *n->column);
    for (size_t i = 0; i < n->columns->count; i++) {
        const struct column *column = &n->columns->column[i];
        size_t count = column->names ? column->names->count : 1;
        for (size_t k = 0; k < count && i != n->columns->target && !column->ignored; k++)
            n->column[column->feature + k] = (uint32_t)i;
    }
}

void feature_names_finish(struct feature_names *n)
{
    table_columns_destroy(n->columns);
    free(n->column);
}

int64_t feature_column(const struct feature_names *n, size_t feature)
{
    return (int64_t)(n->column ? n->column[feature] : feature) + 1;
}

const char *feature_place(const struct feature_names *n, size_t feature,
                          char out[FEATURE_PLACE_MAX])
{
    long long number = (long long)feature_column(n, feature);
    const char *name = n->columns && n->columns->header
                           ? n->columns->header[n->column[feature]] : "";
    char cut[NAME_BYTES];
    str_copy(cut, sizeof cut, name);
    if (!n->columns || !n->columns->header)
        snprintf(out, FEATURE_PLACE_MAX, "column %lld", number);
    else
        snprintf(out, FEATURE_PLACE_MAX, "column %lld (%s)", number, cut[0] ? cut : "no name");
    return out;
}

bool feature_goes_on(const struct feature_names *n, size_t feature)
{
    return n->column && feature > 0 && n->column[feature] == n->column[feature - 1];
}

bool feature_is_category(const struct feature_names *n, size_t feature)
{
    const struct names *names = n->column ? n->columns->column[n->column[feature]].names : NULL;
    return names && names->count > 1;
}
