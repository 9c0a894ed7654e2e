/* Desks: threads at which a request is answered, each with a connection to the daemon of its own.
 * Those that read and those that change something are apart: a submit whose data takes minutes
 * holds up no page. */
#ifndef SWEEPCTL_SERVE_DESK_H
#define SWEEPCTL_SERVE_DESK_H

#include <pthread.h>
#include <stdbool.h>

#include "client/client.h"
#include "client/plot/words.h"
#include "client/serve/door.h"
#include "client/serve/route.h"

/* What all pages share: nothing of it changes while they are served, but the door's count. */
struct site {
    enum language language;
    const char *socket; /* the daemon's */
    struct door *door;
};

struct desk {
    const struct site *site;
    struct client client; /* its failures are left in `failed` */
    struct errbuf failed;
};

struct job {
    struct request request;
    struct answer answer;
    const struct route *route;
    void (*done)(struct job *j); /* on the desk's thread; the job is its owner's again */
    struct job *next;
};

#define DESKS_READING 2
#define DESKS_CHANGING 4
#define DESKS_WAITING_MAX 64 /* jobs, of each kind */

struct desks;

/* NULL and err: no thread could be made. */
struct desks *desks_open(const struct site *site, struct errbuf *err);
/* false: too many wait already. */
bool desks_put(struct desks *d, struct job *j);
/* Ends what is under way and the threads, calls done for all that wait; nothing can be put any
 * more. */
void desks_stop(struct desks *d);
void desks_close(struct desks *d);

/* A desk without a thread, for what is answered at once. */
void desk_init(struct desk *d, const struct site *site);
void desk_finish(struct desk *d);

#endif
