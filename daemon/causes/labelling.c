#include "daemon/causes/labelling.h"

#include <math.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/spec.h"
#include "sweep/trainer.h"

/* --- label ----------------------------------------------------------------------------------- */

static const struct layer_list *layers_of(const struct spec *spec, const struct trial *t)
{
    const struct layer_list *own = trial_layers(t);
    return own != NULL ? own : &spec->trainer.layers;
}

double labelling_dropout(const struct spec *spec, const struct trial *t)
{
    struct settings own;
    if (!task_of(spec)->has_settings)
        return NAN;
    trial_settings(spec, t, &own);
    const struct layer_list *layers = layers_of(spec, t);
    double rate = own.v[SETTING_DROPOUT];
    for (size_t i = 0; i < layers->count; i++) {
        const struct layer_entry *e = &layers->entries[i];
        double said = e->value[LAYER_OPTION_RATE];
        if (layer_is(e->kind, LAYER_TRAIT_DROPOUT))
            rate = fmax(rate, e->is_setting[LAYER_OPTION_RATE] ? own.v[(size_t)said] : said);
    }
    return rate;
}

void labelling_diagnose(const struct kept_points *k, bool running, double dropout,
                        struct diagnosis *out)
{
    struct diagnosis_input in = {.points = k->points,
                                 .count = k->count,
                                 .running = running,
                                 .dropout = dropout};
    size_t bytes = diagnosis_workspace_bytes(in.count);
    void *workspace = xmalloc(bytes ? bytes : 1);
    diagnose(&in, workspace, out);
    free(workspace);
}

static char *tag_list(uint32_t tags)
{
    struct buf b = {0};
    for (int t = 0; t < DIAGNOSIS_TAG_COUNT; t++)
        if (tags >> t & 1u)
            buf_printf(&b, "%s%s", b.len ? "," : "", diagnosis_tag_name(t));
    return buf_take(&b);
}

struct label_row *labelling_row(int64_t run_id, const struct diagnosis *d, utc_us now)
{
    struct buf evidence = {0};
    struct json_writer w;
    jw_init(&w, &evidence);
    diagnosis_evidence_write(d, &w);
    struct label_row *l = xcalloc(1, sizeof(*l));
    *l = (struct label_row){.run_id = run_id,
                            .pattern = d->pattern,
                            .runner_up = d->runner_up,
                            .confidence = d->confidence,
                            .tags = tag_list(d->tags),
                            .evidence_json = buf_take(&evidence),
                            .created = now};
    return l;
}

char *labelling_facts_text(const struct run_facts *f)
{
    struct buf facts = {0};
    struct json_writer w;
    jw_init(&w, &facts);
    run_facts_write(f, &w);
    return buf_take(&facts);
}

/* --- causes ---------------------------------------------------------------------------------- */

void siblings_init(struct siblings *out, const struct spec *spec,
                   const struct trial *const *trials, size_t from, size_t to)
{
    size_t room = to - from + 1;
    *out = (struct siblings){.items = xcalloc(room, sizeof(*out->items)),
                             .settings = xmalloc(room * sizeof(*out->settings)),
                             .numbers = xcalloc(room, sizeof(*out->numbers))};
    for (size_t i = from; i < to && task_of(spec)->has_settings; i++) {
        const struct trial *t = trials[i];
        struct settings *own = &out->settings[out->count];
        if (!t->labelled || trial_layers(t) != NULL || trial_start_from(t) != 0 ||
            t->epochs != spec->epochs)
            continue;
        trial_settings(spec, t, own);
        out->numbers[out->count] = i;
        out->items[out->count++] = (struct sibling){own, t->facts};
    }
}

void siblings_finish(struct siblings *s)
{
    free(s->items);
    free(s->settings);
    free(s->numbers);
}

/* Of those the nearest by number. */
static void nearest(const struct siblings *all, size_t number, size_t *from, size_t *count)
{
    size_t lo = 0, hi = all->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (all->numbers[mid] < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    *from = lo > SIBLINGS_MAX / 2 ? lo - SIBLINGS_MAX / 2 : 0;
    *count = all->count - *from < SIBLINGS_MAX ? all->count - *from : SIBLINGS_MAX;
}

uint64_t siblings_around(const struct siblings *all, size_t number)
{
    size_t from, count;
    nearest(all, number, &from, &count);
    if (count == 0)
        return 1;
    uint64_t first = all->numbers[from], last = all->numbers[from + count - 1];
    return first << 42 | last << 11 | count << 1 | 1; /* numbers are below 2^22, count below 2^10 */
}

/* The run itself may be among them: it differs from itself in nothing, and so says nothing. */
void labelling_causes(const struct spec *spec, const struct trial *const *trials, size_t number,
                      const struct siblings *all, const struct data_facts *data,
                      struct causes *out)
{
    const struct trial *t = trials[number];
    struct settings settings;
    size_t from, count;
    *out = (struct causes){0};
    if (!task_of(spec)->has_settings)
        return;
    trial_settings(spec, t, &settings);
    struct data_facts own = data_facts_of_run(data, &settings);
    nearest(all, number, &from, &count);
    struct cause_input in = {
        .facts = t->facts,
        .settings = &settings,
        .layers = layers_of(spec, t),
        .data = &own,
        .parameters = isfinite(t->facts->parameters) ? (int64_t)t->facts->parameters : 0,
        .siblings = all->items + from,
        .sibling_count = count,
    };
    causes_of(&in, out);
}

void labelling_advice(const struct spec *spec, const struct trial *t, const struct causes *c,
                      const struct data_facts *data, struct advice *out)
{
    enum cause_id cause = c->count > 0 ? c->items[0].id : CAUSE_UNKNOWN;
    enum remedy before = t->kind == RUN_KIND_TREATMENT ? t->remedy : REMEDY_COUNT;
    if (!task_of(spec)->has_settings) {
        advice_find(trial_pattern(t), cause, before, NULL, NULL, out);
        return;
    }
    struct treatment *parent = xmalloc(sizeof(*parent));
    *parent = (struct treatment){.layers = *layers_of(spec, t),
                                 .epochs = t->epochs,
                                 .start_from = trial_start_from(t)};
    trial_settings(spec, t, &parent->settings);
    struct data_facts own = data_facts_of_run(data, &parent->settings);
    advice_find(trial_pattern(t), cause, before, parent, &own, out);
    free(parent);
}
