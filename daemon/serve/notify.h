/* What a service manager is told (sd_notify(3)): that we are ready, that we end, and in between
 * that the loop goes round. Without one, nothing happens. */
#ifndef SWEEPD_NOTIFY_H
#define SWEEPD_NOTIFY_H

struct notify;
struct uv_loop_s;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Never NULL. */
struct notify *notify_create(struct uv_loop_s *loop);
void notify_ready(struct notify *n);
/* Tells of the end; n is released once the loop has closed its timer. */
void notify_stop(struct notify *n);

#endif
