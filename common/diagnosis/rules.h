/* Every threshold of the label in one table, so that tests/bench/diagnosis can refit them on other
 * curves. Chosen by coordinate search over labelled curves, checked by leaving one source
 * repository out (docs/decisions/0005-diagnosis.md has the figures and how flat the optimum is).
 * All are free of scale: shares of a curve's own noise, level or descent. */
#ifndef COMMON_DIAGNOSIS_RULES_H
#define COMMON_DIAGNOSIS_RULES_H

/* X(name, default, what) */
#define RULE_MAP(X)                                                                                \
    /* slope of the tail window */                                                                 \
    X(z, 1.28, "|Mann-Kendall Z| at least; a fifth less below 10 points")                          \
    X(wander, 5, "|change| at least so many times the noise around the best fall-then-rise")       \
    X(late_wander, 16, "or so many times that of the last 60 % alone")                             \
    X(of_range, 0.04, "|change| at least this share of the range, unless whole_level")             \
    X(whole_level, 1, "a fall of this share of the level counts also below of_range")              \
    X(of_level, 0.01, "|change| at least this share of the level")                                 \
    X(size, 0.025, "geometric mean of change/level and change/descent at least")                   \
    X(relax, 0.4, "wander is multiplied by this where the other loss falls firmly")                \
    X(relax_z, 0.5, "and z by this")                                                               \
    /* rise from the minimum */                                                                    \
    X(rise_level, 0.04, "validation: rise at least this share of the minimum")                     \
    X(rise_train, 0.15, "training: the same")                                                      \
    X(rise_full, 0.03, "training: and this share of all it moved")                                 \
    X(rise_sigma, 3, "rise at least so many times the noise in the window")                        \
    X(rise_wander, 4, "rise at least so many times the noise around the best fall-then-rise")      \
    X(rise_z, 1.64, "Mann-Kendall Z of the values since the minimum at least")                     \
    X(rise_past, 0.15, "the minimum lies before this last share of the values")                    \
    X(recovering, 0.5, "no rise where the slope takes back this share of it")                      \
    X(lone_rise, 1.5, "training must rise so much more clearly where validation does not")         \
    /* oscillation */                                                                              \
    X(turning, 0.40, "share of turning points at least")                                           \
    X(net, 0.25, "net way over path at most")                                                      \
    X(step, 0.05, "mean step over level at least")                                                 \
    X(residual, 0.15, "residual over range at least")                                              \
    X(of_reach, 0.10, "residual over all the run moved at least")                                  \
    X(batch_sd, 0.5, "spread between batches over the loss at least, and over the range")          \
    X(batch_span, 2, "span between batches over the loss at least")                                \
    /* training above validation */                                                                \
    X(gap, 0.10, "gap over validation at least")                                                   \
    X(gap_sigma, 2, "gap over both noises at least")                                               \
    X(dropout_ratio, 2.5, "training over validation at least")                                     \
    X(dropout_val, 0.25, "validation at most this share of the largest loss")                      \
    X(dropout_train, 0.3, "training at least this share of its first value")                       \
    X(dropout_flat, 0.15, "training changes by at most this share of its level or of the gap")     \
    /* flat, stuck, rising */                                                                      \
    X(fell_train, 0.5, "converged: training lost this share of its first value")                   \
    X(fell_val, 0.2, "converged: validation the same")                                             \
    X(stuck, 0.05, "training moved by less than this share over the run")                          \
    X(stuck_ratio, 1.6, "while validation fell so many times as far")                              \
    X(slow_level, 0.10, "slow rise: at most this share of the minimum")                            \
    X(slow_more, 0.5, "or this share, where")                                                      \
    X(slow_full, 0.15, "it is less than this share of all that training moved")

struct rules {
#define X(name, value, what) double name;
    RULE_MAP(X)
#undef X
};

extern const struct rules RULES_DEFAULT;

/* The threshold of this name, or NULL. */
double *rules_find(struct rules *r, const char *name);

#endif
