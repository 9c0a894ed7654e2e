/* What a program finds when it starts: its environment (docs/protocol.md) and its files in the
 * run's folder. */
#ifndef WORKER_COMMAND_SURROUNDINGS_H
#define WORKER_COMMAND_SURROUNDINGS_H

#include <stdbool.h>

#include "sweep/command.h"
#include "sweep/paths.h"

struct errbuf;

struct surroundings {
    const struct command_config *config;
    const char *run_dir; /* absolute */
    bool resumes;        /* its checkpoint folder has something to go on from */
    char shim[PATHS_MAX]; /* folder that a Python program reads first; "": none */
};

/* Writes the files, removes a stop file; in a run that begins anew, what an earlier attempt left in
 * the checkpoint folder. 0 or ERR_IO. */
int surroundings_prepare(struct surroundings *s, struct errbuf *err);
/* Makes the environment of this process, a child that is to become the program, its own. */
void surroundings_enter(const struct surroundings *s, int metrics_fd);
/* Asks the program to end: the stop file. */
void surroundings_ask_to_stop(const struct surroundings *s);

#endif
