/* The daemon's orders, read on: which attempts are open, and what is to be done to ours. */
#ifndef WORKER_PILOT_OFFERS_H
#define WORKER_PILOT_OFFERS_H

#include "sweep/spool.h"

struct offers {
    struct spool_reader reader;
    struct spool_attempt *open; /* in the order they were made */
    size_t count, cap;
    struct spool_attempt *had; /* that were ours: an offer of one that is made again is none */
    size_t had_count, had_cap;
    bool end;             /* no more is to be taken */
    bool term, kill, gone; /* ours: is to end; at once; is not ours any more */
};

/* Reads all that came. mine: the attempt under way, NULL: none. True: something did. False too
 * where it cannot be read: err.code says so, else it is 0. */
bool offers_read(struct offers *o, const struct spool_attempt *mine, struct errbuf *err);
/* Another has it, or it is over. */
void offers_drop(struct offers *o, const struct spool_attempt *at);
/* It is ours. */
void offers_took(struct offers *o, const struct spool_attempt *at);
void offers_finish(struct offers *o);

#endif
