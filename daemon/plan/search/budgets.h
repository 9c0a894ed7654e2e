/* What methods see that learn from runs of different length: the past as it stood at each rung,
 * and at the end. Logical time is that of past.h. */
#ifndef SWEEPD_SEARCH_BUDGETS_H
#define SWEEPD_SEARCH_BUDGETS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/past.h"

/* Rungs, and the last epoch. */
#define BUDGETS_MAX 32

struct budgets {
    size_t count;
    struct past pasts[BUDGETS_MAX]; /* by epoch, each of them past.epoch */
};

/* check of such a method: a rule that halves, whose rungs lie before the last epoch. */
int budgets_check(const struct study *st, const char *method, struct errbuf *err);

/* The budgets of a study: what it keeps, or `own`, which budgets_close finishes. As run `number`
 * of the sweep sees them; all that it sees has ended. */
struct budgets *budgets_open(const struct study *st, size_t number, struct budgets *own);
void budgets_close(struct budgets *b, struct budgets *own);

#endif
