/* Where things lie: XDG directories, and the names made from a database's path. */
#ifndef SWEEP_PATHS_H
#define SWEEP_PATHS_H

#include <stddef.h>

struct errbuf;

/* Each writes a path into out[PATHS_MAX] and returns 0, or ERR_VALUE when it would not fit or
 * HOME is unset. Environment variables SWEEPD_DB and SWEEPD_SOCKET are honoured here. */
#define PATHS_MAX 4096
int paths_database(char *out, struct errbuf *err);  /* $XDG_STATE_HOME/sweepd/sweeps.db */
int paths_socket(char *out, struct errbuf *err);    /* $XDG_RUNTIME_DIR/sweepd/sock, else state */
int paths_cache(char *out, struct errbuf *err);     /* $XDG_CACHE_HOME/sweepd */
int paths_daemon_log(char *out, struct errbuf *err); /* $XDG_STATE_HOME/sweepd/sweepd.log */
/* "<database>.runs" and "<database>.runs/ID" */
int paths_runs(char *out, const char *database, struct errbuf *err);
int paths_run(char *out, const char *database, long long run_id, struct errbuf *err);

/* mkdir -p with the given mode for what it makes. 0 or ERR_IO. */
int paths_make_dirs(const char *path, unsigned mode, struct errbuf *err);
/* mkdir -p of the parent of path. */
int paths_make_parent(const char *path, unsigned mode, struct errbuf *err);
/* Folder of the running program (/proc/self/exe). 0 or ERR_IO. */
int paths_program_dir(char *out, struct errbuf *err);

#endif
