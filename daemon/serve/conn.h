/* One client: lines in, lines out, and what it may cost us. */
#ifndef SWEEPD_CONN_H
#define SWEEPD_CONN_H

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct uv_stream_s;

/* Whose clients they are; lives longer than any of them. */
struct conn_owner {
    void (*line)(void *arg, struct conn *c, const char *line, size_t len);
    void (*closed)(void *arg, struct conn *c); /* its memory goes after this */
    void *arg;
    char *scratch; /* where reads land: used up before the next read */
    size_t scratch_bytes;
};

/* Takes the client that waits on the listener. NULL when that failed or it is another user's. */
struct conn *conn_accept(const struct conn_owner *owner, struct uv_stream_s *listener);
/* Copies the line and sends it. A client that does not read is dropped at 8 MiB. Nothing happens
 * on a client that is closing. */
void conn_send(struct conn *c, const char *line, size_t len);
/* Reads no more, sends what is queued, then closes. */
void conn_end(struct conn *c);
/* Closes at once; the memory goes when the loop says so. */
void conn_close(struct conn *c);
/* From time to time: finds clients that went away while they waited. */
void conn_check(struct conn *c);

/* Requests under way: a client with too many is not read from until some are answered. */
void conn_request_begins(struct conn *c);
void conn_request_ended(struct conn *c);

/* Of the owner's list of clients. */
struct conn **conn_next(struct conn *c);

#endif
