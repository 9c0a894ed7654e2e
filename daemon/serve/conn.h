/* One client: lines in, lines out, and what it may cost us. */
#ifndef SWEEPD_CONN_H
#define SWEEPD_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONN_REQUESTS_MAX 256 /* under way, per client */
/* What a client that asks and does not read can hold: its requests wait from here on. A reply that
 * is still to come counts as REPLY_SHARE. */
#define CONN_OUTPUT_PAUSE_BYTES (2 * 1024 * 1024)
#define CONN_REPLY_SHARE_BYTES (256 * 1024)
/* The same of all clients together; each may have one request under way nevertheless. */
#define CONN_OUTPUT_ALL_BYTES (64 * 1024 * 1024)

struct conn;
struct message;
struct uv_loop_s;

/* How long a client is borne with, in ms. */
struct conn_patience {
    uint64_t unread; /* a reply waits for it, and it takes no byte */
    uint64_t idle;   /* it asks nothing, waits for nothing and watches nothing */
    uint64_t ending; /* it was refused, and may read why */
};

/* Whose clients they are; lives longer than any of them. */
struct conn_owner {
    void (*line)(void *arg, struct conn *c, const char *line, size_t len);
    void (*relieved)(void *arg, struct conn *c); /* no notification waits for it any more */
    void (*room)(void *arg); /* what starved clients wait for; not to be used at once */
    void (*closed)(void *arg, struct conn *c); /* its memory goes after this */
    void *arg;
    struct conn_patience patience;
    char *scratch; /* where reads land: used up before the next read */
    size_t scratch_bytes;
    size_t output; /* of all clients: what waits and what is still to come */
    bool starved;  /* somebody's requests wait for that to become less */
};

/* Takes the connected socket over. */
struct conn *conn_create(struct conn_owner *owner, struct uv_loop_s *loop, int fd);
/* Copies the line and sends it, behind what waits. Nothing happens on a client that is closing. */
void conn_send(struct conn *c, const char *line, size_t len);
/* The same for a notification: false where too many wait for it already. Takes no reference. */
bool conn_notify(struct conn *c, struct message *m);
/* Notifications that wait for it. */
size_t conn_notes(const struct conn *c);
/* Takes no further request, sends what waits, says the end, and closes when the client has. */
void conn_end(struct conn *c);
/* Closes at once; the memory goes when the loop says so. */
void conn_close(struct conn *c);
/* From time to time: finds clients that went away, do not read, or are idle for too long. */
void conn_check(struct conn *c);
/* Goes on with what waits to be read. */
void conn_go_on(struct conn *c);

/* Requests under way: a client with too many is not read from until some are answered. One that
 * may last (it waits for something to happen) has no share in the output. */
void conn_request_begins(struct conn *c, bool lasting);
void conn_request_ended(struct conn *c, bool lasting);
/* A client that watches is not idle. */
void conn_set_watching(struct conn *c, bool watching);

/* ms since it last asked something or was answered; 0 while it waits for something. */
uint64_t conn_idle_ms(const struct conn *c);
/* ms since it took a byte of what waits for it; 0 where nothing does. */
uint64_t conn_unread_ms(const struct conn *c);
bool conn_is_closing(const struct conn *c);

/* Of the owner's list of clients. */
struct conn **conn_next(struct conn *c);

#endif
