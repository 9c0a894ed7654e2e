/* What of a program's environment is not shown: by the names of its variables. */
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/json.h"
#include "sweep/require.h"

bool command_is_secret(const char *name)
{
    static const char *const words[] = {
        "KEY",    "TOKEN",   "SECRET",    "PASS",       "PWD", "CREDENTIAL",        "AUTH",
        "COOKIE", "PRIVATE", "SIGNATURE", "SESSION_ID", "DSN", "CONNECTION_STRING", "LICENSE"};

    if (strcasecmp(name, "PWD") == 0 || strcasecmp(name, "OLDPWD") == 0)
        return false; /* folders */
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* "https://user:password@host" in whatever variable. */
static bool names_password(const char *value)
{
    const char *at = strstr(value, "://");

    if (!at)
        return false;
    at += 3;
    size_t host = strcspn(at, "/ ");
    return memchr(at, '@', host) && memchr(at, ':', host);
}

static void write_variables(const struct json *v, struct json_writer *w)
{
    jw_begin_object(w);
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        bool text = json_type(m) == JSON_STRING;
        jw_key(w, json_key(m));
        if (text && *json_string(m) &&
            (command_is_secret(json_key(m)) || names_password(json_string(m))))
            jw_string(w, COMMAND_MASK);
        else
            jw_value(w, m);
    }
    jw_end_object(w);
}

static void write_task(const struct json *task, struct json_writer *w)
{
    jw_begin_object(w);
    for (const struct json *m = json_first(task); m; m = json_next(m)) {
        bool variables = strcmp(json_key(m), "environment") == 0 ||
                         strcmp(json_key(m), "base_environment") == 0;
        jw_key(w, json_key(m));
        if (variables && json_type(m) == JSON_OBJECT)
            write_variables(m, w);
        else
            jw_value(w, m);
    }
    jw_end_object(w);
}

void command_write_masked(const struct json *spec, struct json_writer *w)
{
    if (json_type(spec) != JSON_OBJECT) {
        jw_value(w, spec);
        return;
    }
    jw_begin_object(w);
    for (const struct json *m = json_first(spec); m; m = json_next(m)) {
        jw_key(w, json_key(m));
        if (strcmp(json_key(m), "task") == 0 && json_type(m) == JSON_OBJECT)
            write_task(m, w);
        else
            jw_value(w, m);
    }
    jw_end_object(w);
}
