#include "client/program_spec.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/utf8.h"
#include "sweep/command.h"

/* Of ours alone, or of the shell that started us. */
static bool stays_here(const char *entry, size_t name)
{
    return name == 0 || (name == 1 && entry[0] == '_') || strncmp(entry, "SWEEPD_", 7) == 0;
}

static bool is_text(const char *text)
{
    uint32_t c;
    size_t n = 1;

    while (*text != '\0' && n > 0) {
        n = utf8_decode(text, &c);
        text += n;
    }
    return n > 0;
}

static size_t environment_bytes(void)
{
    size_t bytes = 0;

    for (char **e = environ; *e != NULL; e++)
        bytes += strlen(*e);
    return bytes;
}

static void write_environment(struct json_writer *w, struct buf *said)
{
    size_t left_out = 0;

    jw_begin_object(w);
    for (char **e = environ; *e != NULL; e++) {
        size_t name = strcspn(*e, "=");
        if ((*e)[name] == '\0' || stays_here(*e, name))
            continue;
        if (!is_text(*e)) {
            left_out++;
            continue;
        }
        char *key = xasprintf("%.*s", (int)name, *e);
        jw_kv_string(w, key, *e + name + 1);
        free(key);
    }
    jw_end_object(w);
    if (left_out > 0)
        buf_printf(said, "%s%zu variables of the environment are no UTF-8: the program does not "
                         "get them", said->len > 0 ? "\n" : "", left_out);
}

bool program_in_path(const char *name)
{
    const char *path = getenv("PATH");
    char *copy = xstrdup(path ? path : ""), *rest = copy, *folder;
    bool found = false;
    while (!found && (folder = strsep(&rest, ":")) != NULL) {
        char *file = xasprintf("%s/%s", folder, name);
        found = access(file, X_OK) == 0;
        free(file);
    }
    free(copy);
    return found;
}

/* What is called, where that can be told: behind env and its variables, and no macro. */
static const char *called(const struct json *command)
{
    const struct json *m = json_type(command) == JSON_ARRAY ? json_first(command) : NULL;
    bool by_env = false;
    for (; m != NULL && json_type(m) == JSON_STRING; m = json_next(m)) {
        const char *word = json_string(m);
        if (strcmp(word, "${env}") == 0 || strcmp(word, "/usr/bin/env") == 0)
            by_env = true;
        else if (strcmp(word, "${interpreter}") == 0)
            return "python";
        else if (strstr(word, "${") != NULL || (by_env && word[0] == '-'))
            return NULL;
        else if (!by_env || strchr(word, '=') == NULL)
            return word;
    }
    return NULL;
}

/* Whoever carries it out may have it elsewhere: that is said, and not refused. */
static void look_for_program(const struct json *task, struct buf *said)
{
    const char *word = called(json_get(task, "command"));
    bool elsewhere = json_get(task, "directory") != NULL || json_get(task, "environment") != NULL ||
                     json_get(task, "base_environment") != NULL;
    if (word == NULL || word[0] == '\0' || (elsewhere && word[0] != '/'))
        return;
    if (strchr(word, '/') == NULL && !program_in_path(word))
        buf_printf(said, "%s%s is not in PATH: its runs will fail (task.command)",
                   said->len > 0 ? "\n" : "", word);
    else if (strchr(word, '/') != NULL && access(word, X_OK) != 0)
        buf_printf(said, "%s%s cannot be called from here: %s (task.command)",
                   said->len > 0 ? "\n" : "", word, strerror(errno));
}

static void write_task(const struct json *task, struct json_writer *w, struct buf *said)
{
    char here[PATH_MAX];

    jw_begin_object(w);
    for (const struct json *m = json_first(task); m != NULL; m = json_next(m)) {
        jw_key(w, json_key(m));
        jw_value(w, m);
    }
    if (json_get(task, "directory") == NULL && getcwd(here, sizeof(here)) != NULL && is_text(here))
        jw_kv_string(w, "directory", here);
    if (json_get(task, "base_environment") == NULL) {
        if (environment_bytes() > COMMAND_VARIABLES_BYTES_MAX) {
            buf_puts(said, said->len > 0 ? "\n" : "");
            buf_puts(said, "the environment is too large to be handed on: the program gets the "
                           "daemon's (task.environment adds to it)");
        } else {
            jw_key(w, "base_environment");
            write_environment(w, said);
        }
    }
    jw_end_object(w);
}

bool program_spec_fill(const struct json *spec, struct buf *out, struct buf *said)
{
    const struct json *task = json_get(spec, "task");
    struct json_writer w;

    if (task == NULL || json_type(task) != JSON_OBJECT || json_get(task, "command") == NULL ||
        (json_get(task, "directory") != NULL && json_get(task, "base_environment") != NULL))
        return false;
    look_for_program(task, said);
    jw_init(&w, out);
    jw_begin_object(&w);
    for (const struct json *m = json_first(spec); m != NULL; m = json_next(m)) {
        jw_key(&w, json_key(m));
        if (strcmp(json_key(m), "task") == 0)
            write_task(m, &w, said);
        else
            jw_value(&w, m);
    }
    jw_end_object(&w);
    return true;
}
