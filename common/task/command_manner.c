/* How a program is run and heard: its folder and environment, how it is stopped, its series. */
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/task/command_hearing.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* --- folder --------------------------------------------------------------------------------- */

static int parse_directory(const struct json *v, const char *path, char out[COMMAND_DIRECTORY_MAX],
                           struct errbuf *err)
{
    char directory[COMMAND_DIRECTORY_MAX];

    if (json_type(v) == JSON_STRING && !*json_string(v)) {
        out[0] = '\0';
        return 0;
    }
    int rc = field_string(v, path, directory, sizeof(directory), err);
    if (!rc && directory[0] != '/')
        rc = field_refuse(err, ERR_VALUE, path, v, "an absolute path, or \"\": the run's folder");
    if (!rc)
        str_copy(out, COMMAND_DIRECTORY_MAX, directory);
    return rc;
}

/* --- environment ---------------------------------------------------------------------------- */

static void environment_finish(struct command_environment *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->entries[i]);
    free(e->entries);
    *e = (struct command_environment){0};
}

static void environment_copy(const struct command_environment *from, struct command_environment *to)
{
    *to = (struct command_environment){.count = from->count};
    if (from->count > 0)
        to->entries = xcalloc(from->count, sizeof(*to->entries));
    for (size_t i = 0; i < from->count; i++)
        to->entries[i] = xstrdup(from->entries[i]);
}

static int parse_variable(const struct json *m, const char *path, bool may_unset,
                          struct command_environment *out, struct errbuf *err)
{
    const char *name = json_key(m);
    bool unset = may_unset && json_type(m) == JSON_NULL;

    if (!*name || strchr(name, '='))
        return field_refuse(err, ERR_KEY, path, m, "names without a '=', of one byte at least");
    if (!unset && json_type(m) != JSON_STRING)
        return field_refuse(err, ERR_TYPE, path, m, "a string%s",
                            may_unset ? ", or null: the variable is taken away" : "");
    out->entries[out->count++] =
        unset ? xstrdup(name) : xasprintf("%s=%s", name, json_string(m));
    return 0;
}

static int parse_environment(const struct json *v, const char *path, bool may_unset,
                             struct command_environment *out, struct errbuf *err)
{
    struct command_environment e = {0};
    char member[FIELD_PATH_MAX];
    size_t bytes = 0;
    int rc = 0;

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, path, v, "an object: a variable's name and its value");
    if (json_count(v) > COMMAND_VARIABLES_MAX)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d variables", COMMAND_VARIABLES_MAX);
    e.entries = xcalloc(json_count(v) + 1, sizeof(*e.entries));
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m)) {
        field_path(member, path, json_key(m));
        rc = parse_variable(m, member, may_unset, &e, err);
        bytes += rc ? 0 : strlen(e.entries[e.count - 1]);
    }
    if (!rc && bytes > COMMAND_VARIABLES_BYTES_MAX)
        rc = field_refuse(err, ERR_LIMIT, path, v, "at most %d bytes in all",
                          COMMAND_VARIABLES_BYTES_MAX);
    if (rc)
        environment_finish(&e);
    else
        *out = e;
    return rc;
}

static void write_environment(const struct command_environment *e, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < e->count; i++) {
        size_t len = strcspn(e->entries[i], "=");
        char *name = xasprintf("%.*s", (int)len, e->entries[i]);
        jw_key(w, name);
        if (e->entries[i][len])
            jw_string(w, e->entries[i] + len + 1);
        else
            jw_null(w);
        free(name);
    }
    jw_end_object(w);
}

/* --- the whole ------------------------------------------------------------------------------ */

static int parse_seconds(const struct json *object, const char *path, const char *key, double *out,
                         struct errbuf *err)
{
    const struct json *v = json_get(object, key);
    char member[FIELD_PATH_MAX];

    field_path(member, path, key);
    if (!v)
        return 0;
    if (json_type(v) != JSON_NUMBER || !(json_number(v) >= 0) ||
        json_number(v) > COMMAND_SECONDS_MAX)
        return field_refuse(err, ERR_VALUE, member, v, "a number from 0 to %d",
                            COMMAND_SECONDS_MAX);
    *out = json_number(v);
    return 0;
}

static int parse_environments(const struct json *object, const char *path,
                              struct command_manner *m, struct errbuf *err)
{
    const struct json *base = json_get(object, "base_environment");
    const struct json *changes = json_get(object, "environment");
    char member[FIELD_PATH_MAX];
    int rc = 0;

    field_path(member, path, "base_environment");
    if (base)
        rc = parse_environment(base, member, false, &m->base, err);
    m->has_base = base && !rc;
    field_path(member, path, "environment");
    if (!rc && changes)
        rc = parse_environment(changes, member, true, &m->changes, err);
    return rc;
}

static int parse_switch(const struct json *object, const char *path, const char *key, bool *out,
                        struct errbuf *err)
{
    const struct json *v = json_get(object, key);
    char member[FIELD_PATH_MAX];

