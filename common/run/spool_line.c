#include "sweep/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const struct {
    const char *name;
    bool of_attempt;
} orders[] = {
#define X(id, name, of_attempt) {name, of_attempt},
    SPOOL_ORDER_MAP(X)
#undef X
};

static const char *const notes[] = {
#define X(id, name) name,
    SPOOL_NOTE_MAP(X)
#undef X
};

void spool_attempt_name(const struct spool_attempt *a, char out[SPOOL_ATTEMPT_MAX])
{
    snprintf(out, SPOOL_ATTEMPT_MAX, "%" PRId64 ".%" PRId64, a->run_id, a->number);
}

bool spool_attempt_read(const char *name, struct spool_attempt *out)
{
    struct spool_attempt a = {0};
    char again[SPOOL_ATTEMPT_MAX];
    if (sscanf(name, "%" SCNd64 ".%" SCNd64, &a.run_id, &a.number) != 2 || a.run_id < 1 ||
        a.number < 1)
        return false;
    spool_attempt_name(&a, again);
    if (strcmp(again, name) != 0)
        return false;
    *out = a;
    return true;
}

bool spool_same(const struct spool_attempt *a, const struct spool_attempt *b)
{
    return a->run_id == b->run_id && a->number == b->number;
}

static void write_attempt(const struct spool_attempt *a, struct json_writer *w)
{
    jw_kv_int(w, "run", a->run_id);
    jw_kv_int(w, "attempt", a->number);
}

static bool read_attempt(const struct json *root, struct spool_attempt *out)
{
    return json_get_int64(root, "run", &out->run_id, NULL) == 0 &&
           json_get_int64(root, "attempt", &out->number, NULL) == 0 && out->run_id > 0 &&
           out->number > 0;
}

/* Which of the names stands under that key; count: none. */
static size_t read_type(const struct json *root, const char *key, const char *(*name)(size_t),
                        size_t count)
{
    const char *text;
    size_t i = 0;
    if (json_get_string(root, key, &text, NULL) != 0)
        return count;
    while (i < count && strcmp(name(i), text) != 0)
        i++;
    return i;
}

static const char *order_name(size_t i)
{
    return orders[i].name;
}

static const char *note_name(size_t i)
{
    return notes[i];
}

void spool_order_write(const struct spool_order *o, struct buf *line)
{
    struct json_writer w;
    REQUIRE((unsigned)o->type < SPOOL_ORDER_COUNT);
    jw_init(&w, line);
    jw_begin_object(&w);
    jw_kv_string(&w, "order", orders[o->type].name);
    if (orders[o->type].of_attempt)
        write_attempt(&o->at, &w);
    jw_end_object(&w);
    buf_putc(line, '\n');
}

bool spool_order_read(const char *line, size_t len, struct spool_order *out)
{
    struct spool_order o = {0};
    struct json *root = json_parse(line, len, NULL);
    size_t count = ARRAY_LEN(orders);
    size_t type = root ? read_type(root, "order", order_name, count) : count;
    bool ok = type < ARRAY_LEN(orders) && (!orders[type].of_attempt || read_attempt(root, &o.at));
    o.type = (enum spool_order_type)type;
    json_destroy(root);
    if (ok)
        *out = o;
    return ok;
}

void spool_note_write(const struct spool_note *n, struct buf *line)
{
    struct json_writer w;
    REQUIRE((unsigned)n->type < SPOOL_NOTE_COUNT);
    jw_init(&w, line);
    jw_begin_object(&w);
    jw_kv_string(&w, "note", notes[n->type]);
    if (n->type == SPOOL_NOTE_TOOK || n->type == SPOOL_NOTE_ENDED)
        write_attempt(&n->at, &w);
    if (n->type == SPOOL_NOTE_ENDED) {
        jw_kv_int(&w, "status", n->status);
        jw_kv_int(&w, "signal", n->signal);
        jw_kv_bool(&w, "out_of_memory", n->out_of_memory);
        jw_kv_bool(&w, "leaving", n->leaving);
    }
    if (n->type == SPOOL_NOTE_HELLO) {
        jw_kv_string(&w, "job", n->job);
        jw_kv_string(&w, "host", n->host);
        jw_kv_int(&w, "orders", n->orders);
    }
    if (n->text[0])
        jw_kv_string(&w, "text", n->text);
    jw_end_object(&w);
    buf_putc(line, '\n');
}

static void take_text(const struct json *root, const char *key, char *out, size_t size)
{
    const char *text;
    if (json_get_string(root, key, &text, NULL) == 0)
        str_copy(out, size, text);
}

static bool read_end(const struct json *root, struct spool_note *n)
{
    (void)json_get_bool(root, "leaving", &n->leaving, NULL);
    (void)json_get_bool(root, "out_of_memory", &n->out_of_memory, NULL);
    return json_get_int64(root, "status", &n->status, NULL) == 0 &&
           json_get_int64(root, "signal", &n->signal, NULL) == 0 && n->signal >= 0 &&
           n->signal < 128;
}

bool spool_note_read(const char *line, size_t len, struct spool_note *out)
{
    struct spool_note n = {0};
    struct json *root = json_parse(line, len, NULL);
    size_t type = root ? read_type(root, "note", note_name, ARRAY_LEN(notes)) : ARRAY_LEN(notes);
    bool ok = type < ARRAY_LEN(notes);
    n.type = (enum spool_note_type)type;
    if (ok && (n.type == SPOOL_NOTE_TOOK || n.type == SPOOL_NOTE_ENDED))
        ok = read_attempt(root, &n.at);
    if (ok && n.type == SPOOL_NOTE_ENDED)
        ok = read_end(root, &n);
    if (ok) {
        (void)json_get_int64(root, "orders", &n.orders, NULL);
        take_text(root, "job", n.job, sizeof(n.job));
        take_text(root, "host", n.host, sizeof(n.host));
        take_text(root, "text", n.text, sizeof(n.text));
        *out = n;
    }
    json_destroy(root);
    return ok;
}
