/* The values of an earlier run, by name or by what they mean. */
#include "daemon/engine/warm_values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* --- by name --------------------------------------------------------------------------------- */

static bool read_value(const struct dimension *d, const struct json *v, double *out,
                       char why[WARM_WHY_MAX])
{
    struct errbuf err;
    if (v == NULL) {
        snprintf(why, WARM_WHY_MAX, "without %s", d->name);
        return false;
    }
    if (dimension_from_json(d, v, d->name, out, &err) == 0)
        return true;
    snprintf(why, WARM_WHY_MAX, "%s %s", d->name, err.value);
    return false;
}

static bool check_values(const struct space *s, const struct assignment *at,
                         char why[WARM_WHY_MAX])
{
    for (size_t i = 0; i < s->count; i++) {
        const struct dimension *d = &s->dimensions[i];
        char value[SPACE_TEXT_MAX];
        if (!space_has(at, i) || dimension_takes(d, at->v[i]))
            continue;
        dimension_format(d, at->v[i], value);
        snprintf(why, WARM_WHY_MAX, "%s %s", d->name, value);
        return false;
    }
    if (!space_allows(s, at))
        str_copy(why, WARM_WHY_MAX, "not allowed by the constraints");
    return space_allows(s, at);
}

/* Has the run a parameter that is not searched here? What it was to our run is not known. */
static bool has_more(const struct space *s, const struct json *params, char why[WARM_WHY_MAX])
{
    for (const struct json *m = json_first(params); m != NULL; m = json_next(m)) {
        int i = space_find_name(s, json_key(m));
        if (i >= 0)
            continue;
        snprintf(why, WARM_WHY_MAX, "with %s", json_key(m));
        return true;
    }
    return false;
}

/* Each parameter is there with these values. */
static bool read_params(const struct space *s, const struct json *params, struct assignment *out,
                        char why[WARM_WHY_MAX])
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++) {
        const struct json *v = json_get(params, s->dimensions[i].name);
        if ((v != NULL || !s->dimensions[i].condition_count) &&
            !read_value(&s->dimensions[i], v, &out->v[i], why))
            return false;
    }
    space_complete(s, out);
    for (size_t i = 0; i < s->count; i++) { /* one whose condition holds, and which it lacks */
        bool given = json_get(params, s->dimensions[i].name) != NULL;
        if (space_has(out, i) == given)
            continue;
        snprintf(why, WARM_WHY_MAX, "%s %s", given ? "with" : "without", s->dimensions[i].name);
        return false;
    }
    return !has_more(s, params, why) && check_values(s, out, why);
}

static struct json *params_of(const struct run_row *row)
{
    struct errbuf err;
    const char *text = row->params_json != NULL ? row->params_json : "{}";
    return json_parse(text, strlen(text), &err);
}

static enum warm_fit fit_of_params(const struct spec *ours, const struct run_row *row,
                                   struct assignment *at, char why[WARM_WHY_MAX])
{
    struct json *params = params_of(row);
    str_copy(why, WARM_WHY_MAX, "that cannot be read");
    bool read = params != NULL && read_params(&ours->space, params, at, why);
    json_destroy(params);
    return read ? WARM_FITS : WARM_OUTSIDE;
}

/* Of the trainer's all settings are known: what was fixed there may be searched here, and the other
 * way round. */
static enum warm_fit fit_of_settings(const struct spec *ours, const struct run_row *row,
                                     struct assignment *at, char why[WARM_WHY_MAX])
{
    struct settings own;
    trainer_assignment(ours, &row->config->settings, at);
    if (!check_values(&ours->space, at, why))
        return WARM_OUTSIDE;
    trainer_settings(ours, at, &own);
    bool same = memcmp(&own, &row->config->settings, sizeof(own)) == 0;
    return same && row->config->layers == NULL && row->config->start_from == 0
               ? WARM_FITS
               : WARM_FITS_OTHERWISE;
}

