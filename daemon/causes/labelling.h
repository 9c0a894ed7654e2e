/* From a curve to its label, and from runs to their causes: for the engine, which labels live runs,
 * and for relabelling, which labels stored ones again. Pure. */
#ifndef SWEEPD_LABELLING_H
#define SWEEPD_LABELLING_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/engine/rows.h"
#include "daemon/plan/study.h"
#include "sweep/kept_points.h"

/* For G4.7: the run's dropout, its layers' largest rate where that is more. layers: the sweep's,
 * for a run without a list of its own; c NULL: another task's run, and NaN. */
double labelling_dropout(const struct trainer_config *c, const struct layer_list *layers);
void labelling_diagnose(const struct kept_points *k, bool running, double dropout,
                        struct diagnosis *out);
/* A label without causes and facts; heap. */
struct label_row *labelling_row(int64_t run_id, const struct diagnosis *d, utc_us now);
char *labelling_facts_text(const struct run_facts *f); /* heap */

/* --- causes ---------------------------------------------------------------------------------- */

#define SIBLINGS_MAX 512 /* nearest runs by number that a run is compared with */

/* Labelled runs that differ in their settings alone. */
struct siblings {
    size_t count;
    struct sibling *items;
    size_t *numbers;
};
/* Of trials from … to-1; epochs: those of the sweep. Borrows the trials. */
void siblings_init(struct siblings *out, const struct trial *const *trials, size_t from, size_t to,
                   int64_t epochs);
void siblings_finish(struct siblings *s);
/* Causes of trials[number], which is labelled; data: as a whole. */
void labelling_causes(const struct trial *const *trials, size_t number, const struct siblings *all,
                      const struct data_facts *data, const struct layer_list *layers,
                      struct causes *out);
/* What can be done about it, from those causes. */
void labelling_advice(const struct trial *t, const struct causes *c, const struct data_facts *data,
                      const struct layer_list *layers, struct advice *out);

#endif
