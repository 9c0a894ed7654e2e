/* What a program of an earlier attempt had started, and a supervisor that was killed could not end:
 * it holds the file of metrics, and would write into the next attempt's. */
#ifndef WORKER_COMMAND_LEFTOVERS_H
#define WORKER_COMMAND_LEFTOVERS_H

/* Sends SIGKILL to each other process that has this file open to write, and says so in the log.
 * Where there is no such file nothing is looked at. */
void leftovers_end(const char *path);

#endif