    field_path(member, path, key);
    if (v && json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, member, v, "true or false");
    *out = v && json_bool(v);
    return 0;
}

static int parse_hearing(const struct json *object, const char *path, struct command_manner *m,
                         struct errbuf *err)
{
    const struct json *patterns = json_get(object, "patterns");
    const struct json *channels = json_get(object, "metrics_from");
    char member[FIELD_PATH_MAX];
    int rc = 0;

    field_path(member, path, "patterns");
    if (patterns)
        rc = command_patterns_parse(patterns, member, m, err);
    field_path(member, path, "metrics_from");
    if (!rc && channels)
        rc = command_channels_parse(channels, member, &m->channels, err);
    return rc;
}

int command_manner_parse(const struct json *object, const char *path, struct command_manner *out,
                         struct errbuf *err)
{
    struct command_manner m = {.grace_seconds = COMMAND_GRACE_SECONDS,
                               .channels = COMMAND_CHANNELS_ALL};
    const struct json *directory = json_get(object, "directory");
    const struct json *curves = json_get(object, "curves");
    char member[FIELD_PATH_MAX];
    int rc = 0;

    field_path(member, path, "directory");
    if (directory)
        rc = parse_directory(directory, member, m.directory, err);
    field_path(member, path, "curves");
    if (!rc && curves)
        rc = command_curves_parse(curves, member, &m.curves, err);
    if (!rc)
        rc = parse_environments(object, path, &m, err);
    if (!rc)
        rc = parse_switch(object, path, "python_values", &m.python_values, err);
    if (!rc)
        rc = parse_switch(object, path, "nested_params", &m.nested_params, err);
    if (!rc)
        rc = parse_switch(object, path, "can_resume", &m.can_resume, err);
    if (!rc)
        rc = parse_seconds(object, path, "stop_seconds", &m.stop_seconds, err);
    if (!rc)
        rc = parse_seconds(object, path, "grace_seconds", &m.grace_seconds, err);
    if (!rc)
        rc = parse_hearing(object, path, &m, err);
    if (rc)
        command_manner_finish(&m);
    else
        *out = m;
    return rc;
}

void command_manner_write(const struct command_manner *m, struct json_writer *w)
{
    jw_kv_string(w, "directory", m->directory);
    jw_key(w, "curves");
    command_curves_write(&m->curves, w);
    if (m->has_base) {
        jw_key(w, "base_environment");
        write_environment(&m->base, w);
    }
    if (m->changes.count > 0) {
        jw_key(w, "environment");
        write_environment(&m->changes, w);
    }
    if (m->python_values)
        jw_kv_bool(w, "python_values", true);
    if (m->nested_params)
        jw_kv_bool(w, "nested_params", true);
    if (m->can_resume)
        jw_kv_bool(w, "can_resume", true);
    if (m->stop_seconds != 0)
        jw_kv_real(w, "stop_seconds", m->stop_seconds);
    if (m->grace_seconds != COMMAND_GRACE_SECONDS)
        jw_kv_real(w, "grace_seconds", m->grace_seconds);
    if (m->pattern_count > 0) {
        jw_key(w, "patterns");
        command_patterns_write(m, w);
    }
    if (m->channels != COMMAND_CHANNELS_ALL) {
        jw_key(w, "metrics_from");
        command_channels_write(m->channels, w);
    }
}

static const char *find_variable(const struct command_environment *e, const char *name, bool *set)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < e->count; i++) {
        const char *entry = e->entries[i];
        if (strncmp(entry, name, len) != 0 || (entry[len] && entry[len] != '='))
            continue;
        *set = true;
        return entry[len] ? entry + len + 1 : NULL;
    }
    *set = false;
    return NULL;
}

const char *command_manner_variable(const struct command_manner *m, const char *name)
{
    bool set = false;
    const char *value = m ? find_variable(&m->changes, name, &set) : NULL;

    if (!set && m && m->has_base)
        return find_variable(&m->base, name, &set);
    return set ? value : getenv(name);
}

void command_manner_copy(const struct command_manner *from, struct command_manner *to)
{
    *to = *from;
    environment_copy(&from->base, &to->base);
    environment_copy(&from->changes, &to->changes);
    command_patterns_copy(from, to);
}

void command_manner_finish(struct command_manner *m)
{
    environment_finish(&m->base);
    environment_finish(&m->changes);
    command_patterns_finish(m);
}

void command_manner_forget(struct command_manner *m)
{
    size_t kept = 0;

    environment_finish(&m->base);
    m->has_base = false;
    for (size_t i = 0; i < m->changes.count; i++) {
        const char *value = strchr(m->changes.entries[i], '=');
        if (value && strcmp(value + 1, COMMAND_MASK) == 0)
            free(m->changes.entries[i]);
        else
            m->changes.entries[kept++] = m->changes.entries[i];
    }
    m->changes.count = kept;
}
