/* What the daemon was told on its command line and in its environment. */
#ifndef SWEEPD_CONFIG_H
#define SWEEPD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sweep/limits.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/resources.h"

#define CONFIG_WORKERS_MAX 1024
#define CONFIG_CHECKPOINT_SECONDS_MAX 86400
#define CONFIG_WORKER_NICE_MAX 19
#define CONFIG_LOAD_MAX 100000
#define CONFIG_ANY_TIME (-1)
#define CONFIG_NO_GROUP ((gid_t)-1)
#define CONFIG_IDLE_SECONDS 1800
#define CONFIG_PREPARE_SECONDS 600
#define CONFIG_SLURM_SECONDS 5
#define CONFIG_LEASE_SECONDS 90

struct errbuf;

struct config {
    char db[PATHS_MAX];      /* absolute */
    char socket[PATHS_MAX];  /* absolute */
    char worker[PATHS_MAX];  /* the worker program, executable */
    bool worker_is_named;    /* by whoever started us: it may be any that keeps to the protocol */
    size_t workers;          /* runs at the same time */
    long checkpoint_seconds; /* least time between two of a run */
    long worker_nice;        /* of workers: 0 (as we are) to 19 */
    double retry_seconds;    /* the first wait after a failed start */
    struct run_limits run_limits, prepare_limits;
    char spool[PATHS_MAX];   /* absolute; shared with the nodes of a cluster */
    double slurm_seconds;    /* between two questions about Slurm's queue */
    double lease_seconds;    /* a pilot that is silent for so long is not counted on */
    bool force_network;      /* a database on a network file system is no reason to refuse */
    enum log_level log_level;
    char log[PATHS_MAX];           /* file for the log; "": stderr */
    gid_t group;                   /* whose members are let in; CONFIG_NO_GROUP */
    double max_load;               /* no start from this load average on; 0: any */
    int active_from, active_until; /* minutes of the local day; CONFIG_ANY_TIME */
    bool pause_on_battery;
    char gpus[RESOURCE_DEVICES_MAX * RESOURCE_NAME_MAX]; /* names with commas; "": none … */
    bool finds_gpus;                                     /* … unless this machine has some */
    struct resources resources;                          /* that runs may be given, in all */
    char on_event[PATHS_MAX]; /* program that is told of events; "": none */
};

/* What the program shall do after reading its flags. */
enum config_verdict { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION, CONFIG_CHECK };

/* Flags win over SWEEPD_DB, SWEEPD_SOCKET, SWEEPD_WORKERS, SWEEPD_WORKER; these win over the
 * defaults. 0, or an error naming the flag, the value and what is allowed. */
int config_read(int argc, char **argv, struct config *out, enum config_verdict *verdict,
                struct errbuf *err);
/* The usage text, one line a flag. */
void config_usage(void);

#endif
