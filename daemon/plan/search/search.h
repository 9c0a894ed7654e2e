/* A search method: from what is known to the next batch of configurations. Pure: same spec and
 * history, same proposals, whatever the number of workers (synchronous methods act at barriers
 * only: the engine asks again when every run proposed so far is terminal). */
#ifndef SWEEPD_SEARCH_H
#define SWEEPD_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/cause.h"
#include "sweep/err.h"
#include "sweep/remedy.h"
#include "sweep/run.h"
#include "sweep/run_facts.h"
#include "sweep/setting.h"
#include "sweep/spec.h"

struct proposal {
    char stage[24];
    char reason[160];         /* in words: "learning rate 0.1, large first (G2.1)" */
    struct settings settings; /* the whole configuration */
};

struct proposals {
    size_t count, cap;
    struct proposal *items;
};
void proposals_add(struct proposals *p, const struct settings *settings, const char *stage,
                   const char *reason_fmt, ...) __attribute__((format(printf, 4, 5)));
void proposals_finish(struct proposals *p);

/* A run of the sweep, by its number. */
struct trial {
    char stage[24];
    struct settings settings;
    enum run_kind kind;
    enum run_status status;
    bool has_metric;          /* false: no point was stored; ranks last */
    double metric_value;
    bool judged;              /* the two below are known */
    struct run_facts facts;
    enum cause_id cause;      /* the likeliest; CAUSE_COUNT: nothing is wrong */
    /* a treatment */
    size_t parent;            /* number of the run it treats; TRIAL_NONE: not of this sweep */
    enum remedy remedy;
    enum pattern treats_pattern;
    enum cause_id treats_cause;
    bool has_outcome, cured;
    /* what a remedy may have changed beside the settings */
    int64_t epochs, start_from;
    struct layer_list *layers; /* owned by whoever keeps the trials; NULL: the spec's */
};
#define TRIAL_NONE SIZE_MAX

/* Completed or stopped, with a finite metric. */
bool trial_usable(const struct trial *t);
/* Usable ones first, then by metric. */
bool trial_better(const struct spec *s, const struct trial *a, const struct trial *b);

struct search_outline {
    size_t count;
    struct {
        char stage[24];
        int64_t runs;
        char what[120];
    } stages[8];
};

struct search_method {
    /* Refuses a spec the method cannot work on (grid over a continuous parameter, coarse_to_fine
     * whose run_cap is too small …). 0 or an error with the JSON path. */
    int (*check)(const struct spec *s, struct errbuf *err);
    /* Number of runs each stage will get, as far as known before the start. */
    void (*outline)(const struct spec *s, struct search_outline *out);
    /* Appends the next batch; none: the search is over. trials: all earlier runs of kind search,
     * which are terminal; budget: how many the search may have in all, those included. */
    void (*next)(const struct spec *s, size_t budget, const struct trial *trials, size_t count,
                 struct proposals *out);
};

const struct search_method *search_method(enum method m);

#endif
