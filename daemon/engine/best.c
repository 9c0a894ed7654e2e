/* The best runs of a sweep, whose weights stay. */
#include <math.h>
#include <string.h>

#include "daemon/engine/private.h"

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

static void rank_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    struct kept k = {.run_id = row->id,
                     .number = row->number,
                     .metric = row->metric_value,
                     .has_test = row->has_test_loss};
    bool ranked = (row->status == RUN_COMPLETED || row->status == RUN_STOPPED) &&
                  row->has_metric && isfinite(row->metric_value);
    size_t place = s->best_count;
    while (ranked && place > 0 && ranks_before(s, &k, &s->best[place - 1]))
        place--;
    if (!ranked || place == BEST_RUNS_KEPT) {
        if (row->started != 0)
            drop_weights(s, &k, fx);
        return;
    }
    if (s->best_count == BEST_RUNS_KEPT)
        drop_weights(s, &s->best[--s->best_count], fx);
    memmove(&s->best[place + 1], &s->best[place], (s->best_count - place) * sizeof(k));
    s->best[place] = k;
    s->best_count++;
}

void sweep_book_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    s->ended[row->status]++;
    s->errors[row->error]++;
    rank_ended(s, row, fx);
    drop_start_weights(s, row, fx);
}
