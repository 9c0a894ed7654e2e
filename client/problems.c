#include "client/problems.h"

#include <stdlib.h>

static struct problem problem_of(const struct json *v)
{
    return (struct problem){member_string(v, "error", ""), member_string(v, "message", ""),
                            member_string(v, "key", ""), member_string(v, "value", ""),
                            member_string(v, "allowed", "")};
}

static struct problem problem_of_error(const struct errbuf *err)
{
    return (struct problem){err_name(err->code), err->message, err->key, err->value, err->allowed};
}

static struct json_place place_of(const struct spec_text *s, const struct json *root,
                                  const char *key)
{
    struct json_place at;
    bool found = root != NULL && key[0] == '$' &&
                 json_place(s->text, s->len, root, json_at_path(root, key), &at);
    return found ? at : (struct json_place){0};
}

/* In the order of the file, those of one place as the daemon told them. */
static void sort(struct placed *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct placed p = list[i];
        size_t k = i;
        for (; k > 0 && (list[k - 1].at.line > p.at.line ||
                         (list[k - 1].at.line == p.at.line && list[k - 1].at.column > p.at.column));
             k--)
            list[k] = list[k - 1];
        list[k] = p;
    }
}

static void say(struct client *c, const struct spec_text *s, const struct placed *p)
{
    char *line = p->at.line > 0 ? xasprintf("%s:%zu:%zu: %s", s->file, p->at.line, p->at.column,
                                            p->problem.message)
                                : xstrdup(p->problem.message);
    client_say(c, line);
    free(line);
}

static void write_problem(const struct placed *p, struct json_writer *w)
{
    jw_kv_string(w, "error", p->problem.error);
    jw_kv_string(w, "message", p->problem.message);
    jw_kv_string(w, "key", p->problem.key);
    jw_kv_string(w, "value", p->problem.value);
    jw_kv_string(w, "allowed", p->problem.allowed);
    if (p->at.line == 0)
        return;
    jw_kv_int(w, "line", (int64_t)p->at.line);
    jw_kv_int(w, "column", (int64_t)p->at.column);
}

/* {"error": the first, with "problems": all of them}. */
static void print_document(struct client *c, const struct placed *list, size_t count)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_key(&w, "error");
    jw_begin_object(&w);
    write_problem(&list[0], &w);
    jw_key(&w, "problems");
    jw_begin_array(&w);
    for (size_t i = 0; i < count; i++) {
        jw_begin_object(&w);
        write_problem(&list[i], &w);
        jw_end_object(&w);
    }
    jw_end_array(&w);
    jw_end_object(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

/* What the daemon lists, else the error alone. The number of them, from 1. */
static size_t take_all(const struct rpc_reply *reply, struct placed **out)
{
    const struct json *data = json_get(json_get(reply->root, "error"), "data");
    const struct json *v = json_get(data, "problems");
    size_t cap = 0, count = 0;
    struct placed *list = NULL;
    v = v != NULL && json_type(v) == JSON_ARRAY ? json_first(v) : NULL;
    for (; v != NULL; v = json_next(v)) {
        list = array_room(list, &cap, count, sizeof *list);
        list[count++] = (struct placed){.problem = problem_of(v)};
    }
    if (count == 0) {
        list = array_room(list, &cap, count, sizeof *list);
        list[count++] = (struct placed){.problem = problem_of_error(&reply->error)};
    }
    *out = list;
    return count;
}

size_t problems_list(const struct spec_text *s, const struct rpc_reply *reply,
                     struct placed **out)
{
    size_t count = take_all(reply, out);
    struct json *root = json_parse(s->text, s->len, NULL);
    for (size_t i = 0; i < count; i++)
        (*out)[i].at = place_of(s, root, (*out)[i].problem.key);
    sort(*out, count);
    json_destroy(root);
    return count;
}

int problems_fail(struct client *c, const struct spec_text *s, const struct rpc_reply *reply)
{
    struct placed *list;
    size_t count = problems_list(s, reply, &list);
    for (size_t i = 0; i < count; i++)
        say(c, s, &list[i]);
    if (c->json)
        print_document(c, list, count);
    free(list);
    return CLIENT_REFUSED;
}
