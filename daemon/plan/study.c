#include "daemon/plan/study.h"

#include <math.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/spec.h"

bool trial_usable(const struct trial *t)
{
    return (t->status == RUN_COMPLETED || t->status == RUN_STOPPED) && t->has_metric &&
           isfinite(t->metric_value);
}

bool trial_better(const struct trial *a, const struct trial *b, bool maximize)
{
    if (trial_usable(a) != trial_usable(b))
        return trial_usable(a);
    return trial_usable(a) && metric_better(a->metric_value, b->metric_value, maximize);
}

/* FNV-1a, never 0. */
static uint64_t hash(uint64_t h, const void *bytes, size_t count)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < count; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h | 1;
}

static uint64_t hash_layers(uint64_t h, const struct layer_list *layers)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    layer_list_write(layers, &w);
    h = hash(h, text.data, text.len);
    buf_finish(&text);
    return h;
}

/* Has the run what the specification says, and its own values of what is swept? */
static bool is_plain(const struct spec *s, const struct trial *t)
{
    struct settings said;
    trainer_settings(s, &t->at, &said);
    return t->epochs == s->epochs && t->config->start_from == 0 && t->config->layers == NULL &&
           memcmp(&said, &t->config->settings, sizeof(said)) == 0;
}

/* It is not one of the run's own values. */
static bool is_said(const struct spec *s, const struct trial *t, enum setting_id id)
{
    int i = space_find_key(&s->space, (int)id);
    return i < 0 || !space_has(&t->at, (size_t)i);
}

uint64_t trial_ground(const struct spec *s, const struct trial *t)
{
    uint64_t h = 0xcbf29ce484222325u;
    if (t->config == NULL || is_plain(s, t))
        return 0;
    for (int i = 0; i < SETTING_COUNT; i++)
        if (is_said(s, t, (enum setting_id)i))
            h = hash(h, &t->config->settings.v[i], sizeof(t->config->settings.v[i]));
    h = hash(h, &t->epochs, sizeof(t->epochs));
    h = hash(h, &t->config->start_from, sizeof(t->config->start_from));
    return t->config->layers != NULL ? hash_layers(h, t->config->layers) : h;
}

void trial_settings(const struct spec *s, const struct trial *t, struct settings *out)
{
    if (t->config != NULL)
        *out = t->config->settings;
    else
        trainer_settings(s, &t->at, out);
}

const struct layer_list *trial_layers(const struct trial *t)
{
    return t->config != NULL ? t->config->layers : NULL;
}

int64_t trial_start_from(const struct trial *t)
{
    return t->config != NULL ? t->config->start_from : 0;
}

enum pattern trial_pattern(const struct trial *t)
{
    return t->facts != NULL ? t->facts->pattern : (enum pattern)0;
}

static bool is_in_space(const struct space *s, const struct assignment *at)
{
    for (size_t i = 0; i < s->count; i++)
        if (space_has(at, i) && !dimension_takes(&s->dimensions[i], at->v[i]))
            return false;
    return space_allows(s, at);
}

/* Same data, same epochs, same start: only then the two metrics say something of the change, and
 * it costs nothing to keep. Another optimizer is a stage of its own. */
static bool is_comparable(const struct study *st, const struct trial *parent,
                          const struct trial *t)
{
    int choice = space_find_role(st->space, ROLE_OPTIMIZER);
    struct settings own, before;
    trial_settings(st->spec, t, &own);
    trial_settings(st->spec, parent, &before);
    return t->epochs == parent->epochs && trial_start_from(t) == trial_start_from(parent) &&
           settings_same(&own, &before, SETTING_OF_SAMPLES) &&
           (choice < 0 || t->at.v[choice] == parent->at.v[choice]);
}

bool trial_carries(const struct study *st, const struct trial *t)
{
    if (!is_in_space(st->space, &t->at))
        return false;
    while (t->kind == RUN_KIND_TREATMENT) {
        const struct trial *parent = t->parent < t->number ? st->all[t->parent] : NULL;
        if (parent == NULL || !is_comparable(st, parent, t) ||
            !trial_better(t, parent, st->maximize))
            return false;
        t = parent;
    }
    return t->kind == RUN_KIND_SEARCH;
}

/* Each of them is a run from exchange to exchange. */
static size_t population_of(const struct spec *s)
{
    if (s->perturb == 0)
        return 0;
    return (size_t)(s->run_cap / ((s->epochs + s->perturb - 1) / s->perturb));
}

void study_init(struct study *st, const struct spec *s)
{
    size_t kept = (size_t)spec_treat_cap(s), last = (size_t)spec_repeat_cap(s);
    size_t cap = (size_t)s->run_cap - last;
    *st = (struct study){.spec = s,
                         .space = &s->space,
                         .seed = s->seed,
                         .maximize = s->maximize,
                         .objectives = s->objectives.count > 0 ? &s->objectives : NULL,
                         .rounds = s->rounds,
                         .perturb = s->perturb,
                         .population = population_of(s),
                         .epochs = s->epochs,
                         .carries = s->carry_on,
                         .run_cap = cap,
                         .last = last,
                         .kept = kept,
                         .budget = cap - kept,
                         .stop = &s->stop,
                         .least_gain = s->least_gain,
                         .lag = (size_t)s->lag};
}
