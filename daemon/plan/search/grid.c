/* Grid: every combination of the values, in the spec's order, the first parameter slowest. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"
#include "sweep/err.h"

static uint64_t total_runs(const struct study *st)
{
    uint64_t size = space_size(st->space, 0), runs = st->run_cap - st->kept;
    return size < runs ? size : runs;
}

static int check(const struct study *st, struct errbuf *err)
{
    for (size_t i = 0; i < st->space->count; i++) {
        const struct dimension *d = &st->space->dimensions[i];
        if (dimension_cardinality(d) > 0)
            continue;
        char key[96];
        snprintf(key, sizeof(key), "$.parameters.%s", d->name);
        return err_bad(err, ERR_VALUE, key, distribution_name(d->distribution),
                       "values that can be counted, for method grid: \"values\", integer min and "
                       "max, or a quantized distribution (q)");
    }
    return 0;
}

static void outline(const struct study *st, struct search_outline *out)
{
    uint64_t size = space_size(st->space, 0), runs = total_runs(st);
    *out = (struct search_outline){.count = 1};
    snprintf(out->stages[0].stage, sizeof(out->stages[0].stage), "grid");
    out->stages[0].runs = (int64_t)runs;
    if (runs == size)
        snprintf(out->stages[0].what, sizeof(out->stages[0].what), "every combination");
    else
        snprintf(out->stages[0].what, sizeof(out->stages[0].what),
                 "the first %" PRIu64 " of %" PRIu64 " combinations", runs, size);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    uint64_t total = total_runs(st);
    if (total > st->budget)
        total = st->budget;
    if (st->count >= total)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    for (uint64_t i = st->count; i < total && i < st->count + want; i++) {
        struct assignment a = {{0}};
        space_nth(st->space, 0, i, &a);
        proposals_add(out, &a, "grid", "combination %" PRIu64 " of %" PRIu64, i + 1, total);
    }
    return ANSWER_RUNS;
}

const struct search_method search_grid = {check, outline, ask};
