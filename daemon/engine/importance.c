/* How much each parameter of a sweep decided: by its trials, when it completes. */
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/importance.h"
#include "sweep/json.h"

static void take(struct importance_runs *r, const struct trial *t)
{
    const struct importance_given given = {.kind = t->kind,
                                           .status = t->status,
                                           .error = t->error,
                                           .has_metric = t->has_metric,
                                           .metric = t->metric_value,
                                           .at = &t->at};
    importance_take(r, &given);
}

void sweep_weigh_parameters(struct sweep *s)
{
    struct importance_runs runs;
    struct errbuf why; /* too few runs */
    double raw[SPACE_MAX_DIMENSIONS];
    const struct study st = sweep_study(s);
    importance_init(&runs, st.space, st.maximize);
    for (size_t i = 0; i < st.all_count; i++)
        take(&runs, st.all[i]);
    free(s->row->importances);
    s->row->importances = NULL;
    if (importance_compute(&runs, IMPORTANCE_PEDANOVA, st.seed, raw, &why) == 0) {
        struct buf text = {0};
        struct json_writer w;
        jw_init(&w, &text);
        importance_write(st.space, raw, &w);
        s->row->importances = buf_take(&text);
    }
    importance_finish(&runs);
}
