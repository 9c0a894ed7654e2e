/* A run whose task is a command: starts the program, turns what it reports into points, passes
 * SIGTERM on, and says how it ended. Needs nothing of networks. */
#ifndef WORKER_COMMAND_SUPERVISE_H
#define WORKER_COMMAND_SUPERVISE_H

#include "worker/link.h"

/* A start line, points, a result line. The exit status: 0, 1 where the result says what failed,
 * EX_TEMPFAIL after a SIGTERM, without a result. */
int worker_command(const char *config_path, struct link *link);

#endif
