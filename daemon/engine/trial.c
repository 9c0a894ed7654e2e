/* What the search remembers of a run, brought up to date. */
#include "daemon/engine/private.h"
#include "sweep/buf.h"

void trial_update(struct trial *t, const struct run_row *row)
{
    t->status = row->status;
    t->error = row->error;
    t->has_metric = row->has_metric;
    t->metric_value = row->metric_value;
    if (run_status_terminal(row->status) && row->seconds > 0)
        t->seconds = row->seconds;
    t->has_outcome = row->has_outcome;
    t->cured = row->cured;
}

struct run_facts *trial_facts(struct trial *t)
{
    if (t->facts == NULL)
        t->facts = xcalloc(1, sizeof(*t->facts));
    return t->facts;
}
