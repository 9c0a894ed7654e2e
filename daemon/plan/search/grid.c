/* Grid: every combination of the values, in the spec's order, the first parameter slowest. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/search/methods.h"
#include "daemon/plan/search/space.h"

static uint64_t total_runs(const struct spec *s)
{
    uint64_t size = space_size(s, 0), cap = SPEC_MAX_RUNS;
    uint64_t runs = (uint64_t)(s->run_cap - spec_treat_cap(s));
    if (s->run_cap > 0 && runs < cap)
        cap = runs;
    return size < cap ? size : cap;
}

static int check(const struct spec *s, struct errbuf *err)
{
    for (size_t i = 0; i < s->dimension_count; i++) {
        const struct dimension *d = &s->dimensions[i];
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

static void outline(const struct spec *s, struct search_outline *out)
{
    uint64_t size = space_size(s, 0), runs = total_runs(s);
    *out = (struct search_outline){.count = 1};
    snprintf(out->stages[0].stage, sizeof(out->stages[0].stage), "grid");
    out->stages[0].runs = (int64_t)runs;
    if (runs == size)
        snprintf(out->stages[0].what, sizeof(out->stages[0].what), "every combination");
    else
        snprintf(out->stages[0].what, sizeof(out->stages[0].what),
                 "the first %" PRIu64 " of %" PRIu64 " combinations", runs, size);
}

static void next(const struct spec *s, size_t budget, const struct trial *trials, size_t count,
                 struct proposals *out)
{
    (void)trials;
    uint64_t total = total_runs(s);
    if (total > budget)
        total = budget;
    for (uint64_t i = count; i < total && i < count + SEARCH_BATCH_MAX; i++) {
        struct settings c = s->fixed;
        space_nth(s, 0, i, &c);
        proposals_add(out, &c, "grid", "combination %" PRIu64 " of %" PRIu64, i + 1, total);
    }
}

const struct search_method search_grid = {check, outline, next};
