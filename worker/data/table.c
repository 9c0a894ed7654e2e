#include "worker/data/table.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/columns.h"
#include "worker/memory.h"

void table_finish(struct table *t)
{
    free(t->values);
    free(t->targets);
    free(t->class_name);
    memset(t, 0, sizeof *t);
}

void table_columns_destroy(struct table_columns *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        if (c->header)
            free(c->header[i]);
        if (c->column[i].names)
            names_finish(c->column[i].names);
        free(c->column[i].names);
    }
    free(c->header);
    free(c->column);
    free(c);
}

int table_init(struct table *out, const struct text *t, size_t count, size_t features,
               struct errbuf *err)
{
    if (count > SAMPLES_MAX || features > SAMPLES_FEATURES_MAX)
        return text_fail(t, 0, err, ERR_LIMIT, "%zu samples of %zu features; allowed: %zu of %zu",
                         count, features, SAMPLES_MAX, SAMPLES_FEATURES_MAX);
    /* Below 2^56 numbers: nothing here overflows. */
    size_t numbers = count * features, bytes = numbers * sizeof(float) + count * sizeof(double);
    if (numbers > TABLE_NUMBERS_MAX || bytes > t->values_max_bytes)
        return text_fail(t, 0, err, ERR_LIMIT,
                         "%zu samples of %zu features need %.3g GiB; allowed: %.3g GiB (half of "
                         "this machine's memory) and %zu numbers",
                         count, features, (double)bytes / 0x1p30,
                         (double)t->values_max_bytes / 0x1p30, TABLE_NUMBERS_MAX);
    *out = (struct table){.type = SAMPLES_F32,
                          .count = count,
                          .shape = {.rank = 1, .dim = {features}},
                          .values = xcalloc(numbers, sizeof(float)),
                          .outputs = 1,
                          .targets = xcalloc(count, sizeof(double))};
    memory_expect(out->values, numbers * sizeof(float));
    return 0;
}

void table_cut(struct table *t, size_t count)
{
    REQUIRE(count <= t->count);
    if (count == t->count)
        return;
    t->count = count;
    t->values = xrealloc(t->values, count * shape_count(&t->shape) * sizeof(float));
    t->targets = xrealloc(t->targets, count * t->outputs * sizeof(double));
}
