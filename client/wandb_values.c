#include "client/wandb_values.h"

#include <stdlib.h>
#include <string.h>

#include "client/wandb_text.h"
#include "sweep/buf.h"

static bool is_plain(const struct json *v)
{
    enum json_type type = json_type(v);
    return type == JSON_STRING || type == JSON_NUMBER || type == JSON_BOOL;
}

/* Numbers, texts or switches alone: what a parameter of ours can be. */
static bool is_of_one_kind(const struct json *values)
{
    for (const struct json *v = json_first(values); v != NULL; v = json_next(v))
        if (!is_plain(v) || json_type(v) != json_type(json_first(values)))
            return false;
    return true;
}

bool wandb_is_put_as_text(const struct json *m)
{
    const char *key = json_key(m);
    if (strcmp(key, "values") == 0)
        return json_type(m) == JSON_ARRAY && !is_of_one_kind(m);
    return strcmp(key, "value") == 0 && !is_plain(m);
}

static char *text_of(const struct json *v)
{
    struct buf text = {0};
    wandb_text(v, &text);
    return text.len > 0 ? buf_take(&text) : xstrdup("");
}

static void put_text(const struct json *v, struct json_writer *w)
{
    char *text = text_of(v);
    jw_string(w, text);
    free(text);
}

void wandb_put_as_text(const struct json *m, struct json_writer *w)
{
    if (strcmp(json_key(m), "value") == 0) {
        put_text(m, w);
        return;
    }
    jw_begin_array(w);
    for (const struct json *v = json_first(m); v != NULL; v = json_next(v))
        put_text(v, w);
    jw_end_array(w);
}

/* --- what the texts stand for ----------------------------------------------------------------- */

/* Of two values with one text the first counts. */
static bool is_said(const struct json *first, const struct json *v, const char *text)
{
    bool said = false;
    for (const struct json *o = first; o != v && !said; o = json_next(o)) {
        char *other = text_of(o);
        said = strcmp(other, text) == 0;
        free(other);
    }
    return said;
}

static void put_literal(const struct json *first, const struct json *v, struct json_writer *w)
{
    char *text = text_of(v);
    if (json_type(v) != JSON_STRING && !is_said(first, v, text)) {
        jw_key(w, text);
        jw_value(w, v);
    }
    free(text);
}

static void put_parameter(const char *name, const struct json *member, struct json_writer *w)
{
    bool one = strcmp(json_key(member), "value") == 0;
    const struct json *first = one ? member : json_first(member);
    jw_key(w, name);
    jw_begin_object(w);
    for (const struct json *v = first; v != NULL; v = one ? NULL : json_next(v))
        put_literal(first, v, w);
    jw_end_object(w);
}

static void put_below(const struct json *parameters, const char *prefix, bool *any,
                      struct json_writer *w)
{
    for (const struct json *p = json_first(parameters); p != NULL; p = json_next(p)) {
        char *name = xasprintf("%s%s", prefix, json_key(p));
        const struct json *m = json_type(p) == JSON_OBJECT ? json_first(p) : NULL;
        for (; m != NULL; m = json_next(m)) {
            if (strcmp(json_key(m), "parameters") == 0 && json_type(m) == JSON_OBJECT) {
                char *below = xasprintf("%s.", name);
                put_below(m, below, any, w);
                free(below);
            } else if (wandb_is_put_as_text(m)) {
                if (!*any) {
                    jw_key(w, "literals");
                    jw_begin_object(w);
                }
                *any = true;
                put_parameter(name, m, w);
            }
        }
        free(name);
    }
}

bool wandb_is_nested(const struct json *parameters)
{
    const struct json *p = parameters != NULL && json_type(parameters) == JSON_OBJECT
                               ? json_first(parameters)
                               : NULL;
    while (p != NULL && json_get(p, "parameters") == NULL)
        p = json_next(p);
    return p != NULL;
}

void wandb_put_literals(const struct json *parameters, struct json_writer *w)
{
    bool any = false;
    if (parameters == NULL || json_type(parameters) != JSON_OBJECT)
        return;
    put_below(parameters, "", &any, w);
    if (any)
        jw_end_object(w);
}
