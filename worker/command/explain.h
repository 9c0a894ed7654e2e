/* In words: what was heard of a program, and why its run has failed. */
#ifndef WORKER_COMMAND_EXPLAIN_H
#define WORKER_COMMAND_EXPLAIN_H

#include "sweep/run.h"
#include "worker/command/files/files.h"
#include "worker/command/intake.h"
#include "worker/command/listen.h"

struct buf;

/* Lines of the run's log; nothing where there is nothing to say. */
void explain_left_out(const struct intake *in);
/* What was understood of a program that did not say it to us on purpose. */
void explain_channel(const struct listener *l, const struct files *f);

/* Why a program that ended well has nothing that its sweep could rank it by. */
void explain_no_metric(const struct intake *in, const char *metric, struct buf *text);
enum run_error explain_signal(int number, struct buf *text);

#endif
