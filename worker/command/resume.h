/* A program that can resume: what an earlier attempt of its run has given, and the mark in the
 * run's folder (its file "checkpoint") that keeps run.jsonl for the next one. */
#ifndef WORKER_COMMAND_RESUME_H
#define WORKER_COMMAND_RESUME_H

#include <stdbool.h>

#include "worker/command/descriptor.h"
#include "worker/command/intake.h"

/* Is there a mark of an earlier attempt? Then the intake has its points. */
bool resume_take(const char *run_dir, struct intake *in);
/* What its earlier attempts have said on that descriptor, a file, and no supervisor made a point
 * of. 0, or what the intake's give returned. */
int resume_replay(struct descriptor *d, struct intake *in);
/* Leaves the mark; false: it cannot be written, and the next attempt begins anew. from_zero: the
 * program counts epochs from 0. */
bool resume_mark(const char *run_dir, bool from_zero);

#endif
