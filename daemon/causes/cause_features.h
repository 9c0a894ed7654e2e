/* Features that the tests of all causes read, derived once for a run. A cause is one row of the
 * table in cause.c and one function here: weight 0..1 (0: nothing speaks for it) and one sentence
 * with its numbers. */
#ifndef SWEEPD_CAUSE_FEATURES_H
#define SWEEPD_CAUSE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/causes/cause.h"

#define CAUSE_EVIDENCE_MAX sizeof(((struct cause *)NULL)->evidence)

/* The best runs that differ in one setting alone, with a smaller and with a larger value of it. */
struct neighbours {
    const struct sibling *lower, *higher;
};

struct cause_features {
    const struct cause_input *in;
    const struct run_facts *f;
    const double *v;           /* settings */
    const struct data_facts *data;
    bool sick;                 /* the pattern says that something is wrong */
    bool exploded;             /* NaN, Inf, or both losses rise */
    double guess;              /* loss of a model that knows only how often each class, or which
                                  mean, the targets have; NaN: unknown */
    double chance;             /* share of right answers when guessing; NaN for regression */
    bool stuck;                /* never better than guessing */
    double left;               /* lowest training loss / guess; 1 where that is unknown */
    double above;              /* 0..1: the loss was far above guessing, or came to lie there */
    double thrown;             /* 0..1: the first steps threw the weights about */
    double disturbed;          /* 0..1: a setting is so far off that dead units, lost gradients or
                                  wrong answers are more likely what it does than causes */
    double steps;              /* optimizer steps of the run */
    double layer_dropout;      /* largest rate of any dropout layer */
    bool saturating;           /* hidden layers of tanh or sigmoid */
    bool plain_rnn;            /* a recurrent layer without gates */
    double depth;              /* hidden blocks */
    struct neighbours near[SETTING_COUNT];
};

void cause_features_init(struct cause_features *x, const struct cause_input *in);
/* That run's best validation loss (training loss where there is none) is clearly lower. */
bool sibling_better(const struct cause_features *x, const struct sibling *s);
/* 0 at `from`, 1 at `to`, straight between (either may be the larger); 0 for NaN. */
double score_ramp(double x, double from, double to);
/* The chance that at least one of two independent signs is right. */
double score_noisy_or(double a, double b);
void evidence_printf(char *evidence, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef double cause_test(const struct cause_features *x, char *evidence);

/* cause_rate.c */
cause_test cause_learning_rate_too_large, cause_learning_rate_too_small, cause_batch_too_small,
    cause_clipping_bounds;
/* cause_net.c */
cause_test cause_capacity_too_small, cause_too_deep, cause_vanishing_gradient,
    cause_exploding_gradient, cause_dead_units, cause_dropout_too_strong;
/* cause_data.c */
cause_test cause_not_shuffled, cause_nan_in_input, cause_validation_set_too_small,
    cause_label_noise, cause_overcapacity, cause_constant_prediction;

#endif
