/* What is done about a label: a change of the configuration, tried as a new run that is compared
 * with its parent. One row of REMEDY_MAP (sweep/remedy.h) is one remedy; which pattern and cause it
 * answers, and in which order, is in daemon/causes/remedy_order.c. */
#ifndef SWEEP_REMEDY_H
#define SWEEP_REMEDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/cause.h"
#include "sweep/pattern.h"
#include "sweep/remedy.h"
#include "sweep/setting.h"

#define REMEDIES_MAX 24

/* What a treatment changes; all are those of the parent at first. */
struct treatment {
    struct settings settings;
    struct layer_list layers;  /* of a sequential model */
    int64_t epochs;
    int64_t start_from;        /* run whose best weights it starts with; 0: none */
};

/* What a remedy may read beside the parent's configuration. */
struct remedy_context {
    const struct data_facts *data;
    int64_t donor;             /* run with the same network whose weights are kept; 0: none */
};

const char *remedy_name(enum remedy r);
int remedy_find(const char *name); /* -1 when unknown */
const char *remedy_guide_ref(enum remedy r); /* NULL: ours */
const char *remedy_does(enum remedy r);
/* Remedies for that label in order: those that the cause names, then those of the pattern alone
 * that do not speak against it; of each, the guide's first and in its order. Returns their
 * number. CAUSE_COUNT or CAUSE_UNKNOWN: the pattern's alone; PATTERN_NONE: the cause's alone. */
size_t remedies_of(enum pattern p, enum cause_id cause, enum remedy out[REMEDIES_MAX]);

/* How a run came to be that is a treatment itself. */
struct remedy_past {
    enum remedy remedy;
    enum cause_id cause;       /* of its parent */
    bool helped;               /* it came to a better metric than its parent */
};
/* The same for the next treatment of a treatment that helped: the same step once more where it can
 * be taken again (learning rate, batch, size, strength), then the remedies of its own cause, or,
 * where it has none, the parent's others. past may be NULL. */
size_t remedies_next(enum pattern p, enum cause_id cause, const struct remedy_past *past,
                     enum remedy out[REMEDIES_MAX]);
/* Changes t; false (t untouched) where it would change nothing, does not apply to this kind of
 * model or would leave a setting's range. One change of meaning at a time. A preset whose settings
 * it changes is written out first (train.preset none). */
bool remedy_apply(enum remedy r, const struct remedy_context *c, struct treatment *t);

/* What can be done about a run, the likeliest to help first. */
struct advice {
    bool known; /* it was looked for: count 0 is that nothing can be done */
    size_t count;
    enum remedy items[REMEDIES_MAX];
};
/* Remedies for that label that would change something of that configuration and are not in it
 * already. before: the remedy that the run is a treatment with; REMEDY_COUNT: none. parent NULL:
 * nothing is known of the configuration. */
void advice_find(enum pattern p, enum cause_id cause, enum remedy before,
                 const struct treatment *parent, const struct data_facts *data,
                 struct advice *out);
char *advice_names(const struct advice *a); /* JSON list, heap; NULL: not known */
/* "learning rate / 10 (G4.4)" */
#define ADVICE_TEXT_MAX 96
void advice_text(enum remedy r, char out[ADVICE_TEXT_MAX]);

/* Whether a treatment that came to a metric has cured its parent, from both patterns. change: of
 * the metric, relative, above 0 is worse; NaN: not known. */
#define REMEDY_NOT_WORSE 0.005 /* within it a metric counts as equal */
bool remedy_cured(enum pattern parent, enum pattern treated, double change);

#endif
