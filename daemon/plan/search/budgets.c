#include "daemon/plan/search/budgets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/stop.h"

size_t budgets_epochs(const struct study *st, int64_t out[BUDGETS_MAX + 1])
{
    size_t n = 0;
    int64_t at = 0, end = st->epochs;
    while (n < BUDGETS_MAX && (at = stop_next_rung(st->stop, 0, at, end)) > 0) /* run 0 is in it */
        out[n++] = at;
    out[n++] = end;
    return n;
}

int budgets_check(const struct study *st, const char *method, struct errbuf *err)
{
    int64_t epochs[BUDGETS_MAX + 1];
    char given[96];
    if (!(stop_traits(st->stop->rule) & STOP_HALVES))
        return err_bad(err, ERR_VALUE, "$.early_terminate.type", stop_name(st->stop->rule),
                       "successive_halving or hyperband, or no \"early_terminate\" at all: method "
                       "%s compares runs of different length, which a rule that halves makes",
                       method);
    size_t n = budgets_epochs(st, epochs);
    if (n < 2) {
        snprintf(given, sizeof(given), "%" PRId64, st->epochs);
        return err_bad(err, ERR_VALUE, "$.epochs", given,
                       "more, so that a rung of early_terminate lies before the last epoch: method "
                       "%s learns from short runs what is worth a long one", method);
    }
    if (n > BUDGETS_MAX) {
        snprintf(given, sizeof(given), "%" PRId64, st->stop->every);
        return err_bad(err, ERR_VALUE, "$.early_terminate.every", given,
                       "at most %d rungs for method %s: a larger step, or none, and rungs lie eta "
                       "times as far as the one before", BUDGETS_MAX - 1, method);
    }
    return 0;
}

static void budgets_init(struct budgets *b, const struct study *st)
{
    int64_t epochs[BUDGETS_MAX + 1];
    b->count = budgets_epochs(st, epochs);
    REQUIRE(b->count <= BUDGETS_MAX);
    for (size_t i = 0; i < b->count; i++)
        past_begin_at(&b->pasts[i], st, epochs[i]);
}

static void budgets_finish(struct budgets *b)
{
    for (size_t i = 0; i < b->count; i++)
        past_finish(&b->pasts[i]);
    b->count = 0;
}

static void budgets_destroy(void *data)
{
    budgets_finish(data);
    free(data);
}

struct budgets *budgets_open(const struct study *st, size_t number, struct budgets *own)
{
    struct budgets *b = st->memo != NULL ? memo_get(st->memo, MEMO_BUDGETS) : own;
    if (b == NULL) {
        b = xcalloc(1, sizeof(*b));
        memo_keep(st->memo, MEMO_BUDGETS, b, budgets_destroy);
        budgets_init(b, st);
    }
    if (b == own)
        budgets_init(b, st);
    for (size_t i = 0; i < b->count; i++)
        REQUIRE(past_see(&b->pasts[i], st, number));
    return b;
}

void budgets_close(struct budgets *b, struct budgets *own)
{
    if (b == own)
        budgets_finish(own);
}
