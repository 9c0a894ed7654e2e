/* From a curve to its label, and from runs to their causes: for the engine, which labels live runs,
 * and for relabelling, which labels stored ones again. Pure. */
#ifndef SWEEPD_LABELLING_H
#define SWEEPD_LABELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/rows.h"
#include "daemon/plan/study.h"
#include "sweep/kept_points.h"

/* For G4.7: the run's dropout, its layers' largest rate where that is more; NaN: another task's
 * run. */
double labelling_dropout(const struct spec *spec, const struct trial *t);
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
    struct settings *settings; /* theirs */
    size_t *numbers;
};
/* Of trials from … to-1 of a sweep; none of another task. Borrows the trials. */
void siblings_init(struct siblings *out, const struct spec *spec,
                   const struct trial *const *trials, size_t from, size_t to);
void siblings_finish(struct siblings *s);
/* Which of them trials[number] is compared with, as a number: another one for others. Never 0. */
uint64_t siblings_around(const struct siblings *all, size_t number);
/* Causes of trials[number], which is labelled; data: as a whole. None of another task's run. */
void labelling_causes(const struct spec *spec, const struct trial *const *trials, size_t number,
                      const struct siblings *all, const struct data_facts *data,
                      struct causes *out);
/* What can be done about it, from those causes. */
void labelling_advice(const struct spec *spec, const struct trial *t, const struct causes *c,
                      const struct data_facts *data, struct advice *out);

#endif
