/* `--on-event PROGRAM`: what happens is told to a program of the user's (mail, chat), one process
 * an event, one at a time, with the event as a JSON object on its stdin. It is never waited for: it
 * has a time limit, what it prints is dropped, and where it does not keep up events are left out,
 * which the next one says. */
#ifndef SWEEPD_HOOK_H
#define SWEEPD_HOOK_H

#include <stddef.h>
#include <stdint.h>

#define HOOK_QUEUE_MAX 256
#define HOOK_LIMIT_MS 30000 /* then SIGKILL, to it and all it has started */
#define HOOK_END_MS 1000    /* when the daemon ends */

struct hook;
struct uv_loop_s;

struct hook_event {
    const char *kind, *detail; /* detail may be NULL */
    int64_t sweep_id, run_id;  /* 0: none */
    int64_t time_us;           /* UTC */
};

struct hook *hook_create(struct uv_loop_s *loop, const char *program);
void hook_tell(struct hook *h, const struct hook_event *e);
/* Tells nothing more; the one under way has a second to end. h goes when the loop has closed it. */
void hook_destroy(struct hook *h);

#endif
