/* Hyperband (Li et al. 2018) over asynchronous successive halving: brackets that begin at later and
 * later rungs, the last without any, hedge against a first rung that says too little. A run is held
 * against those of its bracket alone. */
#include <stdio.h>
#include <string.h>

#include "daemon/plan/stop/rank.h"

static void decide(const struct rung_view *v, struct rung_verdict *out)
{
    rung_halve(v, out);
    size_t len = strlen(out->reason);
    snprintf(out->reason + len, sizeof(out->reason) - len, " (bracket %zu of %zu)",
             stop_bracket(v->settings, v->number, v->epochs) + 1,
             stop_brackets(v->settings, v->epochs));
}

const struct stop_rule stop_hyperband = {decide};
