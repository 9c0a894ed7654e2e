/* Where things lie: XDG directories, and the names made from a database's path. */
#ifndef SWEEP_PATHS_H
#define SWEEP_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct errbuf;

/* X(id, name): the files of a run's folder (docs/protocol.md, "The run folder"). */
#define RUN_FILE_MAP(X)                                                                            \
    X(IDENTITY, "identity.json") X(CONFIG, "config.json") X(LINES, "run.jsonl")                    \
    X(STDERR, "stderr") X(CHECKPOINT, "checkpoint") X(WEIGHTS, "best.safetensors")
enum run_file {
#define X(id, name) RUN_FILE_##id,
    RUN_FILE_MAP(X)
#undef X
    RUN_FILE_COUNT
};
const char *run_file_name(enum run_file f);

/* Each writes a path into out[PATHS_MAX] and returns 0, or ERR_VALUE when it would not fit or
 * HOME is unset. Environment variables SWEEPD_DB and SWEEPD_SOCKET are honoured here. */
#define PATHS_MAX 4096
int paths_database(char *out, struct errbuf *err);  /* $XDG_STATE_HOME/sweepd/sweeps.db */
/* $XDG_RUNTIME_DIR/sweepd/sock; else /run/user/UID/sweepd/sock where that folder is ours (cron and
 * sudo do not set the variable); else state */
int paths_socket(char *out, struct errbuf *err);
int paths_cache(char *out, struct errbuf *err);     /* $XDG_CACHE_HOME/sweepd */
int paths_daemon_log(char *out, struct errbuf *err); /* $XDG_STATE_HOME/sweepd/sweepd.log */
/* "<database>.socket": says where the daemon of that database answers */
int paths_socket_note(char *out, const char *database, struct errbuf *err);
/* "<database>.runs" */
int paths_runs(char *out, const char *database, struct errbuf *err);
/* A run's folder, "<runs_dir>/ID", and a file of it. False, and out is "", where it does not fit
 * into size bytes. */
bool paths_run(char *out, size_t size, const char *runs_dir, int64_t run_id);
bool paths_run_file(char *out, size_t size, const char *runs_dir, int64_t run_id, enum run_file f);

/* mkdir -p with the given mode for what it makes, durably. 0 or ERR_IO. */
int paths_make_dirs(const char *path, unsigned mode, struct errbuf *err);
/* mkdir -p of the parent of path. */
int paths_make_parent(const char *path, unsigned mode, struct errbuf *err);
/* The entry of that name survives a power cut. 0 or ERR_IO. */
int paths_sync_parent(const char *path, struct errbuf *err);
/* Folder of the running program (/proc/self/exe). 0 or ERR_IO. */
int paths_program_dir(char *out, struct errbuf *err);

#endif
