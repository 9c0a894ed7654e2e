/* What a specification says of a program: its words, and how it is run and heard. */
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

/* --- the task ------------------------------------------------------------------------------- */

int command_task_parse(const struct json *v, struct command_task *out, struct errbuf *err)
{
    static const char *const keys[] = {"command", "literals", COMMAND_MANNER_KEYS};
    struct command_task t = {0};
    int rc = field_object(v, TASK_PATH, keys, ARRAY_LEN(keys), err);
    const struct json *command = json_get(v, "command"), *literals = json_get(v, "literals");

    if (!rc && !command)
        rc = field_missing(err, TASK_PATH, "command",
                           "the program to run, such as [\"./train.sh\", \"${args}\"]");
    if (!rc)
        rc = command_manner_parse(v, TASK_PATH, &t.manner, err);
    if (!rc)
        rc = command_words_parse(command, TASK_PATH ".command", true, &t.command, err);
    if (!rc && literals)
        rc = command_literals_parse(literals, &t.literals, err);
    if (rc)
        command_task_finish(&t);
    else
        *out = t;
    return rc;
}

void command_task_write(const struct command_task *t, struct json_writer *w)
{
    jw_begin_object(w);
    jw_key(w, "command");
    command_words_write(&t->command, w);
    command_manner_write(&t->manner, w);
    if (t->literals) {
        jw_key(w, "literals");
        jw_value(w, t->literals);
    }
    jw_end_object(w);
}

void command_task_finish(struct command_task *t)
{
    command_words_finish(&t->command);
    command_manner_finish(&t->manner);
    json_destroy(t->literals);
    t->literals = NULL;
}
