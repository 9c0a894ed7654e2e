#include "common/base/field.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/synonym.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

static bool is_identifier(const char *key)
{
    if (!*key)
        return false;
    for (const char *p = key; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
    return true;
}

void field_path(char out[FIELD_PATH_MAX], const char *parent, const char *key)
{
    bool plain = is_identifier(key);
    int n = snprintf(out, FIELD_PATH_MAX, plain ? "%s.%s" : "%s[\"%s\"]", parent, key);

    if (plain)
        return;
    /* The quotes of our own brackets stand at both ends; what lies between came from outside. */
    size_t first = strlen(parent) + 2, end = strlen(out);
    if ((size_t)n < FIELD_PATH_MAX)
        end -= 2;
    for (size_t i = first; i < end; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f || out[i] == '"')
            out[i] = '?';
}

void field_path_index(char out[FIELD_PATH_MAX], const char *parent, size_t index)
{
    snprintf(out, FIELD_PATH_MAX, "%s[%zu]", parent, index);
}

size_t field_path_begins(const char *path, const char *step)
{
    size_t len = strlen(step);

    /* strchr finds the NUL too: the path ends there. */
    return strncmp(path, step, len) == 0 && strchr(".[", path[len]) ? len : 0;
}

int field_refuse(struct errbuf *err, int code, const char *path, const struct json *v,
                 const char *allowed_fmt, ...)
{
    char key[sizeof(err->key)], value[sizeof(err->value)] = "", allowed[sizeof(err->allowed)];
    char text[1280];
    va_list ap;

    if (v)
        json_excerpt(v, value, sizeof(value));
    va_start(ap, allowed_fmt);
    vsnprintf(text, sizeof(text), allowed_fmt, ap);
    va_end(ap);
    str_copy(allowed, sizeof(allowed), text);
    str_copy(key, sizeof(key), path);
    return err_bad(err, code, key, value, "%s", allowed);
}

int field_missing(struct errbuf *err, const char *parent, const char *key, const char *allowed)
{
    char path[FIELD_PATH_MAX], cut[sizeof(err->key)];

    field_path(path, parent, key);
    str_copy(cut, sizeof(cut), path);
    return err_bad(err, ERR_MISSING, cut, "nothing", "%s", allowed);
}

void field_one_of(char *out, size_t size, const char *near, const char *const *names, size_t count)
{
    struct buf text = {0};

    if (near)
        buf_printf(&text, "did you mean %s? ", near);
    buf_puts(&text, "one of: ");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", names[i]);
    str_copy(out, size, text.data);
    buf_finish(&text);
}

const char *field_near(const char *word, const char *const *names, size_t count, const char **note)
{
    struct synonym known = synonym_find(word, names, count);

    *note = known.note;
    return known.name || *known.note ? known.name : err_nearest(word, names, count);
}

void field_suggest(char *out, size_t size, const char *word, const char *const *names, size_t count)
{
    const char *note, *near = field_near(word, names, count, &note);
    char text[160];

    if (near && *note)
        snprintf(text, sizeof(text), "%s (%s)", near, note);
    else if (near)
        str_copy(text, sizeof(text), near);
    size_t used = near || !*note ? 0 : (size_t)snprintf(out, size, "%s; ", note);
    field_one_of(out + used, size - used, near ? text : NULL, names, count);
}

bool field_meant(const char *allowed, char *out, size_t size)
{
    static const char near[] = "did you mean ";
    const char *name = allowed + sizeof(near) - 1;

    if (strncmp(allowed, near, sizeof(near) - 1) != 0)
        return false;
    snprintf(out, size, "%.*s", (int)strcspn(name, " ?"), name);
    return true;
}

static bool is_known(const char *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, names[i]) == 0)
            return true;
    return false;
}

int field_object(const struct json *v, const char *path, const char *const *keys, size_t count,
                 struct errbuf *err)
{
    char allowed[sizeof(err->allowed)], member[FIELD_PATH_MAX];

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, path, v, "an object");
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        if (is_known(json_key(m), keys, count))
            continue;
        field_path(member, path, json_key(m));
        field_suggest(allowed, sizeof(allowed), json_key(m), keys, count);
        return field_refuse(err, ERR_KEY, member, m, "%s", allowed);
    }
    return 0;
}

int field_like(const struct json *v, const char *path, const char *example, struct errbuf *err)
{
    const char *hole = strstr(example, "%s");
    char given[48];

    if (json_type(v) == JSON_OBJECT)
        return 0;
    json_excerpt(v, given, sizeof(given));
    if (!hole || json_type(v) != JSON_STRING)
        return field_refuse(err, ERR_TYPE, path, v, "an object");
    return field_refuse(err, ERR_TYPE, path, v, "an object, such as %.*s%s%s",
                        (int)(hole - example), example, given, hole + 2);
}

bool field_is_quoted_number(const struct json *v)
{
    const char *text = json_type(v) == JSON_STRING ? json_string(v) : "";

    return *text && text[strspn(text, "+-.eE0123456789")] == '\0' && strpbrk(text, "0123456789");
}

int field_integer(const struct json *v, const char *path, int64_t min, int64_t max, int64_t *out,
                  struct errbuf *err)
{
    bool number = json_type(v) == JSON_NUMBER;
    double value = number ? json_number(v) : 0;

    if (!number || value != floor(value) || value < (double)min || value > (double)max)
        return field_refuse(err, number ? ERR_VALUE : ERR_TYPE, path, v,
                            "an integer from %" PRId64 " to %" PRId64 "%s", min, max,
                            field_is_quoted_number(v) ? ", without the quotes" : "");
    *out = (int64_t)value;
    return 0;
}

int field_seed(const struct json *v, const char *path, uint64_t *out, struct errbuf *err)
{
    int code = json_uint64(v, out);

    if (code)
        return field_refuse(err, code, path, v,
                            "an integer from 0 to 9007199254740992, or a decimal string up to "
                            "\"18446744073709551615\"");
    return 0;
}

static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

int field_string(const struct json *v, const char *path, char *out, size_t size, struct errbuf *err)
{
    if (json_type(v) != JSON_STRING)
        return field_refuse(err, ERR_TYPE, path, v, "a string");
    const char *s = json_string(v);
    size_t len = strlen(s);
    if (!len || len >= size || has_control(s))
        return field_refuse(err, ERR_VALUE, path, v,
                            "1 to %zu bytes of text without control characters", size - 1);
    memcpy(out, s, len + 1);
    return 0;
}

int field_name(const struct json *v, const char *path, const char *const *names, size_t count,
               int *out, struct errbuf *err)
{
    char allowed[sizeof(err->allowed)];
    bool string = json_type(v) == JSON_STRING;
    const char *word = string ? json_string(v) : "";

    for (size_t i = 0; string && i < count; i++) {
        if (strcmp(word, names[i]) == 0) {
            *out = (int)i;
            return 0;
        }
    }
    int same = string ? synonym_same_in(word, names, count) : -1;
    if (same >= 0) {
        *out = same;
        return 0;
    }
    field_suggest(allowed, sizeof(allowed), word, names, count);
    return field_refuse(err, string ? ERR_VALUE : ERR_TYPE, path, v, "%s", allowed);
}
