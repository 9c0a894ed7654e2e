/* The search methods by name. A new one is a row here and the file that defines search_<name>. */
#ifndef SWEEP_METHOD_H
#define SWEEP_METHOD_H

#define METHOD_TREATS 1u /* sick runs are treated unless the spec says otherwise */
#define METHOD_STAGES 32u /* each part of it is planned as a whole, in the measure of run_cap */
#define METHOD_COUNTS 2u /* the values say how many runs there are: run_cap may be left out */
#define METHOD_REPEATS 8u /* what is left of run_cap repeats, unless the spec says otherwise */
#define METHOD_LEARNS 16u /* goes by earlier runs, in logical time: the key lag */
#define METHOD_WARM 512u /* it may begin with runs of earlier sweeps: the key warm_start */
#define METHOD_BUDGETS 64u /* learns from runs of different length: hyperband unless it is said */
#define METHOD_INHERITS 256u /* a run goes on from another's checkpoint: the key perturb */
#define METHOD_ONE 128u /* looks for the best of one metric, and so for no front of several */
#define METHOD_INNER 4u  /* of sweeps that the daemon makes itself: nobody may submit one */

/* X(id, name, traits, what it does) */
#define METHOD_MAP(X)                                                                              \
    X(COARSE_TO_FINE, coarse_to_fine, METHOD_TREATS | METHOD_STAGES | METHOD_WARM,                 \
      "the guide's search in four stages (G2)")                                                    \
    X(GRID, grid, METHOD_COUNTS, "every combination of the listed values")                         \
    X(RANDOM, random, METHOD_REPEATS, "independent draws")                                         \
    X(SOBOL, sobol, METHOD_REPEATS, "a scrambled low-discrepancy sequence")                        \
    X(TPE, tpe, METHOD_REPEATS | METHOD_LEARNS | METHOD_WARM,                                      \
      "tree-structured Parzen estimator")                                                          \
    X(GP, gp, METHOD_REPEATS | METHOD_LEARNS | METHOD_WARM,                                        \
      "Bayesian optimization, a Gaussian process")                                                 \
    X(CMAES, cmaes, METHOD_REPEATS | METHOD_WARM | METHOD_ONE,                                     \
      "covariance matrix adaptation, generation by generation")                                    \
    X(BOHB, bohb, METHOD_REPEATS | METHOD_LEARNS | METHOD_BUDGETS | METHOD_ONE,                    \
      "densities of good and bad runs at the longest budget that is known, with hyperband")        \
    X(DEHB, dehb, METHOD_REPEATS | METHOD_LEARNS | METHOD_BUDGETS | METHOD_ONE,                    \
      "differential evolution at each rung, with hyperband")                                       \
    X(PBT, pbt, METHOD_INHERITS | METHOD_ONE,                                                      \
      "a population that trains at once: the worst go on from the best, with values nearby")      \
    X(BY_HAND, by_hand, METHOD_INNER, "no search: runs that a person asks for")

enum method {
#define X(id, name, traits, doc) METHOD_##id,
    METHOD_MAP(X)
#undef X
    METHOD_COUNT
};
const char *method_name(enum method m);
unsigned method_traits(enum method m);
/* -1 when unknown. */
int method_find(const char *name);

#endif
