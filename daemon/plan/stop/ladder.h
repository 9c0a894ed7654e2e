/* Promotion (Li et al. 2020, ASHA as published): a run waits at its rung until it is among the best
 * 1 / eta of those that were there, and goes on then, from its checkpoint; no epoch is trained
 * twice. In logical time, so that the same runs go on at any number of workers and through any
 * kill:
 *
 * - Time is the place of a run among the search's own: at time i the i-th has come to its first
 *   rung, or has ended before. Who is among the best is asked after each arrival.
 * - A run that goes on at time i counts at its next rung from time i + lag on; time waits until it
 *   is there.
 * - One that has waited LADDER_PATIENCE is given up: so what is live has a bound.
 * - When nothing is left to do but to wait, all that has arrived counts at once (a flush), and the
 *   best of each rung goes on in any case; when nobody goes on any more, the others are given up.
 *   That a flush was, and when, does not follow from the runs: its decisions say so, and a restart
 *   begins with those times (struct stored_rung).
 *
 * Pure but for its memory, which follows from the study and the flushes. */
#ifndef SWEEPD_LADDER_H
#define SWEEPD_LADDER_H

#include "daemon/plan/stop/stop.h"

#define LADDER_PATIENCE 256 /* arrivals of other runs at their first rung */

struct ladder;

struct ladder *ladder_create(void);
void ladder_destroy(struct ladder *l); /* NULL-tolerant */
/* There was a flush at that time; each may be said more often than once. Before the first
 * advance. */
void ladder_flushed_at(struct ladder *l, int64_t time);
/* Begins one. False: nothing has arrived since the last, or it has not ended yet. */
bool ladder_flush(struct ladder *l);
/* As far as what is known allows. */
void ladder_advance(struct ladder *l, const struct study *st);
/* Of trial t of the study, at its last rung; VERDICT_WAIT: later. */
void ladder_decide(const struct ladder *l, const struct study *st, const struct trial *t,
                   struct rung_verdict *out);

#endif
