/* JSON-RPC 2.0, one object a line: both ends of the socket. docs/protocol.md is normative. */
#ifndef SWEEP_RPC_H
#define SWEEP_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/err.h"

#define RPC_LINE_MAX (1024 * 1024) /* a request, without its '\n' */
#define RPC_PAGE_MAX 1000          /* rows of one reply */

struct buf;
struct json;

/* The id of a request: a JSON string, number or null, byte for byte as it came. */
struct rpc_id {
    bool present;     /* absent: a notification, which gets no reply */
    char text[128];
};

struct rpc_request {
    struct rpc_id id;
    char method[64];
    const struct json *params; /* borrowed from root; NULL when absent; else an object */
    struct json *root;         /* owned: rpc_request_finish */
};

/* Parses one line. On failure id is what could be read of it (for the reply) and err says what is
 * wrong (ERR_PARSE, ERR_REQUEST; batch arrays are ERR_REQUEST). */
int rpc_request_parse(const char *line, size_t len, struct rpc_request *out, struct errbuf *err);
void rpc_request_finish(struct rpc_request *r);

/* Each appends one line with its '\n'. result, params: valid JSON text. */
void rpc_write_request(struct buf *out, int64_t id, const char *method, const char *params);
void rpc_write_result(struct buf *out, const struct rpc_id *id, const char *result);
/* {"code": RPC code, "message": sentence,
 *  "data": {"error": wire name, "key", "value", "allowed"}} */
void rpc_write_error(struct buf *out, const struct rpc_id *id, const struct errbuf *err);
/* Of several the first, and in its data all: "problems": [{"error", "message", "key", "value",
 * "allowed"}]. */
void rpc_write_errors(struct buf *out, const struct rpc_id *id, const struct errbuf *err,
                      size_t count);
void rpc_write_notification(struct buf *out, const char *method, const char *params);

struct rpc_reply {
    bool notification;
    char method[64];            /* of a notification */
    int64_t id;
    const struct json *result;  /* or a notification's params; NULL with an error */
    struct errbuf error;        /* code != 0: the daemon said no */
    struct json *root;
};
int rpc_reply_parse(const char *line, size_t len, struct rpc_reply *out, struct errbuf *err);
void rpc_reply_finish(struct rpc_reply *r);

#endif
