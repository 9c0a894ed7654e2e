/* The settings of runs as they are stored: JSON, as in a specification. */
#include <stdio.h>
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

/* A value of {"section":{"key":value,…},…} in the text that others are held against. */
struct settings_value {
    size_t begin, end;
    int id; /* of its setting; -1: it is of none */
};

/* A text on the way through its structure. */
struct walk {
    const char *text;
    size_t at;
    size_t word, word_len;       /* the last string, behind the quote */
    size_t section, section_len; /* that the members are of; 0: none yet */
    int depth;
};

static bool walk_string(struct walk *w)
{
    w->word = ++w->at;
    w->at += strcspn(w->text + w->at, "\"\\");
    if (w->text[w->at] != '"') /* an escape, or the end */
        return false;
    w->word_len = w->at++ - w->word;
    return true;
}

static bool walk_in(struct walk *w)
{
    w->at++;
    w->section = w->word;
    w->section_len = w->word_len;
    return ++w->depth <= 2;
}

static int setting_of(const struct walk *w)
{
    char path[64];
    snprintf(path, sizeof(path), "%.*s.%.*s", (int)w->section_len, w->text + w->section,
             (int)w->word_len, w->text + w->word);
    int id = setting_find(path);
    return id >= 0 && strcmp(setting_get((enum setting_id)id)->path, path) == 0 ? id : -1;
}

/* The value behind a colon, where that is a scalar of a section. */
static bool walk_value(struct walk *w, struct run_settings_reader *r)
{
    char first = w->text[++w->at];
    if (first == '{')
        return true;
    struct settings_value v = {.begin = w->at, .id = setting_of(w)};
    if (w->depth != 2 || strchr("[ \t\r\n", first) != NULL || (first == '"' && !walk_string(w)))
        return false;
    w->at += strcspn(w->text + w->at, ",}");
    v.end = w->at;
    r->values = array_room(r->values, &r->value_cap, r->value_count, sizeof(*r->values));
    r->values[r->value_count++] = v;
    return true;
}

static bool walk_on(struct walk *w, struct run_settings_reader *r)
{
    switch (w->text[w->at]) {
    case '"':
        return walk_string(w);
    case '{':
        return walk_in(w);
    case ':':
        return walk_value(w, r);
    case '}':
        w->depth--;
        break;
    case ',':
        break;
    default:
        return false;
    }
    w->at++;
    return true;
}

/* Finds the values of r->text, which was parsed. False: it is not written as we write it, so what
 * lies where is not known. */
static bool find_values(struct run_settings_reader *r)
{
    struct walk w = {.text = r->text};
    while (w.text[w.at] != '\0')
        if (!walk_on(&w, r))
            return false;
    return true;
}

/* Values may be others, what is between them may not. What is the same was checked before. False:
 * it is to be read by itself, and perhaps refused. */
static bool read_like_before(const struct run_settings_reader *r, const char *now,
                             struct settings *out)
{
    const char *end = now + strlen(now);
    size_t from = 0;
    *out = r->config->settings;
    for (size_t i = 0; i < r->value_count; i++) {
        const struct settings_value *v = &r->values[i];
        size_t between = v->begin - from, len = v->end - v->begin;
        if ((size_t)(end - now) < between || memcmp(now, r->text + from, between) != 0)
            return false;
        now += between;
        from = v->end;
        bool same = (size_t)(end - now) > len && memcmp(now, r->text + v->begin, len) == 0 &&
                    (now[len] == ',' || now[len] == '}');
        if (!same) {
            len = strcspn(now, ",}");
            if (v->id < 0 ||
                !setting_from_text((enum setting_id)v->id, now, len, &out->v[v->id]))
                return false;
        }
        now += len;
    }
    return strcmp(now, r->text + from) == 0;
}

static void remember(struct run_settings_reader *r, const struct run_row *row, const char *text)
{
    run_settings_reader_finish(r);
    if (row->config == NULL || row->config->layers != NULL || row->config->start_from != 0)
        return;
    r->text = xstrdup(text);
    if (find_values(r))
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
    free(r->values);
    trainer_config_release(r->config);
    *r = (struct run_settings_reader){0};
}
