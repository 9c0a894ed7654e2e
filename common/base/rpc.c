#include "sweep/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct line {
    const char *text;
    size_t len;
};

static const struct rpc_id null_id = {.present = true, .text = "null"};

/* --- requests ---------------------------------------------------------------------------- */

/* Refuses a member with what was given for it. v may be NULL: it is missing. */
static int refuse(const struct json *v, int code, const char *key, const char *allowed,
                  struct errbuf *err)
{
    char given[96] = "nothing";

    if (v)
        json_excerpt(v, given, sizeof(given));
    return err_bad(err, code, key, given, "%s", allowed);
}

/* The id goes back as it came: a number that was read need not be the one that was written. */
static int read_id(const struct json *v, const struct line *line, struct rpc_id *out,
                   struct errbuf *err)
{
    const char *text;
    size_t len;

    if (json_type(v) == JSON_BOOL || json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT)
        return refuse(v, ERR_REQUEST, "id", "a string, a number or null", err);
    if (!json_member_text(line->text, line->len, "id", &text, &len))
        return refuse(v, ERR_REQUEST, "id", "a member whose name has no escapes", err);
    if (len >= sizeof(out->text))
        return refuse(v, ERR_REQUEST, "id", "at most 127 bytes of JSON", err);
    out->present = true;
    memcpy(out->text, text, len);
    out->text[len] = '\0';
    return 0;
}

static int check_members(const struct json *root, struct errbuf *err)
{
    static const char *const known[] = {"jsonrpc", "id", "method", "params"};

    for (const struct json *v = json_first(root); v; v = json_next(v)) {
        const char *key = json_key(v), *near;
        bool found = false;

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found = found || strcmp(known[i], key) == 0;
        if (found)
            continue;
        near = err_nearest(key, known, ARRAY_LEN(known));
        return err_bad(err, ERR_REQUEST, key, "an unknown member",
                       "jsonrpc, id, method, params%s%s%s", near ? " (did you mean \"" : "",
                       near ? near : "", near ? "\"?)" : "");
    }
    return 0;
}

static int check_version(const struct json *root, struct errbuf *err)
{
    const struct json *v = json_get(root, "jsonrpc");

    if (v && json_type(v) == JSON_STRING && strcmp(json_string(v), "2.0") == 0)
        return 0;
    return refuse(v, ERR_REQUEST, "jsonrpc", "\"2.0\"", err);
}

static int read_method(const struct json *root, char *out, size_t size, struct errbuf *err)
{
    const struct json *v = json_get(root, "method");

    if (!v || json_type(v) != JSON_STRING)
        return refuse(v, ERR_REQUEST, "method", "a method's name as a string", err);
    if (!*json_string(v) || strlen(json_string(v)) >= size)
        return refuse(v, ERR_REQUEST, "method", "a method's name of 1 to 63 bytes", err);
    str_copy(out, size, json_string(v));
    return 0;
}

static int read_params(const struct json *root, const struct json **out, struct errbuf *err)
{
    const struct json *v = json_get(root, "params");

    /* JSON-RPC also has parameters by position; ours have names only. */
    if (v && json_type(v) != JSON_OBJECT)
        return refuse(v, ERR_TYPE, "params", "an object of parameters by name, or left out", err);
    *out = v;
    return 0;
}

static int read_request(const struct json *root, const struct line *line, struct rpc_request *r,
                        struct errbuf *err)
{
    const struct json *id = json_get(root, "id");
    int rc = 0;

    if (json_type(root) == JSON_ARRAY)
        return err_set(err, ERR_REQUEST, "batches are not supported: send one object a line");
    if (json_type(root) != JSON_OBJECT)
        return refuse(root, ERR_REQUEST, "request", "one JSON object a line", err);
    /* First of all, so that the errors behind it reach the request they belong to. */
    if (id)
        rc = read_id(id, line, &r->id, err);
    if (rc == 0)
        rc = check_version(root, err);
    if (rc == 0)
        rc = check_members(root, err);
    if (rc == 0)
        rc = read_method(root, r->method, sizeof(r->method), err);
    if (rc == 0)
        rc = read_params(root, &r->params, err);
    return rc;
}

int rpc_request_parse(const char *line, size_t len, struct rpc_request *out, struct errbuf *err)
{
    struct errbuf unused;
    struct rpc_request r = {0};
    int rc;

    err = err ? err : &unused;
    *out = (struct rpc_request){.id = null_id};
    if (len > RPC_LINE_MAX)
        return err_set(err, ERR_REQUEST, "the line is longer than %d bytes", RPC_LINE_MAX);
    r.root = json_parse(line, len, err);
    if (!r.root)
        return err->code;
    rc = read_request(r.root, &(struct line){line, len}, &r, err);
    if (rc == 0) {
        *out = r;
        return 0;
    }
    /* What is not a request cannot be a notification either: it is answered. */
    if (r.id.present)
        out->id = r.id;
    json_destroy(r.root);
    return rc;
}

void rpc_request_finish(struct rpc_request *r)
{
    json_destroy(r->root);
    *r = (struct rpc_request){0};
}

/* --- writing ----------------------------------------------------------------------------- */

