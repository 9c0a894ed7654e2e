/* A consistent copy of an open database into a file of its own, while others write. */
#ifndef SWEEPD_STORE_COPY_H
#define SWEEPD_STORE_COPY_H

#include <stdbool.h>

struct errbuf;
struct sqlite3;

struct store_copy {
    struct sqlite3 *from;   /* nothing else uses this connection meanwhile */
    const char *file;       /* absolute */
    bool replace;           /* takes the place of a file of that name; else it is refused */
    int (*stop)(void *arg); /* asked between pages: not 0 ends it; NULL: never */
    void *arg;
};

/* A snapshot: what is committed meanwhile is not in it. The copy is checked, durable, readable by
 * the owner alone, and appears under its name when it is whole; a failure leaves nothing behind. 0,
 * ERR_VALUE (there is such a file), ERR_IO, ERR_DATA (the copy is not whole: the original is
 * damaged), ERR_SHUTDOWN (it was stopped). */
int store_copy(const struct store_copy *c, struct errbuf *err);

#endif
