/* sweep-worker --log FILE: the training log in an SQLite database of MLflow's or Trackio's, as
 * JSON lines on stdout: {"run": NAME, "step": N, …}, a name a measurement. The database is opened
 * for reading only, and nothing is written beside it. */
#ifndef WORKER_COMMAND_DATABASE_LOG_H
#define WORKER_COMMAND_DATABASE_LOG_H

#include <stdio.h>

struct errbuf;

/* 0, ERR_IO, ERR_DATA (no such table, damaged), ERR_LIMIT; lines that were read before are out. */
int database_log(const char *path, FILE *out, struct errbuf *err);

#endif
