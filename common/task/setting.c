#include "sweep/setting.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/task/trainer_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define CHOICES_MAX 16
#define CHOICE_BYTES 32

static const struct setting table[SETTING_COUNT] = {
#define X(id, part, path, name, type, bound, min, max, def, choices, doc)                          \
    [SETTING_##id] = {path, name, SETTING_OF_##part, SETTING_##type, SETTING_##bound,              \
                      min,  max,  def,               choices,        doc,                          \
                      "$." path},
    SETTING_MAP(X)
#undef X
};

static const char *const sections[] = {"data", "model", "train"};

/* Keys of the sections that are no settings. */
static const struct {
    const char *section, *key;
} others[] = {
    {"data", "name"},
    {"data", "path"},
    {"data", "format"},
#define X(member, key, doc) {"data", key},
    DATA_FILE_MAP(X)
#undef X
#define X(key, formats) {"data", key},
    DATA_TABLE_MAP(X)
#undef X
    {"data", "target"},
    {"data", "features"},
    {"data", "task"},
    {"model", "layers"},
};

const struct setting *setting_get(enum setting_id id)
{
    REQUIRE((unsigned)id < SETTING_COUNT);
    return &table[id];
}

int setting_find(const char *name)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (strcmp(name, table[i].path) == 0 || (table[i].name && strcmp(name, table[i].name) == 0))
            return i;
    return -1;
}

const char *setting_label(enum setting_id id)
{
    const struct setting *t = setting_get(id);

    return t->name ? t->name : t->path;
}

void settings_init(struct settings *s)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        s->v[i] = table[i].fallback;
}

bool settings_same(const struct settings *a, const struct settings *b, enum setting_part part)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (table[i].part == part && a->v[i] != b->v[i])
            return false;
    return true;
}

/* --- choices ---------------------------------------------------------------------------- */

static const char *choice_name(const struct setting *t, int index, char out[CHOICE_BYTES])
{
    const char *p = t->choices;

    out[0] = '\0';
    if (!p || index < 0)
        return out;
    for (; index > 0; index--) {
        p = strchr(p, '|');
        if (!p)
            return out;
        p++;
    }
    snprintf(out, CHOICE_BYTES, "%.*s", (int)strcspn(p, "|"), p);
    return out;
}

const char *setting_choice_name(enum setting_id id, int index, char out[CHOICE_BYTES])
{
    return choice_name(setting_get(id), index, out);
}

