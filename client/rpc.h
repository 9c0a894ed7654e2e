/* The client's end of the socket: blocking JSON-RPC over a Unix stream socket. What the daemon
 * sends is not trusted: lines are capped, and every failure is an error, never a crash. */
#ifndef SWEEPCTL_RPC_H
#define SWEEPCTL_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"
#include "sweep/rpc.h"

/* A page of 1,000 rows with long texts stays far below. */
#define RPC_REPLY_LINE_MAX (64 * 1024 * 1024)

struct rpc_client {
    int fd;           /* -1: not connected */
    struct buf in;    /* bytes read and not yet taken */
    size_t scanned;   /* bytes of in known to hold no '\n' */
    int64_t last_id;
    int timeout_ms;   /* of one wait for bytes in a call; -1: for ever */
    int wake_fd;      /* readable: a call is given up (ERR_STATE); -1: none */
    /* Notifications that arrive while a call waits for its reply; NULL: dropped. */
    void (*on_notification)(void *arg, const struct rpc_reply *n);
    void *arg;
    void (*on_wait)(void *arg); /* every second in which a call waits; NULL: none */
    void *wait_arg;
};

void rpc_client_init(struct rpc_client *c);
void rpc_client_close(struct rpc_client *c);
/* 0; ERR_VALUE for a path longer than a socket address holds; ERR_PERMISSION where somebody else
 * answers; ERR_IO with the reason. */
int rpc_client_open(struct rpc_client *c, const char *path, struct errbuf *err);
/* Sends one request and waits for its reply. 0: reply holds the result or the daemon's error
 * (reply->error.code != 0), to be released with rpc_reply_finish. Else ERR_IO (closed, timeout)
 * or ERR_PARSE, ERR_REQUEST, ERR_LIMIT (not our protocol). */
int rpc_client_call(struct rpc_client *c, const char *method, const char *params,
                    struct rpc_reply *reply, struct errbuf *err);
/* Takes the next whole line that has been read: 1, 0 when there is none, or an error. */
int rpc_client_take(struct rpc_client *c, struct rpc_reply *reply, struct errbuf *err);
/* Reads once what has arrived (blocks when nothing has). 0, or ERR_IO at the end. */
int rpc_client_fill(struct rpc_client *c, struct errbuf *err);

#endif
