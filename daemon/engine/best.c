/* The best runs of a sweep, whose weights stay: by its metric; of several objectives the front. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/configurations.h"
#include "daemon/plan/pareto.h"
#include "sweep/buf.h"

/* Ranked among the best by metric, then number, so that the order of ending does not matter. */
static bool ranks_before(const struct sweep *s, const struct kept *a, const struct kept *b)
{
    if (metric_better(a->metric, b->metric, s->row->maximize))
        return true;
    return !metric_better(b->metric, a->metric, s->row->maximize) && a->number < b->number;
}

/* The run whose weights it starts with, where that is its own affair; 0: none. */
static int64_t start_of(const struct run_row *row)
{
    return row->config != NULL ? row->config->start_from : 0;
}

/* Another run of the sweep starts with those weights. */
static bool needs_weights(const struct sweep *s, int64_t run_id)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (start_of(s->live[i]->row) == run_id &&
            !run_status_terminal(s->live[i]->row->status))
            return true;
    return false;
}

/* Unless a run that is still to begin starts with them: its end drops them then. */
static void drop_weights(const struct sweep *s, const struct kept *k, struct effects *fx)
{
    if (fx == NULL || needs_weights(s, k->run_id))
        return;
    if (k->has_test)
        store_batch_clear_test(&fx->batch, k->run_id);
    effects_add(fx, ACTION_DROP_WEIGHTS, s->row->id, k->run_id);
}

static bool is_kept(const struct sweep *s, int64_t run_id)
{
    for (size_t i = 0; i < s->best_count; i++)
        if (s->best[i].run_id == run_id)
            return true;
    return false;
}

/* The weights it started with, if they were kept for it alone. */
static void drop_start_weights(const struct sweep *s, const struct run_row *row,
                               struct effects *fx)
{
    struct kept k = {.run_id = start_of(row), .has_test = true};
    if (k.run_id != 0 && !is_kept(s, k.run_id))
        drop_weights(s, &k, fx);
}

/* --- finalists ------------------------------------------------------------------------------- */

/* The number of the run that had its configuration first. */
static size_t root_of(const struct sweep *s, int64_t number)
{
    const struct trial *t = s->trials[number];
    return t->kind == RUN_KIND_REPEAT && t->parent < s->run_count ? t->parent : (size_t)number;
}

/* Place of the best run of that configuration among the kept; best_count: none of it is there. */
static size_t place_of(const struct sweep *s, size_t root)
{
    size_t i = 0;
    while (i < s->best_count && root_of(s, s->best[i].number) != root)
        i++;
    return i;
}

static void remove_kept(struct sweep *s, size_t place)
{
    s->best_count--;
    memmove(&s->best[place], &s->best[place + 1],
            (s->best_count - place) * sizeof(s->best[place]));
}

/* Of a configuration that is repeated one run is kept, the best. */
static bool is_beaten(struct sweep *s, const struct kept *k, struct effects *fx)
{
    size_t place = place_of(s, root_of(s, k->number));
    if (place == s->best_count)
        return false;
    if (!ranks_before(s, k, &s->best[place]))
        return true;
    struct kept other = s->best[place];
    remove_kept(s, place);
    drop_weights(s, &other, fx);
    return false;
}

bool sweep_has_front(const struct sweep *s)
{
    return sweep_spec(s)->objectives.count > 0;
}

size_t sweep_keeps(const struct sweep *s)
{
    if (s->finalists > 0)
        return KEPT_MAX;
    bool more = sweep_has_front(s) || spec_repeat_cap(sweep_spec(s)) > 0;
    return more ? FINALISTS_KEPT : BEST_RUNS_KEPT;
}

/* The kept run of each of the best configurations, or of each on the front, to `winners`. */
static size_t take_winners(struct sweep *s, const struct study *st, struct kept *winners)
{
    bool many = sweep_has_front(s);
    size_t most = many ? FINALISTS_KEPT : BEST_RUNS_KEPT, n = 0;
    struct configurations c;
    configurations_init(&c, st);
    bool *front = many ? configurations_front(&c, st, most) : NULL;
    for (size_t i = 0; i < c.count && n < most; i++) {
        size_t place = place_of(s, c.items[i].root);
        if (place == s->best_count || (front != NULL && !front[i]))
            continue;
        winners[n++] = s->best[place];
        remove_kept(s, place);
    }
    free(front);
    configurations_finish(&c);
    return n;
}

