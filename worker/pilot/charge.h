/* The worker of the run that a pilot has: started in its folder, signalled, reaped. */
#ifndef WORKER_PILOT_CHARGE_H
#define WORKER_PILOT_CHARGE_H

#include <sys/types.h>

#include "sweep/spool.h"

struct charge {
    pid_t pid; /* 0: none */
    struct spool_attempt at;
    bool told;          /* it was sent SIGTERM by us */
    bool killed;        /* or SIGKILL */
    double kill_at;     /* when SIGKILL follows; 0: it does not */
    double oom_kills;   /* of this machine, at the last look */
};

/* In the folder `runs/RUN.N` of the room. 0, or err and no process. */
int charge_start(struct charge *c, const char *room, struct errbuf *err);
void charge_term(struct charge *c, double kill_at);
void charge_kill(struct charge *c);
/* Has it ended? Then how, and c has no process any more. */
bool charge_ended(struct charge *c, struct spool_note *out);
/* From time to time, so that a kill for want of memory is known to be one. */
void charge_look(struct charge *c);

#endif
