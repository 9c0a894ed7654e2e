#include "tests/unit/engine/support.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"

void spec_make_with(struct spec *out, const char *method, const char *parameters, int64_t run_cap,
                    uint64_t seed, const char *more)
{
    /* All of run_cap is the search's, where a test does not say otherwise. */
    bool pinned = strcmp(method, "grid") != 0 && strstr(more, "repeat_share") == NULL;
    char *text = xasprintf("{\"name\":\"t\",\"method\":\"%s\",\"metric\":{\"name\":\"val_loss\","
                           "\"goal\":\"minimize\"},\"data\":{\"path\":\"/data\",\"format\":"
                           "\"idx\",\"validation\":10},\"parameters\":{%s},\"epochs\":6,"
                           "\"run_cap\":%" PRId64 ",\"seed\":%" PRIu64 "%s%s}",
                           method, parameters, run_cap, seed, more,
                           pinned ? ",\"repeat_share\":0" : "");
    struct errbuf err = {0};
    if (spec_parse_text(text, strlen(text), out, &err) != 0)
        fail_msg("%s in %s", err.message, text);
    free(text);
}

void spec_make(struct spec *out, const char *method, const char *parameters, int64_t run_cap,
               uint64_t seed)
{
    spec_make_with(out, method, parameters, run_cap, seed, ",\"treat\":false");
}

double landscape(const struct settings *s)
{
    static const double offsets[] = {[OPTIMIZER_SGD] = 0.05, [OPTIMIZER_MOMENTUM] = 0.02,
                                     [OPTIMIZER_RMSPROP] = 0.03, [OPTIMIZER_ADAM] = 0.01,
                                     [OPTIMIZER_ADADELTA] = 0.2};
    double lr = log10(s->v[SETTING_LEARNING_RATE]) + 2.4;
    double batch = log2(s->v[SETTING_BATCH_SIZE]) - 6;
    double depth = s->v[SETTING_DEPTH] - 3;
    return 0.3 + 0.1 * lr * lr + 0.003 * batch * batch + 0.01 * depth * depth +
           offsets[(int)s->v[SETTING_OPTIMIZER]];
}

void answer_landscape(struct trial *t, size_t number, void *arg)
{
    (void)number;
    (void)arg;
    t->status = RUN_COMPLETED;
    t->has_metric = true;
    t->metric_value = landscape(&t->config->settings);
}

struct trial *history_add(struct history *h, const struct spec *s, const struct proposal *p)
{
    if (h->count == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->trials = xrealloc(h->trials, h->cap * sizeof(struct trial *));
        h->reasons = xrealloc(h->reasons, h->cap * sizeof(*h->reasons));
    }
    struct trial *t = xcalloc(1, sizeof(*t)); /* padding too: histories are compared as bytes */
    t->number = h->count;
    t->epochs = s->epochs;
    t->at = p->at;
    t->config = xcalloc(1, sizeof(*t->config));
    trainer_settings(s, &p->at, &t->config->settings);
    str_copy(t->stage, sizeof(t->stage), p->stage);
    memset(h->reasons[h->count], 0, sizeof(*h->reasons));
    str_copy(h->reasons[h->count], 160, p->reason);
    h->trials[h->count++] = t;
    return t;
}

void history_run(struct history *h, const struct spec *s, trial_fn *fn, void *arg)
{
    *h = (struct history){0};
    for (;;) {
        struct proposals p = {0};
        struct study st;
        study_init(&st, s);
        st.count = h->count;
        st.all = st.trials = (const struct trial *const *)h->trials;
        st.all_count = h->count;
        enum answer answer = search_method(s->method)->ask(&st, HISTORY_WANT, &p);
        assert_int_equal(answer, p.count > 0 ? ANSWER_RUNS : ANSWER_DONE); /* nothing is live */
        assert_true(p.count <= HISTORY_WANT);
        if (p.count == 0)
            break;
        if (h->barrier_count < 4096)
            h->barriers[h->barrier_count++] = h->count;
        for (size_t i = 0; i < p.count; i++)
            fn(history_add(h, s, &p.items[i]), h->count - 1, arg);
        proposals_finish(&p);
    }
}

void history_finish(struct history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        trainer_config_release(h->trials[i]->config);
        free(h->trials[i]);
    }
    free(h->trials);
    free(h->reasons);
    *h = (struct history){0};
}

size_t history_count(const struct history *h, const char *stage)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        n += strcmp(h->trials[i]->stage, stage) == 0;
    return n;
}

bool history_same(const struct history *a, const struct history *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct trial x = *a->trials[i], y = *b->trials[i];
        if (memcmp(&x.config->settings, &y.config->settings, sizeof(struct settings)) != 0)
            return false;
        x.config = y.config = NULL;
        if (memcmp(&x, &y, sizeof(x)) != 0)
            return false;
    }
    return true;
}

size_t history_duplicates(const struct history *h, const struct spec *s)
{
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++)
        for (size_t k = 0; k < i; k++)
            if (space_same(&s->space, &h->trials[i]->at, &h->trials[k]->at)) {
                n++;
                break;
            }
    return n;
}

static bool value_in_range(const struct dimension *d, double v)
{
    if (d->distribution == DISTRIBUTION_CATEGORICAL) {
        for (size_t i = 0; i < d->value_count; i++)
            if (d->values[i] == v)
                return true;
        return false;
    }
    uint64_t n = dimension_cardinality(d);
    for (uint64_t i = 0; i < n && n <= 10000; i++)
        if (dimension_nth(d, i) == v)
            return true;
    return (n == 0 || n > 10000) && v >= d->min && v <= d->max;
}

bool history_in_range(const struct history *h, const struct spec *s)
{
    for (size_t i = 0; i < h->count; i++) {
        struct settings own = h->trials[i]->config->settings;
        for (size_t k = 0; k < s->space.count; k++) {
            const struct dimension *d = &s->space.dimensions[k];
            if (!value_in_range(d, h->trials[i]->at.v[k]) ||
                own.v[d->key] != h->trials[i]->at.v[k])
                return false;
            own.v[d->key] = s->trainer.fixed.v[d->key];
        }
        if (memcmp(&own, &s->trainer.fixed, sizeof(own)) != 0)
            return false;
    }
    return true;
}

int method_check(const struct spec *s, struct errbuf *err)
{
    struct study st;
    study_init(&st, s);
    return search_method(s->method)->check(&st, err);
}

void method_outline(const struct spec *s, struct search_outline *out)
{
    struct study st;
    study_init(&st, s);
    search_method(s->method)->outline(&st, out);
}
