/* A program as a child: in a process group of its own, stdin /dev/null, stdout and stderr into one
 * pipe. It dies with us (PR_SET_PDEATHSIG), but only it: what it has started itself lives on after
 * a SIGKILL of ours, unless it notices that its pipes are closed. */
#ifndef WORKER_COMMAND_PROGRAM_H
#define WORKER_COMMAND_PROGRAM_H

#include <stdint.h>
#include <sys/types.h>

#include "worker/command/surroundings.h"

struct errbuf;

struct program {
    pid_t pid;   /* also its process group */
    int pidfd;   /* readable once it has ended */
    int output;  /* reading end, not blocking; -1: closed */
};

/* metrics: a descriptor that it gets. ERR_NOT_FOUND and ERR_PERMISSION name the program or folder
 * that cannot be used; ERR_IO. */
int program_start(struct program *p, const struct surroundings *s, int metrics,
                  struct errbuf *err);
/* To all of its group. */
void program_signal(const struct program *p, int signal);
/* After pidfd was readable: ends what is left of its group and of its other descendants, and
 * gives its wait status. */
int program_reap(struct program *p);
/* Bytes of what it prints that may be there to be read. */
int64_t program_left(const struct program *p);
void program_close_output(struct program *p);
void program_close(struct program *p);

#endif
