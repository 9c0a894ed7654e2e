/* A request and its answer, as handlers see them: whatever carries them is not known here. */
#ifndef SWEEPCTL_SERVE_REQUEST_H
#define SWEEPCTL_SERVE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/serve/form.h"
#include "sweep/buf.h"

struct request {
    bool post;
    char *path;         /* decoded */
    int64_t id;         /* that the path names; 0: none */
    struct form query;  /* behind the "?" */
    struct form fields; /* of a POST */
};

struct answer {
    unsigned status;   /* 200 where nobody says otherwise */
    const char *type;  /* NULL: a page */
    const char *cache; /* how long it may be kept; NULL: not at all */
    char *location;    /* where to go instead; NULL: stay */
    char *cookie;      /* to be set; NULL: none */
    struct buf body;
};

void request_finish(struct request *r);
void answer_finish(struct answer *a);
/* Go there, and ask with GET: what was changed is not changed again by a reload. */
void answer_see(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
