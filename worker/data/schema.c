#include "worker/data/schema.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "worker/data/columns.h"

/* --- writing ---------------------------------------------------------------------------------- */

static void write_classes(const struct table *train, const struct classes *c, struct json_writer *w)
{
    if (c->count == 0)
        return;
    jw_key(w, "classes");
    jw_begin_array(w);
    for (size_t i = 0; i < c->count; i++) {
        if (train->class_names > 0)
            jw_string(w, train->class_name[i]);
        else
            jw_real(w, c->label[i]);
    }
    jw_end_array(w);
}

static void write_names(const struct names *names, struct json_writer *w)
{
    jw_begin_array(w);
    for (uint32_t k = 0; k < names->count; k++)
        jw_string(w, names_at(names, k));
    jw_end_array(w);
}

/* How the numbers of a column are written, where they are not plain. */
static void write_form(const struct column *column, struct json_writer *w)
{
    const struct number_form *f = &column->form;
    char decimal[2] = {f->decimal, '\0'}, thousands[2] = {f->thousands, '\0'};
    jw_key(w, "form");
    jw_begin_object(w);
    jw_kv_string(w, "decimal", decimal);
    jw_kv_string(w, "thousands", thousands);
    jw_kv_string(w, "unit", f->unit);
    jw_kv_bool(w, "unit_optional", f->unit_optional);
    if (f->parentheses)
        jw_kv_bool(w, "parentheses", true);
    jw_end_object(w);
}

static void write_column(const struct table_columns *c, size_t i, struct json_writer *w)
{
    jw_begin_object(w);
    if (c->header)
        jw_kv_string(w, "name", c->header[i]);
    if (i == c->target)
        jw_kv_bool(w, "target", true);
    if (c->column[i].ignored)
        jw_kv_bool(w, "ignored", true);
    else if (!c->column[i].names && !c->column[i].plain)
        write_form(&c->column[i], w);
    if (c->column[i].names) {
        jw_key(w, i == c->target ? "classes" : "categories");
        write_names(c->column[i].names, w);
    }
    jw_end_object(w);
}

static void write_columns(const struct table_columns *c, struct json_writer *w)
{
    if (c->count == 0) {
        jw_kv_int(w, "features", (int64_t)c->features);
        if (c->from_zero)
            jw_kv_bool(w, "from_zero", true);
        return;
    }
    jw_kv_bool(w, "header", c->header != NULL);
    jw_key(w, "columns");
    jw_begin_array(w);
    for (size_t i = 0; i < c->count && w->out->len <= SCHEMA_MAX; i++)
        write_column(c, i, w);
    jw_end_array(w);
}

char *schema_write(const struct table *train, const struct table_columns *columns,
                   const struct classes *classes)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_string(&w, "target", train->target[0] ? train->target : NULL);
    write_classes(train, classes, &w);
    if (columns)
        write_columns(columns, &w);
    jw_end_object(&w);
    if (text.len <= SCHEMA_MAX)
        return buf_take(&text);
    buf_finish(&text);
    return xstrdup("{\"too_long\":true}");
}

/* --- reading ---------------------------------------------------------------------------------- */

static int damaged(struct errbuf *err)
{
    return err_set(err, ERR_DATA, "what the weights tell of their data's columns is damaged");
}

/* Sorted, as they were written; else they would be found in other places. */
static int read_names(const struct json *list, size_t most, struct names **out)
{
    struct names *n = xcalloc(1, sizeof *n);
    const char *before = NULL;
    int rc = json_type(list) == JSON_ARRAY && json_count(list) <= most ? 0 : ERR_DATA;
    for (const struct json *v = json_first(list); v && rc == 0; v = json_next(v)) {
        const char *text = json_type(v) == JSON_STRING ? json_string(v) : NULL;
        if (!text || (before && strcmp(before, text) >= 0))
            rc = ERR_DATA;
        else
            names_add(n, text, strlen(text));
        before = text;
    }
    *out = n;
    return rc;
}