/* --- by what they mean ----------------------------------------------------------------------- */

/* All settings of a run of the trainer, by their paths. */
static struct json *settings_as_params(const struct settings *s)
{
    struct buf text = {0};
    struct json_writer w;
    struct errbuf err;
    jw_init(&w, &text);
    jw_begin_object(&w);
    for (int i = 0; i < SETTING_COUNT; i++) {
        jw_key(&w, setting_get((enum setting_id)i)->path);
        setting_to_json((enum setting_id)i, s->v[i], &w);
    }
    jw_end_object(&w);
    struct json *params = json_parse(text.data, text.len, &err);
    buf_finish(&text);
    return params;
}

/* The setting that a parameter of that name is; -1: none. */
static int meaning(const char *name)
{
    int id = setting_find(name);
    return id >= 0 ? id : trainer_setting_alias(name);
}

static bool means(const struct dimension *d, const char *name)
{
    int id = meaning(name);
    return strcmp(d->name, name) == 0 || (id >= 0 && id == meaning(d->name));
}

/* By its very name where there is one. */
static const struct json *value_of(const struct dimension *d, const struct json *params)
{
    const struct json *v = json_get(params, d->name);
    for (const struct json *m = json_first(params); v == NULL && m != NULL; m = json_next(m))
        v = means(d, json_key(m)) ? m : NULL;
    return v;
}

/* `Adam` is `adam`. */
static bool read_word(const struct dimension *d, const struct json *v, double *out)
{
    size_t i = 0;
    if (d->type != VALUE_CHOICE || v == NULL || json_type(v) != JSON_STRING)
        return false;
    while (i < d->choice_count && strcasecmp(d->choices[i], json_string(v)) != 0)
        i++;
    *out = (double)i;
    return i < d->choice_count;
}

/* What it has beside that is another's setting, and no one's here. */
static bool has_others(const struct space *s, const struct json *params)
{
    for (const struct json *m = json_first(params); m != NULL; m = json_next(m)) {
        bool ours = false;
        for (size_t i = 0; i < s->count; i++)
            ours = ours || means(&s->dimensions[i], json_key(m));
        if (!ours)
            return true;
    }
    return false;
}

static bool read_meant(const struct space *s, const struct json *params, struct assignment *out,
                       char why[WARM_WHY_MAX])
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++) {
        const struct dimension *d = &s->dimensions[i];
        const struct json *v = value_of(d, params);
        bool needed = v != NULL || d->condition_count == 0;
        if (needed && !read_word(d, v, &out->v[i]) && !read_value(d, v, &out->v[i], why))
            return false;
    }
    space_complete(s, out);
    for (size_t i = 0; i < s->count; i++) {
        if (!space_has(out, i) || value_of(&s->dimensions[i], params) != NULL)
            continue;
        snprintf(why, WARM_WHY_MAX, "without %s", s->dimensions[i].name);
        return false;
    }
    return check_values(s, out, why);
}

static enum warm_fit fit_of_meaning(const struct spec *ours, const struct run_row *row,
                                    struct assignment *at, char why[WARM_WHY_MAX])
{
    bool settings = row->config != NULL;
    struct json *params = settings ? settings_as_params(&row->config->settings) : params_of(row);
    str_copy(why, WARM_WHY_MAX, "that cannot be read");
    bool read = params != NULL && read_meant(&ours->space, params, at, why);
    bool others = read && !settings && has_others(&ours->space, params);
    json_destroy(params);
    if (!read)
        return WARM_OUTSIDE;
    return others ? WARM_FITS_OTHERWISE : WARM_FITS;
}

enum warm_fit warm_values(const struct spec *ours, enum task_id theirs, const struct run_row *row,
                          struct assignment *at, char why[WARM_WHY_MAX])
{
    if (theirs != ours->task)
        return fit_of_meaning(ours, row, at, why);
    return row->config != NULL ? fit_of_settings(ours, row, at, why)
                               : fit_of_params(ours, row, at, why);
}
