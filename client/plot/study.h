/* What charts are drawn from: a sweep as plain numbers. */
#ifndef SWEEPCTL_STUDY_H
#define SWEEPCTL_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/diagnosis.h"
#include "sweep/objective.h"
#include "sweep/run.h"

struct study_parameter {
    char *name;
    bool logarithmic;
    double importance;   /* its share of what was decided, by PED-ANOVA; NAN: not known */
    size_t choice_count; /* 0: its values are numbers; else they are indices of these */
    char **choices;
};

struct study_objective {
    char *name;
    bool maximize;
};

struct study_curve {
    size_t count;
    double *epoch, *train, *val; /* NAN: not measured, or not a number */
    size_t regime_count;
    struct diagnosis_regime regimes[DIAGNOSIS_REGIMES_MAX];
};

struct study_run {
    int64_t id, number, parent; /* 0: none */
    enum run_status status;
    enum run_kind kind;
    enum pattern pattern;
    double metric;             /* NAN: none, not a number, or of one that failed or was cancelled */
    double seconds;            /* of training; NAN: none */
    double *objectives;        /* one of each, NAN: not known; NULL: the metric alone */
    bool on_front;             /* its configuration is one that no other betters in all */
    double epoch, epochs;      /* how far it is, of how many; NAN: no point yet */
    double started, ended;     /* since the sweep's first start; NAN: not yet */
    double *values;            /* one of each parameter; NAN: absent */
    char *stage, *cause, *why; /* why: its end before its time, or its failure; "": none */
    struct study_curve curve;
};

struct study {
    int64_t id;
    char *name, *metric;
    bool maximize;
    size_t objective_count;    /* 0: the metric alone; else from 2, the metric first */
    struct study_objective objectives[OBJECTIVES_MAX];
    size_t parameter_count, run_count, run_cap;
    size_t importance_runs; /* that the parameters' importance was told from; 0: not known */
    struct study_parameter *parameters;
    struct study_run *runs; /* by number */
};

void study_finish(struct study *s);
/* a is better than b; a number is better than none. */
bool study_better(const struct study *s, double a, double b);
/* The run with the best metric among those that count for it; NULL: none has one. */
const struct study_run *study_best(const struct study *s);
/* -1: no such parameter. */
int study_parameter(const struct study *s, const char *name);
/* The same of an objective. */
int study_objective(const struct study *s, const char *name);
/* How strongly the metric goes with the parameter alone: the share of the variance of the runs'
 * ranks that lies between its values (of a number: between pieces of its range). 0 where too little
 * is known. */
double study_strength(const struct study *s, size_t parameter);

#endif
