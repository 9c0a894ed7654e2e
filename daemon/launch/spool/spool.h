/* The thread on which rooms are looked after. What a file system does not answer holds up that
 * thread, never the loop: a job is handed over, and comes back when it is done. Used on the loop's
 * thread alone. */
#ifndef SWEEPD_SPOOL_THREAD_H
#define SWEEPD_SPOOL_THREAD_H

#include "daemon/launch/spool/room.h"

struct spool;
struct uv_loop_s;

/* Not touched by its owner between spool_hand_over and done. */
struct spool_job {
    struct spool_job *next;
    struct room *room;
    struct room_pass pass;
    bool removes; /* the room, instead of a turn */
    const char *scans, *database; /* instead: the rooms of that database in that folder; borrowed */
    int64_t *found;               /* their sweeps; owned by the caller */
    size_t found_count;
    void (*done)(struct spool_job *job);
    void *arg;
};

struct spool *spool_create(struct uv_loop_s *loop);
void spool_hand_over(struct spool *s, struct spool_job *job);
/* Since when it is at the same job; 0: it waits for one. */
uint64_t spool_busy_ms(struct spool *s);
/* No job is done any more. The thread ends when its present one does; it is not waited for. */
void spool_close(struct spool *s);

#endif
