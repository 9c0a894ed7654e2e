/* All that is wrong with a specification. The parser stops at the first thing, and knows nothing
 * of this: what it refused is taken out of the text, or replaced by something harmless, and the
 * rest is read again. An error that comes only of what was taken out is not told. */
#include "sweep/spec.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define TEXT_BYTES_MAX 65536 /* of a longer one only the first error is told */
#define ROUNDS_MAX (4 * SPEC_PROBLEMS_MAX)

/* What stands in for a member without which the others could not be judged. */
static const struct stand_in {
    const char *path, *json;
} stand_ins[] = {
    {"$.run_cap", "1"},
    {"$.method", "\"tpe\""}, /* of which most may be said */
    {"$.data", "{\"name\":\"x\",\"validation\":1}"},
    {"$.data.name", "\"x\""},
    {"$.data.path", "\"/x\""},
    {"$.data.format", "\"csv\""},
    {"$.data.target_path", "\"/x\""},
    {"$.data.validation", "1"},
    {"$.metric.goal", "\"minimize\""},
    {"$.parameters", "{\"train.points_per_epoch\":{\"values\":[1]}}"},
    {"$.early_terminate.type", "\"median\""},
};

struct reading {
    const struct json *root;
    const struct json *gone[ROUNDS_MAX]; /* members and elements that were taken out */
    size_t gone_count;
    struct {
        const struct json *node;
        char key[64];
    } renamed[ROUNDS_MAX]; /* members read under the name that was probably meant */
    size_t renamed_count;
    bool used[ARRAY_LEN(stand_ins)];
    struct {
        const struct json *parent;
        const char *key, *json;
    } added[ARRAY_LEN(stand_ins)];
    size_t added_count;
};

static bool is_gone(const struct reading *r, const struct json *v)
{
    for (size_t i = 0; i < r->gone_count; i++)
        if (r->gone[i] == v)
            return true;
    return false;
}

static bool holds_gone(const struct reading *r, const struct json *v)
{
    bool found = is_gone(r, v);

    if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
        for (const struct json *m = json_first(v); m && !found; m = json_next(m))
            found = holds_gone(r, m);
    return found;
}

static const char *key_of(const struct reading *r, const struct json *v)
{
    for (size_t i = 0; i < r->renamed_count; i++)
        if (r->renamed[i].node == v)
            return r->renamed[i].key;
    return json_key(v);
}

/* --- the rest as text ------------------------------------------------------------------------ */

static void write_rest(const struct reading *r, const struct json *v, struct json_writer *w)
{
    bool object = json_type(v) == JSON_OBJECT;

    if (!object && json_type(v) != JSON_ARRAY) {
        jw_value(w, v);
        return;
    }
    object ? jw_begin_object(w) : jw_begin_array(w);
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        if (is_gone(r, m))
            continue;
        if (object)
            jw_key(w, key_of(r, m));
        write_rest(r, m, w);
    }
    for (size_t i = 0; i < r->added_count; i++)
        if (r->added[i].parent == v)
            jw_kv_raw(w, r->added[i].key, r->added[i].json);
    object ? jw_end_object(w) : jw_end_array(w);
}

static int read_rest(const struct reading *r, struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;
    struct spec *s = xcalloc(1, sizeof(*s));

    jw_init(&w, &text);
    write_rest(r, r->root, &w);
    int rc = spec_parse_text(text.data, text.len, s, err);
    if (!rc)
        spec_finish(s);
    free(s);
    buf_finish(&text);
    return rc;
}

/* --- where an error is ------------------------------------------------------------------------ */

/* A path of the rest, found in the whole: elements that went shift those behind them. */
struct spot {
    const struct json *node, *parent; /* the deepest that is there; parent NULL at the root */
    char path[FIELD_PATH_MAX];        /* of node, in the whole */
    char rest[FIELD_PATH_MAX];        /* what follows in the error's path: a member not there */
};

/* One step down from spot towards path; false: nothing there. at: spot's path in the rest. */
static bool step_down(const struct reading *r, const char *path, char at[FIELD_PATH_MAX],
                      struct spot *spot)
{
    bool object = json_type(spot->node) == JSON_OBJECT;
    char next[FIELD_PATH_MAX], whole[FIELD_PATH_MAX];
    size_t place = 0, left = 0;

    if (!object && json_type(spot->node) != JSON_ARRAY)
        return false;
    for (const struct json *m = json_first(spot->node); m; m = json_next(m), place++) {
        if (is_gone(r, m))
            continue;
        object ? field_path(next, at, key_of(r, m)) : field_path_index(next, at, left++);
        if (!field_path_begins(path, next))
            continue;
        object ? field_path(whole, spot->path, json_key(m))
               : field_path_index(whole, spot->path, place);
        spot->parent = spot->node;
        spot->node = m;
        memcpy(spot->path, whole, sizeof(whole));
        memcpy(at, next, sizeof(next));
        return true;
    }
    return false;
}

