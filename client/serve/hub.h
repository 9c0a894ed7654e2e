/* What happens, to those who look: one connection watches the daemon, and each page that is open
 * has a stream of what it hears (server-sent events). */
#ifndef SWEEPCTL_SERVE_HUB_H
#define SWEEPCTL_SERVE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct errbuf;
struct seats;

#define HUB_STREAMS_MAX 64
#define HUB_WAITING_MAX (256 * 1024) /* bytes of a stream; of what is beyond, only that it was */

struct hub;
struct stream;

/* How whoever carries a stream is told that there is nothing to carry, and that there is again.
 * hold is called while nothing can be added. */
struct hub_carrier {
    void (*hold)(void *connection);
    void (*wake)(void *connection);
};

/* seats: looked at every second. NULL and err: no thread. */
struct hub *hub_open(const char *socket, const struct hub_carrier *carrier, struct seats *seats,
                     struct errbuf *err);
/* sweep 0: of all. NULL: there are too many. */
struct stream *hub_join(struct hub *h, int64_t sweep, void *connection);
/* Up to max bytes; 0: it is held; -1: the end. */
ssize_t hub_read(struct stream *s, char *out, size_t max);
void hub_leave(struct stream *s);
/* Ends all streams: each is woken, and reads -1. */
void hub_stop(struct hub *h);
/* When all have left. */
void hub_close(struct hub *h);

#endif
