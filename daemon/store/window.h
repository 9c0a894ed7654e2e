/* Reads the rows that labels are judged from again; what they say is decided elsewhere. Store
 * thread only. */
#ifndef SWEEPD_STORE_WINDOW_H
#define SWEEPD_STORE_WINDOW_H

#include "daemon/engine/rows.h"
#include "daemon/store/store.h"

struct errbuf;
struct sqlite3_stmt;
struct store_sql;

/* *out NULL: there are no more. A chunk with long curves ends early. 0 or ERR_IO. */
int window_read(struct store_sql *q, const struct store_window_query *from,
                struct relabel_window **out, struct errbuf *err);

/* The curves of those that are judged, and the layers of those without facts: the second half of
 * window_read. */
int window_read_curves(struct store_sql *q, struct relabel_window *w, struct errbuf *err);


#endif
