/* A run's parameters as its program gets them in JSON. Texts may stand for other values: a
 * parameter's choices are texts, and a program may want the list, the object or the null that one
 * of them shows. Names with dots may stand for levels of objects. */
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/space.h"

#define PATH "$.task.literals"

static struct json *copy_of(const struct json *v, size_t *bytes)
{
    struct buf text = {0};
    struct json_writer w;
    struct errbuf err;

    jw_init(&w, &text);
    jw_value(&w, v);
    *bytes = text.len;
    struct json *copy = json_parse(text.data, text.len, &err);
    buf_finish(&text);
    return copy;
}

int command_literals_parse(const struct json *v, struct json **out, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    size_t bytes;

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, PATH, v, "an object: parameters, and of each an object: "
                                                    "texts and what they stand for");
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        field_path(path, PATH, json_key(m));
        if (json_type(m) != JSON_OBJECT || json_count(m) == 0)
            return field_refuse(err, ERR_TYPE, path, m, "an object: {\"[64, 64]\": [64, 64]}");
    }
    struct json *copy = copy_of(v, &bytes);
    if (!copy || bytes > COMMAND_LITERALS_BYTES_MAX) {
        json_destroy(copy);
        return field_refuse(err, ERR_LIMIT, PATH, v, "at most %d bytes",
                            COMMAND_LITERALS_BYTES_MAX);
    }
    *out = copy;
    return 0;
}

static bool has_choice(const struct dimension *d, const char *text)
{
    for (size_t i = 0; i < d->choice_count; i++)
        if (strcmp(d->choices[i], text) == 0)
            return true;
    return false;
}

int command_literals_check(const struct json *literals, const struct space *s, struct errbuf *err)
{
    char path[FIELD_PATH_MAX], member[FIELD_PATH_MAX];

    for (const struct json *p = literals ? json_first(literals) : NULL; p; p = json_next(p)) {
        int i = space_find_name(s, json_key(p));
        field_path(path, PATH, json_key(p));
        if (i < 0 || s->dimensions[i].type != VALUE_CHOICE)
            return field_refuse(err, ERR_KEY, path, p, "the name of a parameter whose values are "
                                                       "texts");
        for (const struct json *m = json_first(p); m; m = json_next(m)) {
            field_path(member, path, json_key(m));
            if (!has_choice(&s->dimensions[i], json_key(m)))
                return field_refuse(err, ERR_KEY, member, m, "one of the parameter's values");
        }
    }
    return 0;
}

const struct json *command_literal(const struct json *literals, const struct json *param)
{
    if (!literals || json_type(param) != JSON_STRING)
        return NULL;
    return json_get(json_get(literals, json_key(param)), json_string(param));
}

/* --- levels ---------------------------------------------------------------------------------- */

#define LEVELS_MAX 16 /* what is nested deeper keeps its dots */

/* One has the level's own name: there is no room for an object of that name. */
static bool is_taken(const struct json *params, const struct json *at, size_t len)
{
    for (const struct json *p = json_first(params); p; p = json_next(p))
        if (strncmp(json_key(p), json_key(at), len) == 0 && json_key(p)[len] == '\0')
            return true;
    return false;
}

bool command_params_begins_level(const struct json *params, const struct json *at, size_t len)
{
    for (const struct json *p = json_first(params); p != at; p = json_next(p))
        if (strncmp(json_key(p), json_key(at), len) == 0 && json_key(p)[len] == '.')
            return false;
    return !is_taken(params, at, len);
}

static void put_level(const struct json *params, const struct json *at, size_t len, int level,
                      struct json_writer *w)
{
    jw_begin_object(w);
    for (const struct json *p = json_first(params); p; p = json_next(p)) {
        const char *rest = json_key(p) + len;
        if (strncmp(json_key(p), json_key(at), len) != 0)
            continue;
        size_t word = strcspn(rest, ".");
        if (rest[word] == '\0' || word == 0 || level == LEVELS_MAX ||
            is_taken(params, p, len + word)) {
            jw_key(w, rest);
            jw_value(w, p);
        } else if (command_params_begins_level(params, p, len + word)) {
            char *key = xasprintf("%.*s", (int)word, rest);
            jw_key(w, key);
            put_level(params, p, len + word + 1, level + 1, w);
            free(key);
        }
    }
    jw_end_object(w);
}

void command_params_level(const struct json *params, const struct json *at, size_t len,
                          struct json_writer *w)
{
    put_level(params, at, len, 1, w);
}

void command_params_nest(const struct json *params, struct json_writer *w)
{
    if (json_first(params))
        put_level(params, json_first(params), 0, 0, w);
    else
        jw_value(w, params);
}

/* --- all -------------------------------------------------------------------------------------- */

void command_params_write(const struct command_values *v, struct json_writer *w)
{
    if (!v->literals || json_type(v->params) != JSON_OBJECT) {
        jw_value(w, v->params);
        return;
    }
    jw_begin_object(w);
    for (const struct json *p = json_first(v->params); p; p = json_next(p)) {
        const struct json *literal = command_literal(v->literals, p);
        jw_key(w, json_key(p));
        jw_value(w, literal ? literal : p);
    }
    jw_end_object(w);
}
