/* Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
 * Tuning"): at each rung the best 1 / eta of the runs that were there go on. Here in logical time,
 * so that it is the same at any number of workers. */
#include "daemon/plan/stop/rank.h"

const struct stop_rule stop_successive_halving = {rung_halve};