static void begin(struct json_writer *w, struct buf *out)
{
    jw_init(w, out);
    jw_begin_object(w);
    jw_kv_string(w, "jsonrpc", "2.0");
}

static void end(struct json_writer *w)
{
    jw_end_object(w);
    buf_putc(w->out, '\n');
}

void rpc_write_request(struct buf *out, int64_t id, const char *method, const char *params)
{
    struct json_writer w;

    begin(&w, out);
    jw_kv_int(&w, "id", id);
    jw_kv_string(&w, "method", method);
    if (params)
        jw_kv_raw(&w, "params", params);
    end(&w);
}

void rpc_write_result(struct buf *out, const struct rpc_id *id, const char *result)
{
    struct json_writer w;

    begin(&w, out);
    jw_kv_raw(&w, "id", id->present ? id->text : "null");
    jw_kv_raw(&w, "result", result);
    end(&w);
}

static void write_parts(const struct errbuf *err, struct json_writer *w)
{
    jw_kv_string(w, "key", err->key);
    jw_kv_string(w, "value", err->value);
    jw_kv_string(w, "allowed", err->allowed);
}

static void write_problems(const struct errbuf *err, size_t count, struct json_writer *w)
{
    jw_key(w, "problems");
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "error", err_name(err[i].code));
        jw_kv_string(w, "message", err[i].message);
        write_parts(&err[i], w);
        jw_end_object(w);
    }
    jw_end_array(w);
}

void rpc_write_errors(struct buf *out, const struct rpc_id *id, const struct errbuf *err,
                      size_t count)
{
    struct json_writer w;

    begin(&w, out);
    jw_kv_raw(&w, "id", id->present ? id->text : "null");
    jw_key(&w, "error");
    jw_begin_object(&w);
    jw_kv_int(&w, "code", err_rpc_code(err->code));
    jw_kv_string(&w, "message", err->message);
    jw_key(&w, "data");
    jw_begin_object(&w);
    jw_kv_string(&w, "error", err_name(err->code));
    write_parts(err, &w);
    if (count > 1)
        write_problems(err, count, &w);
    jw_end_object(&w);
    jw_end_object(&w);
    end(&w);
}

void rpc_write_error(struct buf *out, const struct rpc_id *id, const struct errbuf *err)
{
    rpc_write_errors(out, id, err, 1);
}

void rpc_write_notification(struct buf *out, const char *method, const char *params)
{
    struct json_writer w;

    begin(&w, out);
    jw_kv_string(&w, "method", method);
    if (params)
        jw_kv_raw(&w, "params", params);
    end(&w);
}

/* --- replies ----------------------------------------------------------------------------- */

static void copy_member(const struct json *obj, const char *key, char *out, size_t size)
{
    const char *text;

    if (json_get_string(obj, key, &text, NULL) == 0)
        str_copy(out, size, text);
}

static int read_error(const struct json *v, struct errbuf *out, struct errbuf *err)
{
    const struct json *data = json_get(v, "data");
    const char *name;

    if (json_type(v) != JSON_OBJECT)
        return refuse(v, ERR_REQUEST, "error", "an object", err);
    out->code = ERR_INTERNAL;
    if (json_get_string(data, "error", &name, NULL) == 0)
        out->code = err_from_name(name);
    copy_member(v, "message", out->message, sizeof(out->message));
    copy_member(data, "key", out->key, sizeof(out->key));
    copy_member(data, "value", out->value, sizeof(out->value));
    copy_member(data, "allowed", out->allowed, sizeof(out->allowed));
    return 0;
}

static int read_reply(const struct json *root, struct rpc_reply *r, struct errbuf *err)
{
    const struct json *id = json_get(root, "id"), *error = json_get(root, "error");
    int rc = json_type(root) == JSON_OBJECT
                 ? check_version(root, err)
                 : refuse(root, ERR_REQUEST, "reply", "one JSON object a line", err);

    if (rc != 0)
        return rc;
    if (json_get(root, "method")) {
        r->notification = true;
        rc = read_method(root, r->method, sizeof(r->method), err);
        return rc == 0 ? read_params(root, &r->result, err) : rc;
    }
    r->result = json_get(root, "result");
    if (!r->result == !error)
        return err_set(err, ERR_REQUEST, "a reply has either a result or an error");
    /* An error's id is null where the daemon could not read the request's. */
    if (!id || (json_int64(id, &r->id) != 0 && !(error && json_type(id) == JSON_NULL)))
        return refuse(id, ERR_REQUEST, "id", "the request's id", err);
    return error ? read_error(error, &r->error, err) : 0;
}

int rpc_reply_parse(const char *line, size_t len, struct rpc_reply *out, struct errbuf *err)
{
    struct errbuf unused;
    struct rpc_reply r = {0};
    int rc;

    err = err ? err : &unused;
    r.root = json_parse(line, len, err);
    if (!r.root)
        return err->code;
    rc = read_reply(r.root, &r, err);
    if (rc == 0)
        *out = r;
    else
        json_destroy(r.root);
    return rc;
}

void rpc_reply_finish(struct rpc_reply *r)
{
    json_destroy(r->root);
    *r = (struct rpc_reply){0};
}
