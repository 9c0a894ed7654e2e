#include "client/spec_input.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/program_spec.h"
#include "client/wandb_sweep.h"
#include "client/yaml_input.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/rpc.h"

/* Some editors begin a file with a mark of its encoding. */
static void drop_mark(struct buf *text)
{
    if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
        buf_consume(text, 3);
}

/* A line that begins with a word and a colon. */
static bool looks_like_yaml(const char *text)
{
    const char *p = text + strspn(text, " \t\r\n");
    if (strncmp(p, "---", 3) == 0)
        return true;
    size_t word = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return word > 0 && p[word] == ':';
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    return len > n && strcasecmp(name + len - n, suffix) == 0;
}

static bool is_json(const struct buf *text)
{
    struct errbuf why;
    struct json *root = text->data != NULL ? json_parse(text->data, text->len, &why) : NULL;
    bool good = root != NULL;
    json_destroy(root);
    return good;
}

/* By its name or, where that says nothing, by its look. JSON is YAML too, but read as JSON. */
static bool is_yaml(const struct buf *text, const char *file)
{
    const char *bytes = text->data != NULL ? text->data : "";
    const char *first = bytes + strspn(bytes, " \t\r\n");
    if (has_suffix(file, ".yaml") || has_suffix(file, ".yml"))
        return !is_json(text);
    return *first != '{' && (*first == '#' || looks_like_yaml(bytes));
}

/* The text becomes JSON, each value on its line. */
static int convert_yaml(struct buf *text, const char *file, struct errbuf *err)
{
    struct buf json = {0};
    struct errbuf why;
    int rc = yaml_to_json(text->data, text->len, RPC_LINE_MAX, &json, &why);
    if (rc != 0) {
        buf_finish(&json);
        return err_set(err, rc, "%s cannot be read as YAML: %s", file, why.message);
    }
    buf_finish(text);
    *text = json;
    return 0;
}

/* A sweep file of W&B's becomes one of ours; what is not the same is said. */
static int convert_wandb(struct buf *text, struct buf *notes, struct errbuf *err)
{
    struct errbuf why;
    struct buf ours = {0};
    struct json *root = json_parse(text->data, text->len, &why);
    int rc = 0;
    if (root != NULL && wandb_sweep_is(root))
        rc = wandb_sweep_convert(root, text, &ours, notes, err);
    if (ours.len > 0 && rc == 0) {
        buf_finish(text);
        *text = ours;
    } else {
        buf_finish(&ours);
    }
    json_destroy(root);
    return rc;
}

static int check_text(struct buf *text, const char *file, struct errbuf *err)
{
    struct errbuf why;
    drop_mark(text);
    if (yaml_is_there() && is_yaml(text, file)) {
        int rc = convert_yaml(text, file, err);
        if (rc != 0)
            return rc;
    }
    const char *bytes = text->data != NULL ? text->data : "";
    if (bytes[strspn(bytes, " \t\r\n")] == '\0')
        return err_set(err, ERR_PARSE, "%s is empty; allowed: a specification, one JSON object "
                       "(`sweepctl help submit` has a small one)", file);
    struct json *root = json_parse(bytes, text->len, &why);
    if (root == NULL)
        return err_set(err, ERR_PARSE, "%s is not JSON: %s%s", file, why.message,
                       looks_like_yaml(bytes)
                           ? "; it looks like YAML, which python3 turns into JSON: python3 -c "
                             "'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), "
                             "sys.stdout)'"
                           : "");
    json_destroy(root);
    return 0;
}

int spec_input_read(struct buf *text, const char *file, struct buf *notes, struct errbuf *err)
{
    int rc = check_text(text, file, err);
    return rc != 0 ? rc : convert_wandb(text, notes, err);
}

/* Of a program, with our folder and environment. */
static void complete(const struct buf *spec, struct buf *out, struct buf *notes)
{
    struct errbuf err;
    struct json *root = json_parse(spec->data, spec->len, &err);
    if (root == NULL || !program_spec_fill(root, out, notes))
        buf_append(out, spec->data, spec->len);
    json_destroy(root);
}

/* The spec goes out as it was written (a number keeps its digits), but on one line: outside of
 * strings a line's end is a blank, inside it is not JSON. */
char *spec_input_params(const struct buf *text, const char *id, struct buf *notes)
{
    struct buf params = {0}, spec = {0};
    struct json_writer w;
    complete(text, &spec, notes);
    for (size_t i = 0; i < spec.len; i++)
        if (spec.data[i] == '\n' || spec.data[i] == '\r')
            spec.data[i] = ' ';
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_kv_raw(&w, "spec", spec.data);
    if (id == NULL)
        jw_kv_bool(&w, "dry_run", true);
    else
        jw_kv_string(&w, "id", id);
    jw_end_object(&w);
    buf_finish(&spec);
    return buf_take(&params);
}
