/* Judges stored runs again. Store thread only. */
#ifndef SWEEPD_STORE_RELABEL_H
#define SWEEPD_STORE_RELABEL_H

struct errbuf;
struct relabel;
struct store_sql;

/* The next chunk, in one transaction of its own; r moves on. 0, or an error: nothing of the chunk
 * was written, and r is as before. */
int store_relabel_chunk(struct store_sql *q, struct relabel *r, struct errbuf *err);

#endif
