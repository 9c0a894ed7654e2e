/* Every threshold of the label in one table, so that tests/bench/diagnosis can refit them on other
 * curves. Chosen with labelled curves, checked by leaving one source repository out
 * (docs/decisions/0005-diagnosis.md has the figures and how flat the optimum is).
 * All are free of scale: shares of a curve's own noise, level or descent. */
#ifndef COMMON_DIAGNOSIS_RULES_H
#define COMMON_DIAGNOSIS_RULES_H

/* X(name, default, what) */
#define RULE_MAP(X)                                                                                \
    /* a trend, of the tail window or since the minimum */                                         \
    X(z, 1.64, "|Mann-Kendall Z| at least: 5 % one-sided; a fifth less below 10 points")           \
    X(size, 0.03, "geometric mean of change/level and change/descent at least")                    \
    X(wander, 5, "|slope's change| at least so many times the noise around a fall-then-rise")      \
    X(late, 3.2, "the noise of the last 60 % counts, times this, where that is less")              \
    X(units, 2, "|change| at least so many times the last digit of rounded losses")                \
    X(pace, 0.25, "a fall keeps at least this share of its slope in the window's last half")       \
    X(relax, 0.4, "noise asked of a loss where the other falls firmly, times this")                \
    X(relax_z, 0.5, "and Z, times this")                                                           \
    X(alike, 0.5, "no size is asked of it where it fell this share as far for its level")          \
    /* rise from the minimum */                                                                    \
    X(rise_level, 0.04, "validation: rise at least this share of the minimum")                     \
    X(rise_train, 0.15, "training: the same")                                                      \
    X(rise_wander, 4, "rise at least so many times the noise around a fall-then-rise")             \
    X(rise_sigma, 3, "and so many times the noise in the window, which counts")                    \
    X(rise_clear, 3, "at most as so many times the noise around a fall-then-rise")                 \
    X(rise_past, 0.15, "the minimum lies before this last share of the values")                    \
    X(recovering, 0.5, "no rise where the slope takes back this share of it")                      \
    /* oscillation */                                                                              \
    X(turning, 0.40, "share of turning points at least")                                           \
    X(net, 0.25, "net way over path at most")                                                      \
    X(swing, 0.08, "geometric mean of residual/level and residual/descent at least")               \
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
    X(exploded, 0.3, "rise over minimum and descent, geometric mean, of a loss that doubled")      \
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
