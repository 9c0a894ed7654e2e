/* Keeps the machine from falling asleep while runs are running, where systemd-inhibit(1) is there
 * and may. It is a child that holds the lock for as long as our end of its stdin is open, so the
 * lock goes with the daemon, whatever ends it. */
#ifndef SWEEPD_INHIBITOR_H
#define SWEEPD_INHIBITOR_H

#include <stdbool.h>

struct inhibitor;
struct uv_loop_s;

struct inhibitor *inhibitor_create(struct uv_loop_s *loop);
/* Where it was refused it is not asked for again before it was not wanted once. */
void inhibitor_want(struct inhibitor *i, bool wanted);
/* Lets go for good; the memory goes when the loop has closed it. */
void inhibitor_destroy(struct inhibitor *i);

#endif
