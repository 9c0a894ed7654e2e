/* Requests under way. A request lives from its line until its reply, which may come turns of the
 * loop later (store, prepare, engine). Whoever answers then knows it by its id alone: a client
 * that went away took its requests with it, and the answer finds nothing. */
#ifndef SWEEPD_REQUEST_H
#define SWEEPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/serve/command.h"
#include "daemon/store/store.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/rpc.h"

struct conn;
struct daemon;
struct errbuf;

struct request {
    uint64_t id;                       /* ours, never used twice; 0 is none */
    struct daemon *daemon;
    struct conn *conn;                 /* borrowed: its end destroys its requests */
    struct rpc_id rpc_id;
    const struct command *command;
    int64_t arg[COMMAND_PARAMS_MAX];   /* in the order of command->params */
    bool given[COMMAND_PARAMS_MAX];
    const struct json *object;         /* the PARAM_OBJECT, PARAM_ARRAY; while command->run runs */
    const char *string;                /* the PARAM_TEXT; likewise */
    char word[65];                     /* the PARAM_WORD, "" without one */
    uint64_t writes_since_ms;          /* waits for a commit; 0: for something else */
    int64_t subject;                   /* sweep or run in hand, once resolved */
    struct buf text;                   /* the result under construction … */
    struct json_writer w;              /* … by this writer */
    struct buf notes;                  /* sentences of request_note, as JSON, with commas */
    struct buf ids;                    /* run ids collected on the way, int64_t each */
    void *extra;                       /* the command's own block; freed with the request … */
    void (*extra_finish)(void *extra); /* … after this, for what it holds; NULL: nothing */
    void (*then)(struct request *r);   /* after request_resolve_* */
    void (*rows)(struct request *r, const struct table *t); /* after request_query */
    void (*opened)(struct request *r, const struct table *label); /* after request_open_run */
    struct request *next;
};

struct requests *requests_create(void);
void requests_destroy(struct requests *q);
struct request *request_create(struct daemon *d, struct conn *conn, const struct rpc_id *rpc_id,
                               const struct command *command);
struct request *request_find(struct requests *q, uint64_t id);
/* Forgets those of a client that is gone. */
void requests_drop(struct requests *q, const struct conn *conn);
/* Answers every request with that error. */
void requests_fail_all(struct requests *q, const struct errbuf *err);
/* Calls each with every request of that command. each may end the request it is given. */
void requests_each(struct requests *q, const struct command *command,
                   void (*each)(struct request *r, void *arg), void *arg);

/* The result, an object, gets a list `notes` with this sentence: what was decided for the one who
 * asked, and how to have it otherwise. */
void request_note(struct request *r, const char *sentence);

/* Each of these ends the request: the pointer is gone afterwards. */
void request_result(struct request *r, const char *json);
void request_result_built(struct request *r); /* what r->w has written */
void request_error(struct request *r, const struct errbuf *err);
void request_errors(struct request *r, const struct errbuf *err, size_t count); /* count: from 1 */
void request_refuse(struct request *r, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Asks the store; next gets the table, if the client is still there. A failed query answers the
 * request with its error. */
void request_query(struct request *r, enum store_query_id id, const int64_t *args, size_t count,
                   void (*next)(struct request *r, const struct table *t));
void request_query_named(struct request *r, const struct store_named_query *q,
                         void (*next)(struct request *r, const struct table *t));
/* Checks that the sweep in arg[0] exists, or takes the newest where none is given; then next with
 * r->subject set. Otherwise the request ends with ERR_NOT_FOUND. */
void request_resolve_sweep(struct request *r, void (*next)(struct request *r));
void request_resolve_run(struct request *r, void (*next)(struct request *r));
/* Resolves the run and opens the result, {"run": its row, "label": its row or null; next gets that
 * label, a table of no or one row, and writes on. */
void request_open_run(struct request *r,
                      void (*next)(struct request *r, const struct table *label));
/* NAME: [rows] into the open object of r->w. */
void request_write_rows(struct request *r, const char *name, const struct table *t);
/* A paged method in one call: after resolving, the query with [subject, cursor, limit] from
 * arg[1], arg[2], answered {"sweep"|"run": subject, NAME: [rows], "cursor": next or null}. */
void request_answer_page(struct request *r, enum store_query_id id);
/* NAME: [rows], "cursor": … into the open object of r->w, for one that writes more beside it. */
void request_write_page(struct request *r, const struct table *t);
/* The same with a query of one's own. */
void request_answer_rows(struct request *r, const struct store_named_query *q);

/* From now on a commit is what it waits for, or not any more. */
void request_waits_for_commit(struct request *r, bool waits);
/* Tells those who wait too long for one so: what is in the way (trouble, "" where the commit only
 * takes long), and that it may still succeed. */
void requests_expire(struct requests *q, const char *trouble);

/* The token the engine carries for this request, which waits for its commit then; and back. */
void *request_token(struct request *r);
struct request *request_of_token(struct requests *q, void *token);

#endif