static bool is_told(const struct json *v, const char *key)
{
    const struct json *told = json_get(v, key);
    return told && json_type(told) == JSON_BOOL && json_bool(told);
}

/* At most size - 1 bytes. */
static int read_text(const struct json *v, const char *key, char *out, size_t size)
{
    const struct json *text = json_get(v, key);
    if (!text || json_type(text) != JSON_STRING || strlen(json_string(text)) >= size)
        return ERR_DATA;
    str_copy(out, size, json_string(text));
    return 0;
}

static int read_form(const struct json *v, struct column *out)
{
    const struct json *form = json_get(v, "form");
    char decimal[2], thousands[2];
    out->plain = form == NULL;
    if (!form)
        return 0;
    int rc = json_type(form) == JSON_OBJECT ? 0 : ERR_DATA;
    if (rc == 0)
        rc = read_text(form, "decimal", decimal, sizeof decimal);
    if (rc == 0)
        rc = read_text(form, "thousands", thousands, sizeof thousands);
    if (rc == 0)
        rc = read_text(form, "unit", out->form.unit, sizeof out->form.unit);
    if (rc != 0 || (decimal[0] != '.' && decimal[0] != ','))
        return ERR_DATA;
    out->form.decimal = decimal[0];
    out->form.thousands = thousands[0];
    out->form.unit_optional = is_told(form, "unit_optional");
    out->form.parentheses = is_told(form, "parentheses");
    return 0;
}

static int read_column(const struct json *v, size_t i, struct table_columns *c)
{
    const struct json *name = json_get(v, "name"), *list;
    bool target = is_told(v, "target"), ignored = is_told(v, "ignored");
    if (json_type(v) != JSON_OBJECT ||
        (c->header && (!name || json_type(name) != JSON_STRING)))
        return ERR_DATA;
    if (c->header)
        c->header[i] = xstrdup(json_string(name));
    if (target)
        c->target = i;
    list = json_get(v, target ? "classes" : "categories");
    int rc = list ? read_names(list, DATA_CATEGORIES_MAX, &c->column[i].names) : 0;
    if (rc == 0)
        rc = read_form(v, &c->column[i]);
    c->column[i].ignored = ignored;
    c->column[i].feature = c->features;
    if (!target && !ignored)
        c->features += list ? json_count(list) : 1;
    return rc != 0 || c->features > SAMPLES_FEATURES_MAX ? ERR_DATA : 0;
}

int schema_columns(const struct json *schema, struct table_columns **out, struct errbuf *err)
{
    const struct json *list = json_get(schema, "columns"), *header = json_get(schema, "header");
    const struct json *features = json_get(schema, "features");
    struct table_columns *c = NULL;
    int64_t count = 0;
    int rc = 0;
    size_t i = 0;
    if (list || features)
        c = xcalloc(1, sizeof *c);
    if (features && (json_int64(features, &count) != 0 || count < 1 ||
                     (size_t)count > SAMPLES_FEATURES_MAX))
        rc = ERR_DATA;
    if (features)
        c->features = (size_t)count;
    if (features)
        c->from_zero = is_told(schema, "from_zero");
    if (list && json_type(list) != JSON_ARRAY)
        rc = ERR_DATA;
    if (list && rc == 0) {
        c->count = c->target = json_count(list);
        c->column = xcalloc(c->count + 1, sizeof *c->column);
        if (header && json_type(header) == JSON_BOOL && json_bool(header))
            c->header = xcalloc(c->count + 1, sizeof *c->header);
    }
    for (const struct json *v = list ? json_first(list) : NULL; v && rc == 0; v = json_next(v))
        rc = read_column(v, i++, c);
    if (rc == 0 && list && c->target == c->count)
        rc = ERR_DATA;
    if (rc != 0) {
        table_columns_destroy(c);
        return damaged(err);
    }
    *out = c;
    return 0;
}