static int choice_from_json(const struct setting *t, const struct json *v, const char *key,
                            double *out, struct errbuf *err)
{
    char text[CHOICES_MAX][CHOICE_BYTES];
    const char *names[CHOICES_MAX];
    size_t count = (size_t)t->max + 1;
    int index, rc;

    REQUIRE(count <= CHOICES_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = choice_name(t, (int)i, text[i]);
    rc = field_name(v, key, names, count, &index, err);
    if (rc)
        return rc;
    *out = index;
    return 0;
}

/* --- values ----------------------------------------------------------------------------- */

static int integer_from_json(const struct setting *t, const struct json *v, const char *key,
                             double *out, struct errbuf *err)
{
    int64_t value;
    int rc = field_integer(v, key, (int64_t)t->min, (int64_t)t->max, &value, err);
    bool share = json_type(v) == JSON_NUMBER && json_number(v) > 0 && json_number(v) < 1;

    if (rc && share && t == setting_get(SETTING_VALIDATION))
        return field_refuse(err, ERR_VALUE, key, v,
                            "a number of samples, an integer from 0: not a share of them");
    if (rc)
        return rc;
    *out = (double)value;
    return 0;
}

static int real_from_json(const struct setting *t, const struct json *v, const char *key,
                          double *out, struct errbuf *err)
{
    bool number = json_type(v) == JSON_NUMBER;
    bool above = t->bound == SETTING_ABOVE;
    double value = number ? json_number(v) : NAN;
    char min[32], max[32];

    /* Written so that a NaN fails. */
    if (value >= t->min && value <= t->max && !(above && value == t->min)) {
        *out = value == 0 ? 0 : value; /* -0 would come back from the database as another value */
        return 0;
    }
    json_format_real(t->min, min);
    json_format_real(t->max, max);
    return field_refuse(err, number ? ERR_VALUE : ERR_TYPE, key, v,
                        above ? "a number above %s, up to %s%s" : "a number from %s to %s%s", min,
                        max, field_is_quoted_number(v) ? ", without the quotes" : "");
}

static int switch_from_json(const struct setting *t, const struct json *v, const char *key,
                            double *out, struct errbuf *err)
{
    if (json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, key, v, "true or false");
    *out = json_bool(v);
    return 0;
}

int setting_read(const struct setting *t, const struct json *v, const char *key, double *out,
                 struct errbuf *err)
{
    static int (*const readers[])(const struct setting *, const struct json *, const char *,
                                  double *, struct errbuf *) = {
        [SETTING_REAL] = real_from_json,
        [SETTING_INTEGER] = integer_from_json,
        [SETTING_SWITCH] = switch_from_json,
        [SETTING_CHOICE] = choice_from_json,
    };

    return readers[t->type](t, v, key, out, err);
}

int setting_from_json(enum setting_id id, const struct json *v, const char *key, double *out,
                      struct errbuf *err)
{
    return setting_read(setting_get(id), v, key, out, err);
}

/* --- plain text --------------------------------------------------------------------------- */

/* A number as JSON has it, and no more digits than are ever written. */
static bool plain_number(const char *text, bool whole, double *out)
{
    size_t minus = text[0] == '-', digits = strspn(text + minus, "0123456789"), at = minus + digits;
    char *end;
    if (digits == 0 || (text[minus] == '0' && digits > 1))
        return false;
    if (!whole && text[at] == '.') {
        size_t behind = strspn(text + at + 1, "0123456789");
        at += 1 + behind;
        if (behind == 0)
            return false;
    }
    if (!whole && text[at] == 'e') {
        at += 1 + (text[at + 1] == '-' || text[at + 1] == '+');
        size_t exponent = strspn(text + at, "0123456789");
        at += exponent;
        if (exponent == 0)
            return false;
    }
    if (text[at] != '\0')
        return false;
    *out = strtod(text, &end);
    return *end == '\0'; /* it stops at the point where a locale has another */
}

static bool plain_choice(const struct setting *t, const char *text, double *out)
{
    char name[CHOICE_BYTES];
    size_t len = strlen(text);
    for (int i = 0; i <= (int)t->max && len >= 2; i++) {
        choice_name(t, i, name);
        if (text[0] == '"' && text[len - 1] == '"' && strlen(name) == len - 2 &&
            memcmp(text + 1, name, len - 2) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool plain_switch(const char *text, double *out)
{
    *out = strcmp(text, "true") == 0;
    return *out != 0 || strcmp(text, "false") == 0;
}

static bool is_allowed(const struct setting *t, double value)
{
    return value >= t->min && value <= t->max && !(t->bound == SETTING_ABOVE && value == t->min);
}

bool setting_from_text(enum setting_id id, const char *value, size_t len, double *out)
{
    const struct setting *t = setting_get(id);
    char text[CHOICE_BYTES + 2];
    double v;
    if (len >= sizeof(text) || memchr(value, '\0', len) != NULL)
        return false;
    memcpy(text, value, len);
    text[len] = '\0';
    bool ok = t->type == SETTING_CHOICE   ? plain_choice(t, text, &v)
              : t->type == SETTING_SWITCH ? plain_switch(text, &v)
                                          : plain_number(text, t->type == SETTING_INTEGER, &v) &&
                                                is_allowed(t, v);
    if (ok)
        *out = v == 0 ? 0 : v; /* -0 too, as in real_from_json */
    return ok;
}

void setting_write(const struct setting *t, double value, struct json_writer *w)
{
    char text[CHOICE_BYTES];

    switch (t->type) {
    case SETTING_REAL:
        jw_real(w, value);
        break;
    case SETTING_INTEGER:
        jw_int(w, (int64_t)value);
        break;
    case SETTING_SWITCH:
        jw_bool(w, value != 0);
        break;
    case SETTING_CHOICE:
        jw_string(w, choice_name(t, (int)value, text));
        break;
    }
}

void setting_to_json(enum setting_id id, double value, struct json_writer *w)
{
    setting_write(setting_get(id), value, w);
}

void setting_text(const struct setting *t, double value, char out[32])
{
    switch (t->type) {
    case SETTING_REAL:
        json_format_real(value, out);
        break;
    case SETTING_INTEGER:
        snprintf(out, 32, "%.0f", value);
        break;
    case SETTING_SWITCH:
        snprintf(out, 32, "%s", value != 0 ? "true" : "false");
        break;
    case SETTING_CHOICE:
        choice_name(t, (int)value, out);
        break;
    }
}

void setting_format(enum setting_id id, double value, char out[32])
{
    setting_text(setting_get(id), value, out);
}

/* --- the "data", "model" and "train" objects ---------------------------------------------- */

/* The part of a path behind "section.", NULL when it belongs to another section. */
static const char *key_in(const char *path, const char *section)
{
    size_t len = strlen(section);

    return strncmp(path, section, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

/* begin: the first that is compared; what we have written ourselves comes in the table's order. */
static int find_in(const char *section, const char *key, int begin)
{
    for (int n = 0, i = begin; n < SETTING_COUNT; n++, i++) {
        i = i < SETTING_COUNT ? i : 0;
        const char *k = key_in(table[i].path, section);
        if (k && strcmp(k, key) == 0)
            return i;
    }
    return -1;
}

static bool is_other(const char *section, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(others[i].section, section) == 0 && strcmp(others[i].key, key) == 0)
            return true;
    return false;
}

static int refuse_unknown(const char *section, const struct json *member, const char *path,
                          struct errbuf *err)
{
    const char *names[SETTING_COUNT + ARRAY_LEN(others)], *key = json_key(member);
    char allowed[sizeof(err->allowed)];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        int id = find_in(sections[i], key, 0);
        if (id >= 0)
            return field_refuse(err, ERR_KEY, path, member, "did you mean %s?", table[id].path);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(others[i].section, section) == 0)
            names[count++] = others[i].key;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *k = key_in(table[i].path, section);
        if (k)
            names[count++] = k;
    }
    field_suggest(allowed, sizeof(allowed), key, names, count);
    return field_refuse(err, ERR_KEY, path, member, "%s", allowed);
}

int settings_check_keys(const char *section, const struct json *v, struct errbuf *err)
{
    char parent[FIELD_PATH_MAX], path[FIELD_PATH_MAX];

    int id = -1;
    field_path(parent, "$", section);
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, parent, v, "an object");
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        id = find_in(section, json_key(m), id + 1);
        if (id >= 0 || is_other(section, json_key(m)))
            continue;
        field_path(path, parent, json_key(m));
        return refuse_unknown(section, m, path, err);
    }
    return 0;
}

static int read_section(struct settings *s, const char *section, const struct json *v, bool *seen,
                        struct errbuf *err)
{
    int rc = v ? settings_check_keys(section, v, err) : 0, id = -1;

    for (const struct json *m = v ? json_first(v) : NULL; m && !rc; m = json_next(m)) {
        id = find_in(section, json_key(m), id + 1);
        if (id < 0)
            continue;
        rc = setting_from_json((enum setting_id)id, m, table[id].json_path, &s->v[id], err);
        seen[id] = true;
    }
    return rc;
}

int settings_from_json(struct settings *s, const struct json *root, bool *seen, struct errbuf *err)
{
    struct settings fresh = *s;
    bool given[SETTING_COUNT] = {false};

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        int rc = read_section(&fresh, sections[i], json_get(root, sections[i]), given, err);
        if (rc)
            return rc;
    }
    *s = fresh;
    for (int i = 0; seen && i < SETTING_COUNT; i++)
        if (given[i])
            seen[i] = true;
    return 0;
}

