/* Early termination: rules that end a run at a rung, by what other runs came to there. A new rule
 * is a row here and the file that defines stop_<name>. */
#ifndef SWEEP_STOP_H
#define SWEEP_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Traits: which keys of "early_terminate" a rule has beside those of all. */
#define STOP_PERCENTILES 1u /* percentile */
#define STOP_HALVES 2u      /* the best 1 / eta go on; geometric rungs unless "every" is given */
#define STOP_BRACKETS 4u    /* brackets: runs are only compared within theirs */
#define STOP_EXTRAPOLATES 8u /* threshold; reads its curve, and waits until others have ended */
#define STOP_DIAGNOSES 16u  /* reads the run's label */

/* X(id, name, traits, what it stops) */
#define STOP_MAP(X)                                                                                \
    X(MEDIAN, median, 0, "worse than the median of earlier runs at the same epoch")                \
    X(PERCENTILE, percentile, STOP_PERCENTILES, "not in the best part of the earlier runs there")  \
    X(SUCCESSIVE_HALVING, successive_halving, STOP_HALVES, "not among the best 1 / eta there")     \
    X(HYPERBAND, hyperband, STOP_HALVES | STOP_BRACKETS, "the same, within its bracket")           \
    X(CURVE, curve, STOP_EXTRAPOLATES, "hardly able to beat the best any more")                    \
    X(LABEL, label, STOP_DIAGNOSES, "with a diagnosis that will not change, not among the best")

enum stop_rule_id {
    STOP_NONE,
#define X(id, name, traits, doc) STOP_##id,
    STOP_MAP(X)
#undef X
    STOP_RULE_COUNT
};
const char *stop_name(enum stop_rule_id r);
unsigned stop_traits(enum stop_rule_id r);

#define STOP_EVERY 1   /* defaults */
#define STOP_STARTUP 5 /* of a rule that halves: eta - 1, so that one of eta runs goes on */
#define STOP_LAG 8
#define STOP_ETA 3
#define STOP_BEST_PERCENTAGE 25
#define STOP_CHANCE 0.05

/* Of "early_terminate". Rungs lie before the last epoch: at min_iter, min_iter + every, …; where
 * every is 0 at min_iter, min_iter x eta, …; where max_iter is given at max_iter / eta, max_iter /
 * eta^2, …, at most `rungs` of them (W&B's "s"; 0: down to epoch 1). */
struct stop_settings {
    enum stop_rule_id rule;
    int64_t min_iter; /* epoch of the first rung */
    int64_t every;    /* epochs from rung to rung */
    int64_t startup;  /* runs that must be known at a rung before one is stopped there */
    int64_t lag;      /* run n sees those numbered below n - lag (logical time): from 1 */
    double eta;
    int64_t max_iter, rungs;
    double percentile;
    bool promote;     /* of a rule that halves: a run waits until it is among the best */
    bool by_stage;    /* with promote: stages have rungs of their own (plan/stop/by_stage.h) */
    double threshold; /* stop below that chance of beating the best */
    double audit;     /* share of the runs to be stopped that go on, to learn what that costs */
    int64_t brackets; /* 0: one for each rung, and one whose runs are never stopped */
};

/* The first rung of run `number` behind that epoch, if it has so many epochs; 0: it goes on to its
 * end. */
int64_t stop_next_rung(const struct stop_settings *s, size_t number, int64_t epoch, int64_t epochs);

/* Bracket 0 has all rungs, each other one fewer than that before it. How many there are for runs of
 * so many epochs, and which one a run is in: so that each bracket trains about as many epochs (Li
 * et al. 2018, algorithm 1), evenly spread over the numbers. */
size_t stop_brackets(const struct stop_settings *s, int64_t epochs);
size_t stop_bracket(const struct stop_settings *s, size_t number, int64_t epochs);

#endif
