#include "worker/data/class_names.h"

#include <stdio.h>
#include <string.h>

#include "sweep/json.h"

void class_names_init(struct class_names *n, const struct samples *s)
{
    n->schema = s->schema ? json_parse(s->schema, strlen(s->schema), NULL) : NULL;
    n->list = json_get(n->schema, "classes");
    if (n->list && (json_type(n->list) != JSON_ARRAY || json_count(n->list) != s->classes))
        n->list = NULL;
}

void class_names_finish(struct class_names *n)
{
    json_destroy(n->schema);
}

const char *class_show(const struct class_names *n, size_t class, char out[CLASS_SHOW_MAX])
{
    const struct json *v = n->list ? json_first(n->list) : NULL;
    char shown[TEXT_SHOW_MAX];
    for (size_t i = 0; v && i < class; i++)
        v = json_next(v);
    if (v && json_type(v) == JSON_STRING)
        snprintf(out, CLASS_SHOW_MAX, "class %s",
                 text_show(shown, json_string(v), strlen(json_string(v))));
    else if (v && json_type(v) == JSON_NUMBER)
        snprintf(out, CLASS_SHOW_MAX, "class %.15g", json_number(v));
    else
        snprintf(out, CLASS_SHOW_MAX, "class %zu", class);
    return out;
}
