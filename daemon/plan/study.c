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

uint64_t trial_ground(const struct spec *s, const struct trial *t)
{
    uint64_t h = 0xcbf29ce484222325u;
    if (t->config == NULL || is_plain(s, t))
        return 0;
    for (int i = 0; i < SETTING_COUNT; i++)
        if (spec_dimension(s, (enum setting_id)i) == NULL)
            h = hash(h, &t->config->settings.v[i], sizeof(t->config->settings.v[i]));
    h = hash(h, &t->epochs, sizeof(t->epochs));
    h = hash(h, &t->config->start_from, sizeof(t->config->start_from));
    return t->config->layers != NULL ? hash_layers(h, t->config->layers) : h;
}

void study_init(struct study *st, const struct spec *s)
{
    size_t kept = (size_t)spec_treat_cap(s), cap = (size_t)s->run_cap;
    *st = (struct study){.space = &s->space,
                         .seed = s->seed,
                         .maximize = s->maximize,
                         .run_cap = cap,
                         .kept = kept,
                         .budget = cap - kept,
                         .stop = &s->stop};
}
