/* One run's folder, `<database>.runs/ID/`: identity.json, config.json, run.jsonl, stderr,
 * checkpoint, best.safetensors (docs/protocol.md, "The run folder").
 *
 * The lock on run.jsonl says whether a worker lives. It belongs to the open file, not to a
 * process: the daemon takes it before the exec, the worker inherits it as its stdout, and the
 * kernel drops it with the worker's last descriptor. So there is no moment in which a live
 * worker's folder looks free, and no pid is needed to know. */
#ifndef SWEEPD_RUNDIR_H
#define SWEEPD_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

struct errbuf;
struct run_owner;
struct uv_loop_s;

#define RUNDIR_STDERR_TAIL_BYTES 4096
#define RUNDIR_READ_BYTES 32768 /* of run.jsonl at a time: a few milliseconds' work */
#define RUNDIR_NOTE_MAX 640

/* Which folder, and whose it must be: what lies there of another run, or with links in it, is set
 * aside under another name and never removed. */
struct rundir_place {
    const char *runs_dir;
    int64_t run_id;
    const struct run_owner *owner; /* NULL: whoever's it is */
};

struct rundir_removal {
    const char *runs_dir;
    const char *database; /* whose runs they are */
    const int64_t *run_ids;
    size_t count;
};

struct rundir {
    char note[RUNDIR_NOTE_MAX]; /* what was set aside, and why; "": nothing was */
    int64_t kept;               /* bytes of run.jsonl that were there before this worker */
    /* The reading end: what the worker has appended to run.jsonl so far. */
    int fd;           /* run.jsonl, read only, its own open file; -1: closed */
    int64_t offset;   /* bytes read */
    struct buf bytes; /* read, not yet taken as lines */
    size_t taken;     /* of bytes */
    /* For the worker to inherit, from rundir_create to rundir_hand_over; -1: closed. */
    int out;          /* run.jsonl, append, carries the lock */
    int err;          /* stderr */
};

/* Nothing is open. */
void rundir_init(struct rundir *r);
/* Makes the folder, takes the lock, empties it, writes config.json (config is its text) and opens
 * r. With a checkpoint from an earlier attempt its start and point lines and its stderr stay, for
 * the worker to append to. ERR_BUSY: a worker holds the lock (nothing was touched). ERR_IO
 * otherwise. r->note is valid either way. */
int rundir_create(struct rundir *r, const struct rundir_place *at, const char *config,
                  struct errbuf *err);
/* The worker has what it inherits: from here on it alone holds the lock. */
void rundir_hand_over(struct rundir *r);
/* Opens an existing folder for reading. ERR_NOT_FOUND, ERR_IO; r->note is valid either way. */
int rundir_open(struct rundir *r, const struct rundir_place *at, struct errbuf *err);
void rundir_close(struct rundir *r);
/* Takes away what run.jsonl has behind those bytes; nobody writes to it. 0 or ERR_IO. */
int rundir_cut(const struct rundir_place *at, int64_t bytes);

/* A worker holds the lock at this moment. */
bool rundir_locked(const struct rundir *r);
/* That process has run.jsonl as its stdout, so it is a worker of this run. */
bool rundir_written_by(const struct rundir *r, int64_t pid);
/* The same of a folder that is not open, and is that run's; nothing is changed there. */
bool rundir_is_written_by(const struct rundir_place *at, int64_t pid);
/* Reads at most RUNDIR_READ_BYTES more. The number of bytes, fewer at the file's present end, or
 * ERR_IO. */
int rundir_read(struct rundir *r, struct errbuf *err);
/* The next complete line, without its '\n', valid until the next rundir_read. */
bool rundir_line(struct rundir *r, const char **line, size_t *len);
/* Bytes of the last, still incomplete line. */
size_t rundir_rest(const struct rundir *r);
/* Is the last whole line a result? Also where that cannot be read. */
bool rundir_has_result(const struct rundir *r);
/* Bytes of run.jsonl up to the end of the last line that was taken. */
int64_t rundir_at(const struct rundir *r);

/* A part of a run's stderr. from, in: an offset, -1: the last max bytes; out: where the part
 * begins (a file that was shortened below the offset: its end). next: behind the part. */
struct rundir_reading {
    int64_t from;
    size_t max;
    int64_t next, size;
};
/* Appends to out; nothing where there is no such file. */
void rundir_stderr_read(const char *runs_dir, int64_t run_id, struct rundir_reading *r,
                        struct buf *out);
/* The last max bytes of the run's stderr, begun at a character's boundary. Nothing when there is
 * no such file. cut (may be NULL): there was more. */
void rundir_stderr_tail(const char *runs_dir, int64_t run_id, size_t max, struct buf *out,
                        bool *cut);
void rundir_drop_weights(const char *runs_dir, int64_t run_id);
/* Also what a worker that was killed while it wrote has left behind. */
void rundir_drop_checkpoint(const char *runs_dir, int64_t run_id);
/* Removes whole folders on a thread of the loop's pool: thousands of files take their time. One
 * that says that it is of another database stays. */
void rundir_remove(struct uv_loop_s *loop, const struct rundir_removal *what);

#endif
