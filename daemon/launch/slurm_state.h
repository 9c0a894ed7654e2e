/* What Slurm says of jobs: its words for their states, and lines of squeue. Pure. */
#ifndef SWEEPD_SLURM_STATE_H
#define SWEEPD_SLURM_STATE_H

#include <stdbool.h>
#include <stddef.h>

/* What a state means to us. It says who is gone, and nothing of how a run ended: that is the
 * worker's own to say. */
enum slurm_kind {
    SLURM_WAITS,     /* it has not begun, or is to begin again */
    SLURM_RUNS,      /* or is just ending: it may still write */
    SLURM_SUSPENDED, /* it writes nothing, and goes on */
    SLURM_ENDED,     /* it is gone */
    SLURM_NO_MEMORY, /* gone, for want of memory: it would be so again */
    SLURM_UNKNOWN    /* no word that we know: the spool says whether it lives */
};

/* X(word, kind) */
#define SLURM_STATE_MAP(X)                                                                         \
    X(PENDING, WAITS)                                                                              \
    X(CONFIGURING, WAITS)                                                                          \
    X(RESIZING, RUNS)                                                                              \
    X(REQUEUED, WAITS)                                                                             \
    X(REQUEUE_FED, WAITS)                                                                          \
    X(REQUEUE_HOLD, WAITS)                                                                         \
    X(SPECIAL_EXIT, WAITS)                                                                         \
    X(RESV_DEL_HOLD, WAITS)                                                                        \
    X(RUNNING, RUNS)                                                                               \
    X(COMPLETING, RUNS)                                                                            \
    X(SIGNALING, RUNS)                                                                             \
    X(STAGE_OUT, RUNS)                                                                             \
    X(STOPPED, SUSPENDED)                                                                          \
    X(SUSPENDED, SUSPENDED)                                                                        \
    X(COMPLETED, ENDED)                                                                            \
    X(FAILED, ENDED)                                                                               \
    X(BOOT_FAIL, ENDED)                                                                            \
    X(DEADLINE, ENDED)                                                                             \
    X(NODE_FAIL, ENDED)                                                                            \
    X(LAUNCH_FAILED, ENDED)                                                                        \
    X(RECONFIG_FAIL, ENDED)                                                                        \
    X(TIMEOUT, ENDED)                                                                              \
    X(PREEMPTED, ENDED)                                                                            \
    X(CANCELLED, ENDED)                                                                            \
    X(REVOKED, ENDED)                                                                              \
    X(OUT_OF_MEMORY, NO_MEMORY)

/* "CANCELLED by 1000" and "RUNNING+" are their first word. */
enum slurm_kind slurm_kind_of(const char *state);

#define SLURM_JOB_MAX 64
/* "%i|%T|%j|%r": a job, or a task of an array, "12_3". */
#define SLURM_SQUEUE_FORMAT "%i|%T|%j|%r"
struct slurm_job {
    char id[SLURM_JOB_MAX];
    char state[32];
    char name[64];
    char reason[64];
};
bool slurm_job_read(const char *line, size_t len, struct slurm_job *out);
/* What `sbatch --parsable` prints: "12" or "12;cluster". False: that is no id. */
bool slurm_id_read(const char *text, char out[SLURM_JOB_MAX]);
/* Nobody answers at the other end: it says nothing of jobs, and is tried again. */
bool slurm_is_unreachable(const char *complaint);

#endif
