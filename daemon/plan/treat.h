/* Treatments: which sick runs are worth one, and which remedy comes first. Pure: same history,
 * same treatments, whatever the number of workers. */
#ifndef SWEEPD_SEARCH_TREAT_H
#define SWEEPD_SEARCH_TREAT_H

#include <stddef.h>

#include "daemon/plan/remedy_prior.h"
#include "daemon/plan/study.h"
#include "daemon/causes/remedy.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

#define TREAT_REASON_MAX 160
#define TREAT_TRIES 3 /* treatments of one sick run, treatments of its treatments included */

struct treat_input {
    const struct spec *spec;
    const struct trial *const *trials; /* all runs of the sweep, by number; all terminal */
    size_t count;
    const struct data_facts *data;     /* as a whole */
    const struct remedy_prior *prior;  /* of earlier sweeps */
    int64_t donor;                     /* run whose best weights are kept; 0: none */
    size_t donor_number;               /* and its number */
    size_t budget;                     /* treatments that may be begun now */
};

struct treat_proposal {
    size_t parent;                     /* number */
    enum remedy remedy;
    enum pattern pattern;              /* of the parent */
    enum cause_id cause;
    struct treatment treatment;        /* the whole configuration */
    char reason[TREAT_REASON_MAX];
};

struct treat_proposals {
    size_t count, cap;
    struct treat_proposal *items;
};
void treat_proposals_finish(struct treat_proposals *p);

/* The sick runs among the promising ones (the best quarter, three at least), best first, with one
 * treatment each. A run that a treatment of it has improved is left to that. */
void treat_next(const struct treat_input *in, struct treat_proposals *out);

/* "learning rate / 10 (G4.4): #12 is bottleneck, cause unknown"; parent: "#12" in its own sweep, or
 * "run 57" */
void treat_reason(enum remedy r, const char *parent, enum pattern pattern, enum cause_id cause,
                  char out[TREAT_REASON_MAX]);

/* What came of a treatment: cured when its pattern is another than the parent's and its metric not
 * worse (by more than 0.5 %). change: (metric - parent's) / |parent's|, below 0 is better; NaN
 * where one of the two is not finite, or they were measured on other data. */
struct treat_outcome {
    bool cured;
    double change;
};
struct treat_outcome treat_compare(const struct spec *s, const struct trial *parent,
                                   const struct trial *child);

/* Runs are ranked at their best epoch, whose weights are kept: what only ends them there, or
 * measures more, cannot come to a better metric, and is tried by name alone. */
bool treat_can_gain(enum remedy r);

/* The order of remedies for a label: the guide's is the prior, experience moves it. With r by
 * Thompson sampling (Thompson 1933: a draw from each one's Beta posterior), without by the
 * posterior mean. Sorts remedies[count], which come in the guide's order. */
void treat_order(const struct remedy_prior *prior, enum pattern pattern, enum cause_id cause,
                 struct rng *r, enum remedy *remedies, size_t count);

#endif
