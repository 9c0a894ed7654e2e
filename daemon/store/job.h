/* What the loop asks of a thread: of the writer a batch to commit, of the reader a query to answer
 * or a window to read. It goes there, is worked on, and comes back. */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "daemon/store/store.h"

#define JOB_ARGS_MAX 4 /* of a query */

struct job {
    struct job *next;
    void *arg;
    /* a batch */
    struct store_batch batch;
    void (*committed)(void *arg);
    /* a query: answered is set */
    store_query_cb *answered;
    enum store_query_id query;
    size_t arg_count;
    int64_t args[JOB_ARGS_MAX];
    char *text;
    struct table *table;
    struct errbuf *error;
    /* a window to read: on_window is set */
    store_window_cb *on_window;
    struct store_window_query from;
    struct relabel_window *window;
    /* a sweep that has ended: on_sweep is set; its id is args[0] */
    store_sweep_cb *on_sweep;
    struct store_restored *sweep;
};

void job_destroy(struct job *j);

/* In order of arrival. Zeroed it is empty. The jobs are the caller's. */
struct job_list {
    struct job *head, *tail;
};
void job_list_append(struct job_list *l, struct job *j);
/* NULL: there is none. */
struct job *job_list_take_first(struct job_list *l);

#endif
