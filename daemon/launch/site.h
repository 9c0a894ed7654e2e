/* What workers are started from and report to: given once by the daemon, and there for as long as
 * anything of this folder is. */
#ifndef SWEEPD_SITE_H
#define SWEEPD_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/limits.h"

struct engine;
struct loop;

struct launch_site {
    struct loop *loop;
    struct engine *engine;            /* is told what happens to the runs */
    const char *runs_dir;             /* folder of the run folders */
    const char *worker;               /* the program */
    bool forks_workers;               /* it is ours, and starts them itself (fork_server.h) */
    char **environment;               /* of workers */
    char **program_environment;       /* of those whose task hands it on */
    size_t workers;                   /* at a time on this machine */
    const char *spool;                /* folder that is shared with the nodes of a cluster */
    double slurm_seconds;             /* between two questions about Slurm's queue */
    double lease_seconds;             /* a pilot that is silent for so long is not counted on */
    struct run_limits prepare_limits; /* of a process that reads a sweep's data */
    bool (*congested)(void *arg);     /* what was read waits to be stored: read no more for now */
    void *arg;
};

/* Something notable happened to a run: a line in the log and an event of that kind (static). */
void site_note(const struct launch_site *site, int64_t run_id, const char *kind, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));

#endif
