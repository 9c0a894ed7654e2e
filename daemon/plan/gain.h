/* Whether the rest of a search is worth its cost: what it may still gain, by what the last runs
 * have gained, against the gain that the specification asks for (least_gain). In logical time, so
 * that a search ends at the same run whatever the number of workers. Pure. */
#ifndef SWEEPD_GAIN_H
#define SWEEPD_GAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan/study.h"

struct json_writer;

struct gain {
    size_t seen;   /* runs that it goes by */
    size_t begun;  /* runs of the search … */
    size_t rest;   /* … and those that it may still begin */
    double best;   /* metric of those that were seen */
    double expected; /* by which the rest may come to a better one; at least 0 */
    double least;  /* share of |best| that it must be */
};

/* Of costs in the order of their runs, over so many more. With twice as many runs the best of them
 * gets better by ever less: what the last two doublings gained is carried on, once as the runs came
 * and once as the mean over all orders in which they could have come (Dodge et al. 2019); the
 * larger one counts. */
double gain_expected(const double *costs, size_t count, size_t rest);

/* GAIN_WAIT: one of the runs that it goes by is live. */
enum gain_verdict { GAIN_GOES_ON, GAIN_WAIT, GAIN_ENDS };
/* Before the search's next run, whose budget is the study's; out is filled in with GAIN_ENDS. */
enum gain_verdict gain_judge(const struct study *st, struct gain *out);
/* Runs that may be begun before it is asked again, after a GAIN_GOES_ON. */
size_t gain_until_asked(const struct study *st);

#define GAIN_REASON_MAX 256
void gain_reason(const struct gain *g, char out[GAIN_REASON_MAX]);
void gain_write(const struct gain *g, struct json_writer *w);

#endif