static void find_spot(const struct reading *r, const char *path, struct spot *out)
{
    char at[FIELD_PATH_MAX] = "$";

    *out = (struct spot){.node = r->root, .path = "$"};
    while (step_down(r, path, at, out))
        continue;
    str_copy(out->rest, sizeof(out->rest), path + field_path_begins(path, at));
}

/* A member that is missed because it was taken out. */
static bool was_taken(const struct reading *r, const struct spot *spot)
{
    char path[FIELD_PATH_MAX];

    if (json_type(spot->node) != JSON_OBJECT)
        return false;
    for (const struct json *m = json_first(spot->node); m; m = json_next(m)) {
        field_path(path, "", json_key(m));
        if (is_gone(r, m) && strcmp(path, spot->rest) == 0)
            return true;
    }
    return false;
}

static bool is_added(const struct reading *r, const struct spot *spot)
{
    for (size_t i = 0; i < r->added_count; i++)
        if (r->added[i].parent == spot->node && spot->rest[0] == '.' &&
            field_path_begins(spot->rest + 1, r->added[i].key))
            return true;
    return false;
}

/* --- passing over it -------------------------------------------------------------------------- */

/* Puts what stands in for that path there; false: nothing does, or it was put there before. */
static bool put_stand_in(struct reading *r, const char *path, const struct json *parent)
{
    for (size_t i = 0; i < ARRAY_LEN(stand_ins); i++) {
        if (strcmp(stand_ins[i].path, path) != 0 || r->used[i])
            continue;
        r->used[i] = true;
        r->added[r->added_count].parent = parent;
        r->added[r->added_count].key = strrchr(stand_ins[i].path, '.') + 1;
        r->added[r->added_count++].json = stand_ins[i].json;
        return true;
    }
    return false;
}

static bool take_out(struct reading *r, const struct spot *spot)
{
    if (!spot->parent || is_gone(r, spot->node))
        return false;
    r->gone[r->gone_count++] = spot->node;
    /* Without a kind of network or of task, most of what is left would be called wrong. */
    if (strcmp(spot->path, "$.model.type") == 0 && json_get(spot->parent, "layers"))
        r->gone[r->gone_count++] = json_get(spot->parent, "layers");
    put_stand_in(r, spot->path, spot->parent);
    return strncmp(spot->path, "$.task", 6) != 0;
}

/* Its value may be wrong too, and what is missed may be just this. */
static bool rename_it(struct reading *r, const struct spot *spot, const struct errbuf *err)
{
    char name[sizeof(r->renamed[0].key)];

    if (err->code != ERR_KEY || !spot->parent || !json_key(spot->node) ||
        !field_meant(err->allowed, name, sizeof(name)) || json_get(spot->parent, name))
        return false;
    if (strchr(name, '.') && strncmp(spot->path, "$.parameters", 12) != 0)
        return false; /* a setting's path: it belongs elsewhere */
    for (size_t i = 0; i < r->renamed_count; i++)
        if (r->renamed[i].node == spot->node || strcmp(r->renamed[i].key, name) == 0)
            return false;
    r->renamed[r->renamed_count].node = spot->node;
    str_copy(r->renamed[r->renamed_count++].key, sizeof(name), name);
    return true;
}

static bool pass_over(struct reading *r, const struct spot *spot, const struct errbuf *err)
{
    char path[FIELD_PATH_MAX + sizeof(spot->rest)];

    if (r->gone_count + 2 > ROUNDS_MAX || r->renamed_count == ROUNDS_MAX)
        return false;
    if (!spot->rest[0])
        return rename_it(r, spot, err) || take_out(r, spot);
    str_copy(path, sizeof(path), spot->path);
    str_copy(path + strlen(path), sizeof(path) - strlen(path), spot->rest);
    return put_stand_in(r, path, spot->node) || take_out(r, spot);
}

/* With the path in the whole; the sentence is put together anew. */
static void tell(const struct errbuf *err, const struct spot *spot, struct errbuf *out)
{
    struct buf path = {0};

    buf_printf(&path, "%s%s", spot->path, spot->rest);
    err_bad(out, err->code, path.data, err->value, "%s", err->allowed);
    buf_finish(&path);
}

static bool is_long(const struct json *root)
{
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    jw_value(&w, root);
    bool is = text.len > TEXT_BYTES_MAX;
    buf_finish(&text);
    return is;
}

size_t spec_problems(const struct json *root, struct errbuf *out, size_t max)
{
    struct reading r = {.root = root};
    struct errbuf err;
    struct spot spot;
    bool one = is_long(root);
    size_t count = 0;

    for (int round = 0; round < ROUNDS_MAX && count < max; round++) {
        if (!read_rest(&r, &err))
            break;
        if (!field_path_begins(err.key, "$")) {
            out[count++] = err;
            break;
        }
        find_spot(&r, err.key, &spot);
        if (is_added(&r, &spot))
            break;
        if (!(spot.rest[0] ? was_taken(&r, &spot) : holds_gone(&r, spot.node)))
            tell(&err, &spot, &out[count++]);
        if (one || !pass_over(&r, &spot, &err))
            break;
    }
    return count;
}
