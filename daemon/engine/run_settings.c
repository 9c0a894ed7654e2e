/* The settings of runs as they are stored: JSON, as in a specification. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/rows.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

void run_row_write_settings(const struct run_row *r, struct json_writer *w)
{
    static const char *const sections[] = {"data", "model", "train"};
    const struct trainer_config *c = r->config;

    jw_begin_object(w);
    for (size_t k = 0; c && k < sizeof(sections) / sizeof(*sections); k++) {
        jw_key(w, sections[k]);
        jw_begin_object(w);
        settings_to_json(&c->settings, sections[k], w);
        if (c->layers && strcmp(sections[k], "model") == 0) {
            jw_key(w, "layers");
            layer_list_write(c->layers, w);
        }
        jw_end_object(w);
    }
    if (c && c->start_from)
        jw_kv_int(w, "start_from", c->start_from);
    jw_end_object(w);
}

static int read_layers(struct trainer_config *c, const struct json *root, struct errbuf *err)
{
    const struct json *v = json_get(json_get(root, "model"), "layers");

    if (!v)
        return 0;
    c->layers = xcalloc(1, sizeof(*c->layers));
    return layer_list_parse(v, "$.model.layers", c->layers, err);
}

static int read_config(const struct json *root, struct trainer_config *c, struct errbuf *err)
{
    settings_init(&c->settings);
    int rc = settings_from_json(&c->settings, root, NULL, err);

    if (rc == 0)
        rc = read_layers(c, root, err);
    if (rc == 0 && json_get(root, "start_from"))
        rc = json_get_int64(root, "start_from", &c->start_from, err);
    return rc;
}

int run_row_read_settings(struct run_row *r, const char *text, struct errbuf *err)
{
    struct json *root = json_parse(text, strlen(text), err);
    int rc = 0;

    if (!root)
        return ERR_DATA;
    trainer_config_release(r->config);
    r->config = NULL;
    if (json_count(root) > 0) {
        r->config = xcalloc(1, sizeof(*r->config));
        rc = read_config(root, r->config, err);
    }
    json_destroy(root);
    return rc;
}

/* --- many of them ----------------------------------------------------------------------------- */

/* Two texts that are the same but for values of {"section":{"key":value}}, side by side. */
struct pair {
    const char *old, *now;         /* what follows of either */
    int depth;
    bool in_string;
    const char *word, *key, *section; /* of now, behind the quote: the last string, … */
    size_t word_len, key_len, section_len;
    const char *value;             /* that this begins with; NULL: not within a value */
    const char *written;           /* section of the last change; NULL: none yet */
    struct buf changes;            /* {"section":{"key":value,… */
};

static bool pass_structure(struct pair *p, char c)
{
    if (c == ':') {
        p->key = p->word;
        p->key_len = p->word_len;
        p->value = p->now;
        return p->key != NULL;
    }
    p->value = NULL;
    if (c == '{' && ++p->depth == 2) {
        p->section = p->key;
        p->section_len = p->key_len;
    }
    p->depth -= c == '}';
    return p->depth <= 2;
}

/* A byte that both have. False: what it means is not known here. */
static bool pass_same(struct pair *p)
{
    char c = *p->now++;
    p->old++;
    if (c == '\\' || c == '[')
        return false;
    if (c == '"') {
        p->in_string = !p->in_string;
        if (p->in_string)
            p->word = p->now;
        else
            p->word_len = (size_t)(p->now - 1 - p->word);
        return true;
    }
    return p->in_string || strchr("{}:,", c) == NULL || pass_structure(p, c);
}

/* The value of a member is another one: both are passed. */
static bool pass_change(struct pair *p)
{
    if (p->value == NULL || p->depth != 2 || p->section == NULL)
        return false;
    p->in_string = false;
    p->old += strcspn(p->old, ",}");
    p->now += strcspn(p->now, ",}");
    if (*p->old != *p->now) /* one has more members */
        return false;
    if (p->written == p->section)
        buf_puts(&p->changes, ",");
    else
        buf_printf(&p->changes, "%s\"%.*s\":{", p->written ? "}," : "{", (int)p->section_len,
                   p->section);
    p->written = p->section;
    buf_printf(&p->changes, "\"%.*s\":%.*s", (int)p->key_len, p->key, (int)(p->now - p->value),
               p->value);
    return true;
}

/* What is another is parsed as a document of its own, so that all of it is checked; what is the
 * same was checked before. */
static bool read_changes(struct pair *p, struct settings *s)
{
    struct errbuf why;
    if (p->changes.len == 0)
        return true;
    buf_puts(&p->changes, "}}");
    struct json *root = json_parse(p->changes.data, p->changes.len, &why);
    bool ok = root != NULL && settings_from_json(s, root, NULL, &why) == 0;
    json_destroy(root);
    return ok;
}

static bool read_like_before(const struct run_settings_reader *r, const char *text,
                             struct settings *out)
{
    struct pair p = {.old = r->text, .now = text};
    bool ok = true;
    while (ok && (*p.old || *p.now))
        ok = *p.old == *p.now ? pass_same(&p) : pass_change(&p);
    *out = r->config->settings;
    ok = ok && read_changes(&p, out);
    buf_finish(&p.changes);
    return ok;
}

static void remember(struct run_settings_reader *r, const struct run_row *row, const char *text)
{
    run_settings_reader_finish(r);
    if (row->config == NULL || row->config->layers != NULL || row->config->start_from != 0)
        return;
    r->text = xstrdup(text);
    r->config = trainer_config_share(row->config);
}

int run_settings_read(struct run_settings_reader *r, struct run_row *row, const char *text,
                      struct errbuf *err)
{
    struct settings own;
    if (r->config == NULL || !read_like_before(r, text, &own)) {
        int rc = run_row_read_settings(row, text, err);
        if (rc == 0)
            remember(r, row, text);
        return rc;
    }
    trainer_config_release(row->config);
    row->config = xcalloc(1, sizeof(*row->config));
    row->config->settings = own;
    return 0;
}

void run_settings_reader_finish(struct run_settings_reader *r)
{
    free(r->text);
    trainer_config_release(r->config);
    *r = (struct run_settings_reader){0};
}
