#include "tests/unit/engine/rung_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/memo.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "tests/unit/engine/recorded_rungs.h"

struct search {
    struct spec spec;
    struct history history;
    struct memo *memo;
    uint64_t seed;
    int64_t left; /* epochs */
    double best;
};

static const float *recorded_row(const struct search *s, const struct assignment *at)
{
    size_t cell = 0;
    for (size_t i = 0; i < s->spec.space.count; i++) {
        const struct dimension *d = &s->spec.space.dimensions[i];
        size_t k = 0;
        while (d->values[k] != at->v[i])
            k++;
        cell = cell * d->value_count + k;
    }
    return recorded[cell][s->seed % RECORDED_SEEDS];
}

static double value_at(const float *row, int64_t epoch)
{
    for (size_t i = 0; i < RECORDED_RUNGS; i++)
        if (recorded_epochs[i] == epoch)
            return (double)row[i];
    fail_msg("epoch %d is not recorded", (int)epoch);
    return NAN;
}

static struct study study_of(const struct search *s)
{
    struct study st;
    study_init(&st, &s->spec);
    st.budget = st.run_cap;
    st.count = st.all_count = s->history.count;
    st.all = st.trials = (const struct trial *const *)s->history.trials;
    st.memo = s->memo;
    return st;
}

/* From rung to rung, until the rule stops it, it has come to its end, or no epoch is left. */
static void train(struct search *s, struct trial *t)
{
    const float *row = recorded_row(s, &t->at);
    int64_t at = 0;
    t->rungs = xcalloc(RECORDED_RUNGS, sizeof(*t->rungs));
    t->has_metric = true;
    while (t->status == RUN_QUEUED) {
        int64_t next = stop_next_rung(&s->spec.stop, t->number, at, t->epochs);
        bool ends = next == 0;
        next = ends ? t->epochs : next;
        s->left -= next - at;
        at = next;
        t->metric_value = value_at(row, at);
        if (ends || s->left < 0) {
            t->status = RUN_COMPLETED;
            break;
        }
        struct rung_verdict v;
        struct study st = study_of(s);
        t->rungs[t->rung_count++] = (struct rung){at, t->metric_value};
        stop_decide(&st, t, &v);
        assert_int_not_equal(v.verdict, VERDICT_WAIT);
        t->status = v.verdict == VERDICT_STOP ? RUN_STOPPED : RUN_QUEUED;
    }
    if (s->left >= 0)
        s->best = fmin(s->best, t->metric_value);
}

double rung_table_search(const char *method, uint64_t seed, int64_t epochs, const char *more)
{
    struct search s = {.seed = seed, .left = epochs, .best = 10, .memo = memo_create()};
    char *all = xasprintf(",\"treat\":false%s", more);
    spec_make_with(&s.spec, method, RECORDED_PARAMETERS, 380, seed, all);
    s.spec.epochs = RUNG_TABLE_EPOCHS;
    s.spec.lag = s.spec.lag > 0 ? 1 : 0;
    while (s.left > 0) {
        struct proposals p = {0};
        struct study st = study_of(&s);
        if (search_method(s.spec.method)->ask(&st, 1, &p) != ANSWER_RUNS)
            break;
        struct trial *t = history_add(&s.history, &s.spec, &p.items[0]);
        t->status = RUN_QUEUED;
        t->epochs = RUNG_TABLE_EPOCHS;
        train(&s, t);
        proposals_finish(&p);
    }
    for (size_t i = 0; i < s.history.count; i++)
        free(s.history.trials[i]->rungs);
    history_finish(&s.history);
    memo_destroy(s.memo);
    spec_finish(&s.spec);
    free(all);
    return s.best;
}

#define SEEDS 60

void rung_table_must_win(const struct rung_table_match *m)
{
    double own = 0, other = 0;
    int won = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double a = rung_table_search(m->method, seed, m->epochs, m->more);
        double b = rung_table_search(m->other, seed, m->epochs, m->other_more);
        own += a;
        other += b;
        won += (a < b) - (a > b);
    }
    print_message("# %s %.4f, %s%s %.4f, net wins %d, %d epochs\n", m->method, own / SEEDS, m->other,
                  m->other_more, other / SEEDS, won, (int)m->epochs);
    assert_true(own < other);
    assert_true(won >= 15); /* by chance once in 40 */
}