void sweep_keep_winners(struct sweep *s, const struct study *st, struct effects *fx)
{
    struct kept winners[FINALISTS_KEPT];
    if (s->best_count <= 1 || sweep_keeps(s) == BEST_RUNS_KEPT)
        return;
    size_t n = take_winners(s, st, winners);
    while (n < BEST_RUNS_KEPT && s->best_count > 0) { /* such as were stopped */
        winners[n++] = s->best[0];
        remove_kept(s, 0);
    }
    for (size_t i = 0; i < s->best_count; i++)
        drop_weights(s, &s->best[i], fx);
    memcpy(s->best, winners, n * sizeof(*winners));
    s->best_count = n;
}

/* Of the kept: the last by the metric, or of several objectives the one that is furthest from the
 * front, or has least room on it; never the best by the metric. */
static size_t least_wanted(const struct sweep *s)
{
    const struct objectives *o = &sweep_spec(s)->objectives;
    size_t last = s->best_count - 1;
    struct pareto p;
    if (!sweep_has_front(s) || last == 0)
        return last;
    double *costs = xcalloc(s->best_count * o->count, sizeof(*costs));
    for (size_t i = 0; i < s->best_count; i++)
        pareto_costs(o, s->trials[s->best[i].number], costs + i * o->count);
    pareto_init(&p, costs, s->best_count, o->count);
    size_t place = p.order[last] != 0 ? p.order[last] : p.order[last - 1];
    pareto_finish(&p);
    free(costs);
    return place;
}

void sweep_keep_fewer(struct sweep *s, struct effects *fx)
{
    while (s->best_count > sweep_keeps(s)) {
        size_t place = least_wanted(s);
        struct kept k = s->best[place];
        remove_kept(s, place);
        drop_weights(s, &k, fx);
    }
}

/* --- a run has ended ------------------------------------------------------------------------- */

static void rank_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    struct kept k = {.run_id = row->id,
                     .number = row->number,
                     .metric = row->metric_value,
                     .has_test = row->has_test_loss};
    bool ranked = run_status_ranks(row->status) && row->has_metric && isfinite(row->metric_value);
    if (ranked && stage_is_of_best(row->stage))
        ranked = !is_beaten(s, &k, fx);
    size_t place = s->best_count;
    while (ranked && place > 0 && ranks_before(s, &k, &s->best[place - 1]))
        place--;
    if (!ranked) {
        if (row->started != 0)
            drop_weights(s, &k, fx);
        return;
    }
    memmove(&s->best[place + 1], &s->best[place], (s->best_count - place) * sizeof(k));
    s->best[place] = k;
    s->best_count++;
    sweep_keep_fewer(s, fx);
}

void sweep_book_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    s->ended[row->status]++;
    s->errors[row->error]++;
    rank_ended(s, row, fx);
    drop_start_weights(s, row, fx);
}

/* The best run of its sweep is another one since. run_id of before 0: it is the first. */
static void say_improved(const struct run *r, const struct kept *before, utc_us now,
                         struct effects *fx)
{
    const struct sweep *s = r->sweep;
    char after[64] = "";
    if (s->best_count == 0 || s->best[0].run_id != r->row->id)
        return;
    if (before->run_id != 0)
        snprintf(after, sizeof(after), ", after %.6g of #%" PRId64, before->metric, before->number);
    store_batch_add_event(&fx->batch, s->row->id, r->row->id, "best_improved", now, "%s %.6g%s",
                          spec_metric_name(sweep_spec(s)), s->best[0].metric, after);
}

void run_book_ended(struct run *r, utc_us now, struct effects *fx)
{
    struct sweep *s = r->sweep;
    struct kept before = s->best_count > 0 ? s->best[0] : (struct kept){0};
    trial_update(s->trials[r->row->number], r->row);
    trial_take_objectives(s->trials[r->row->number], sweep_spec(s), r->row);
    sweep_book_ended(s, r->row, fx);
    say_improved(r, &before, now, fx);
}
