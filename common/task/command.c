/* What a specification says of a program: its words, its folder, the series that it reports. */
#include "sweep/command.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define TASK_PATH "$.task"

/* --- words ---------------------------------------------------------------------------------- */

/* What a list of words may come to, and what it has come to. */
struct words_reader {
    bool templates;
    size_t most_words, most_bytes, longest;
    size_t bytes, macros;
    struct command_words words;
};

static int parse_word(const struct json *v, const char *path, struct words_reader *r,
                      struct errbuf *err)
{
    if (json_type(v) != JSON_STRING)
        return field_refuse(err, ERR_TYPE, path, v, "a string");
    size_t len = strlen(json_string(v));
    r->bytes += len;
    if (len > r->longest)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %zu bytes", r->longest);
    if (r->bytes > r->most_bytes)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %zu bytes in all words",
                            r->most_bytes);
    if (len == 0 && r->words.count == 0)
        return field_refuse(err, ERR_VALUE, path, v, "a program: its path, or its name in PATH");
    int rc = r->templates ? command_template_check(v, path, &r->macros, err) : 0;
    if (!rc)
        command_words_add(&r->words, xstrdup(json_string(v)));
    return rc;
}

int command_words_parse(const struct json *v, const char *path, bool templates,
                        struct command_words *out, struct errbuf *err)
{
    struct words_reader r = {
        .templates = templates,
        .most_words = templates ? COMMAND_WORDS_MAX : COMMAND_ARGUMENTS_MAX,
        .most_bytes = templates ? COMMAND_BYTES_MAX : COMMAND_EXPANDED_BYTES_MAX,
        .longest = templates ? COMMAND_WORD_BYTES_MAX : COMMAND_ARGUMENT_BYTES_MAX,
    };
    char member[FIELD_PATH_MAX];
    int rc = 0;

    if (json_type(v) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, path, v,
                            "a list of strings, the program first: no shell takes it apart");
    if (json_count(v) == 0)
        return field_refuse(err, ERR_VALUE, path, v, "a program and its arguments");
    if (json_count(v) > r.most_words)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %zu words", r.most_words);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m)) {
        field_path_index(member, path, r.words.count);
        rc = parse_word(m, member, &r, err);
    }
    if (rc)
        command_words_finish(&r.words);
    else
        *out = r.words;
    return rc;
}

void command_words_write(const struct command_words *c, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < c->count; i++)
        jw_string(w, c->words[i]);
    jw_end_array(w);
}

/* --- folder and series ---------------------------------------------------------------------- */

int command_directory_parse(const struct json *v, const char *path, char out[COMMAND_DIRECTORY_MAX],
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

/* The columns a program can feed: the time is the supervisor's own. */
static size_t curve_keys(const char *keys[CURVE_COLUMN_COUNT + 1])
{
    size_t n = 0;

    keys[n++] = "epoch";
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++)
        if (c != CURVE_SECONDS)
            keys[n++] = curve_column_name((enum curve_column)c);
    return n;
}

/* One series would not know which of two columns it is. */
static int refuse_twice(const struct command_curves *c, int column, const char *path,
                        const struct json *v, struct errbuf *err)
{
    bool twice = strcmp(c->column[column], c->epoch) == 0;

    for (int other = 0; other < CURVE_COLUMN_COUNT; other++)
        twice |= other != column && strcmp(c->column[other], c->column[column]) == 0;
    return twice ? field_refuse(err, ERR_VALUE, path, v, "a series that feeds nothing else") : 0;
}

static int parse_column(const struct json *v, const char *path, int c, struct command_curves *out,
                        struct errbuf *err)
{
    const struct json *name = json_get(v, curve_column_name((enum curve_column)c));
    char member[FIELD_PATH_MAX];

    if (!name)
        return 0;
    field_path(member, path, json_key(name));
    int rc = field_string(name, member, out->column[c], sizeof(out->column[c]), err);
    return rc ? rc : refuse_twice(out, c, member, name, err);
}

int command_curves_parse(const struct json *v, const char *path, struct command_curves *out,
                         struct errbuf *err)
{
    const char *keys[CURVE_COLUMN_COUNT + 1];
    struct command_curves curves = {0};
    char member[FIELD_PATH_MAX];
    int rc = field_object(v, path, keys, curve_keys(keys), err);
    const struct json *epoch = rc ? NULL : json_get(v, "epoch");

    field_path(member, path, "epoch");
    if (epoch)
        rc = field_string(epoch, member, curves.epoch, sizeof(curves.epoch), err);
    for (int c = 0; c < CURVE_COLUMN_COUNT && !rc; c++)
        rc = parse_column(v, path, c, &curves, err);
    if (!rc)
        *out = curves;
    return rc;
}

void command_curves_write(const struct command_curves *c, struct json_writer *w)
{
    jw_begin_object(w);
    if (c->epoch[0])
        jw_kv_string(w, "epoch", c->epoch);
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (c->column[i][0])
            jw_kv_string(w, curve_column_name((enum curve_column)i), c->column[i]);
    jw_end_object(w);
}

/* --- the task ------------------------------------------------------------------------------- */

int command_task_parse(const struct json *v, struct command_task *out, struct errbuf *err)
{
    static const char *const keys[] = {"command", "directory", "curves"};
    struct command_task t = {0};
    int rc = field_object(v, TASK_PATH, keys, ARRAY_LEN(keys), err);
    const struct json *command = json_get(v, "command"), *curves = json_get(v, "curves");
    const struct json *directory = json_get(v, "directory");

    if (!rc && !command)
        rc = field_missing(err, TASK_PATH, "command",
                           "the program to run, such as [\"./train.sh\", \"${args}\"]");
    if (!rc && directory)
        rc = command_directory_parse(directory, TASK_PATH ".directory", t.directory, err);
    if (!rc && curves)
        rc = command_curves_parse(curves, TASK_PATH ".curves", &t.curves, err);
    if (!rc)
        rc = command_words_parse(command, TASK_PATH ".command", true, &t.command, err);
    if (!rc)
        *out = t;
    return rc;
}

void command_task_write(const struct command_task *t, struct json_writer *w)
{
    jw_begin_object(w);
    jw_key(w, "command");
    command_words_write(&t->command, w);
    jw_kv_string(w, "directory", t->directory);
    jw_key(w, "curves");
    command_curves_write(&t->curves, w);
    jw_end_object(w);
}

void command_task_finish(struct command_task *t)
{
    command_words_finish(&t->command);
}
