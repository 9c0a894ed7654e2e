/* Grid: every combination of the values, in the spec's order, the first parameter slowest. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"
#include "sweep/err.h"

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
    uint64_t size = space_size(st->space, 0), runs = search_runs(st, st->run_cap - st->kept);
    *out = (struct search_outline){.count = 1};
    snprintf(out->stages[0].stage, sizeof(out->stages[0].stage), "grid");
    out->stages[0].runs = (int64_t)runs;
    if (runs == size)
        snprintf(out->stages[0].what, sizeof(out->stages[0].what), "every combination once");
    else
        snprintf(out->stages[0].what, sizeof(out->stages[0].what),
                 "the first %" PRIu64 " of %" PRIu64 " combinations", runs, size);
}

/* The search's own run i is no earlier combination than the i-th, where none came to them: those
 * that a person asked for are left out. */
static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    uint64_t size = space_size(st->space, 0), total = search_runs(st, st->budget);
    struct tried tried;
    if (st->count >= st->budget)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    tried_init(&tried, st->space);
    tried_add_all(&tried, st, 0);
    uint64_t i = st->extended ? 0 : st->count, place = i < size ? space_place_of(st->space, i) : 0;
    for (; i < size && out->count < want && st->count + out->count < st->budget; i++, place++) {
        struct assignment a = {{0}};
        place = space_next(st->space, 0, place, &a, NULL);
        if (tried_add(&tried, &a))
            proposals_add(out, &a, "grid", "combination %" PRIu64 " of %" PRIu64, i + 1, total);
    }
    out->exhausted = i >= size;
    tried_finish(&tried);
    return proposals_answer(out, st);
}

const struct search_method search_grid = {check, outline, ask};
