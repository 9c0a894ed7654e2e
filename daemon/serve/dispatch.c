#include "daemon/serve/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/serve/conn.h"
#include "daemon/serve/request.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/rpc.h"

#define COMMAND_MAP(X)                                                                            \
    X(submit) X(list) X(show) X(runs) X(best) X(run) X(log) X(curve) X(data) X(pause) X(resume)   \
    X(cancel) X(delete) X(status) X(watch) X(unwatch) X(wait) X(labels) X(events) X(shutdown)    \
    X(treat) X(explain) X(relabel) X(enqueue) X(extend) X(backup) X(submitted) \
    X(ask) X(report) X(tell) X(decisions) X(replay) X(import)

#define X(verb) extern const struct command command_##verb;
COMMAND_MAP(X)
#undef X

static const struct command *const commands[] = {
#define X(verb) &command_##verb,
    COMMAND_MAP(X)
#undef X
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name, struct errbuf *err)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        names[i] = commands[i]->name;
    }
    const char *near = err_nearest(name, names, COMMAND_COUNT);
    struct buf all = {0};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    if (near)
        err_bad(err, ERR_METHOD, "method", name, "did you mean %s?", near);
    else
        err_bad(err, ERR_METHOD, "method", name, "%s", all.data);
    buf_finish(&all);
    return NULL;
}

static int find_param(const struct command *c, const char *key, struct errbuf *err)
{
    const char *names[COMMAND_PARAMS_MAX];
    char path[sizeof(err->key)];
    int n = 0;
    for (; c->params[n].name; n++) {
        if (strcmp(c->params[n].name, key) == 0)
            return n;
        names[n] = c->params[n].name;
    }
    snprintf(path, sizeof(path), "$.%s", key);
    const char *near = err_nearest(key, names, (size_t)n);
    struct buf all = {0};
    for (int i = 0; i < n; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    err_bad(err, ERR_KEY, path, "an unknown key", "%s%s%s%s", n ? all.data : "no parameters",
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    buf_finish(&all);
    return ERR_KEY;
}

static const struct {
    enum json_type type;
    const char *words;
} param_types[] = {
    [PARAM_INTEGER] = {JSON_NUMBER, "an integer"}, [PARAM_SWITCH] = {JSON_BOOL, "true or false"},
    [PARAM_OBJECT] = {JSON_OBJECT, "an object"},   [PARAM_ARRAY] = {JSON_ARRAY, "a list"},
    [PARAM_WORD] = {JSON_STRING, "a string"},      [PARAM_TEXT] = {JSON_STRING, "a string"},
};

static int read_integer(const struct param *p, const char *path, const struct json *v,
                        int64_t *out, struct errbuf *err)
{
    struct buf given = {0};
    struct json_writer w;
    int64_t i = 0;
    int rc = json_int64(v, &i);
    if (rc == 0 && (i < p->min || i > p->max))
        rc = ERR_VALUE;
    if (rc < 0) {
        jw_init(&w, &given);
        jw_value(&w, v);
        err_bad(err, rc, path, given.data, "an integer from %" PRId64 " to %" PRId64, p->min,
                p->max);
        buf_finish(&given);
        return rc;
    }
    *out = i;
    return 0;
}

static int read_word(const char *path, const struct json *v, char *out, size_t size,
                     struct errbuf *err)
{
    if (json_type(v) != JSON_STRING)
        return err_bad(err, ERR_TYPE, path, json_type_name(json_type(v)), "a string");
    if (strlen(json_string(v)) >= size)
        return err_bad(err, ERR_VALUE, path, json_string(v), "a name of at most %zu bytes",
                       size - 1);
    str_copy(out, size, json_string(v));
    return 0;
}

static int read_param(struct request *r, int i, const struct json *v, struct errbuf *err)
{
    const struct param *p = &r->command->params[i];
    char path[80];
    snprintf(path, sizeof(path), "$.%s", p->name);
    r->given[i] = true;
    if (p->type == PARAM_INTEGER)
        return read_integer(p, path, v, &r->arg[i], err);
    if (p->type == PARAM_WORD)
        return read_word(path, v, r->word, sizeof(r->word), err);
    if (json_type(v) != param_types[p->type].type)
        return err_bad(err, ERR_TYPE, path, json_type_name(json_type(v)), "%s",
                       param_types[p->type].words);
    if (p->type == PARAM_SWITCH)
        r->arg[i] = json_bool(v);
    else if (p->type == PARAM_TEXT)
        r->string = json_string(v);
    else
        r->object = v;
    return 0;
}

static int read_params(struct request *r, const struct json *params, struct errbuf *err)
{
    const struct command *c = r->command;
    for (int i = 0; c->params[i].name; i++)
        r->arg[i] = c->params[i].fallback;
    for (const struct json *v = params ? json_first(params) : NULL; v; v = json_next(v)) {
        int i = find_param(c, json_key(v), err);
        int rc = i < 0 ? i : read_param(r, i, v, err);
        if (rc < 0)
            return rc;
    }
    for (int i = 0; c->params[i].name; i++) {
        char path[80];
        snprintf(path, sizeof(path), "$.%s", c->params[i].name);
        if (c->params[i].required && !r->given[i])
            return err_bad(err, ERR_MISSING, path, "nothing", "%s",
                           param_types[c->params[i].type].words);
    }
    return 0;
}

static void answer_error(struct conn *conn, const struct rpc_id *id, const struct errbuf *err)
{
    struct buf line = {0};
    rpc_write_error(&line, id, err);
    conn_send(conn, line.data, line.len);
    buf_finish(&line);
}

void dispatch_line(struct daemon *d, struct conn *conn, const char *line, size_t len)
{
    struct rpc_request in;
    struct errbuf err;
    memset(&in, 0, sizeof(in));
    memset(&err, 0, sizeof(err));
    if (rpc_request_parse(line, len, &in, &err) < 0) {
        answer_error(conn, &in.id, &err);
        return;
    }
    const struct command *command = find_command(in.method, &err);
    if (!command) {
        if (in.id.present)
            answer_error(conn, &in.id, &err);
        rpc_request_finish(&in);
        return;
    }
    struct request *r = request_create(d, conn, &in.id, command);
    if (read_params(r, in.params, &err) < 0)
        request_error(r, &err);
    else
        command->run(r);
    rpc_request_finish(&in);
}
