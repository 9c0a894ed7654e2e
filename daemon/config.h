/* What the daemon was told on its command line and in its environment. */
#ifndef SWEEPD_CONFIG_H
#define SWEEPD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/log.h"
#include "sweep/paths.h"

#define CONFIG_WORKERS_MAX 1024
#define CONFIG_CHECKPOINT_SECONDS_MAX 86400

struct errbuf;

struct config {
    char db[PATHS_MAX];     /* absolute */
    char socket[PATHS_MAX]; /* absolute */
    char worker[PATHS_MAX]; /* the worker program, executable */
    size_t workers;         /* runs at the same time */
    long checkpoint_seconds; /* least time between two of a run */
    bool force_network;      /* a database on a network file system is no reason to refuse */
    enum log_level log_level;
};

/* What the program shall do after reading its flags. */
enum config_verdict { CONFIG_RUN, CONFIG_HELP, CONFIG_VERSION };

/* Flags win over SWEEPD_DB, SWEEPD_SOCKET, SWEEPD_WORKERS, SWEEPD_WORKER; these win over the
 * defaults. 0, or an error naming the flag, the value and what is allowed. */
int config_read(int argc, char **argv, struct config *out, enum config_verdict *verdict,
                struct errbuf *err);
/* The usage text, one line a flag. */
void config_usage(void);

#endif