/* Younger than specs that are stored: written only where it is not the default, so that the same
 * spec stays the same text. */
static bool is_silent(int id, double value)
{
    static const enum setting_id young[] = {
        SETTING_TARGET_SCALE,   SETTING_LABEL_SMOOTHING, SETTING_MIXUP,
        SETTING_GRADIENT_NOISE, SETTING_AVERAGE,         SETTING_AVERAGE_DECAY,
        SETTING_AVERAGE_START,
    };
    for (size_t i = 0; i < ARRAY_LEN(young); i++)
        if (id == (int)young[i])
            return value == table[id].fallback;
    return false;
}

void settings_write_except(const struct settings *s, const char *section, const bool *skip,
                           struct json_writer *w)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *key = key_in(table[i].path, section);
        if (!key || (skip && skip[i]) || is_silent(i, s->v[i]))
            continue;
        jw_key(w, key);
        setting_to_json((enum setting_id)i, s->v[i], w);
    }
}

void settings_to_json(const struct settings *s, const char *section, struct json_writer *w)
{
    settings_write_except(s, section, NULL, w);
}

/* --- presets ------------------------------------------------------------------------------ */

/* The snippet of G3.2: momentum 0.5 at 0.001; the summed cross-entropy of probabilities clipped
 * to [1e-10, 1]; its gradient alone clipped by value to (0.1, 5); 0.01 x half the squared norm of
 * the weights reported beside it. */
static const struct {
    enum setting_id id;
    double value;
} guide_g3_2[] = {
    {SETTING_OPTIMIZER, OPTIMIZER_MOMENTUM},
    {SETTING_LEARNING_RATE, 0.001},
    {SETTING_MOMENTUM, 0.5},
    {SETTING_LOSS, LOSS_CROSS_ENTROPY},
    {SETTING_LOSS_REDUCTION, REDUCTION_SUM},
    {SETTING_PROBABILITY_CLIP, 1e-10},
    {SETTING_L2, 0.01},
    {SETTING_L2_GRADIENT, 0},
    {SETTING_CLIP, CLIP_VALUE},
    {SETTING_CLIP_MIN, 0.1},
    {SETTING_CLIP_MAX, 5},
};

bool setting_preset_value(enum setting_id id, double *out)
{
    for (size_t i = 0; i < ARRAY_LEN(guide_g3_2); i++) {
        if (guide_g3_2[i].id != id)
            continue;
        *out = guide_g3_2[i].value;
        return true;
    }
    return false;
}

void settings_apply_preset(struct settings *s)
{
    if (s->v[SETTING_PRESET] != PRESET_GUIDE_G3_2)
        return;
    for (size_t i = 0; i < ARRAY_LEN(guide_g3_2); i++)
        s->v[guide_g3_2[i].id] = guide_g3_2[i].value;
}
