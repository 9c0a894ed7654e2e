/* What the worker is asked to do with a configuration. Each returns the exit status: 0, or 1
 * when the last line says what failed. */
#ifndef WORKER_JOB_H
#define WORKER_JOB_H

#include "worker/link.h"

/* Trains the run: a start line, points, a result line. */
int worker_trainer(const char *config_path, struct link *link);
/* Reads, checks, scans and caches the data: a prepared or an error line. */
int job_prepare(const char *config_path, struct link *link);

#endif
