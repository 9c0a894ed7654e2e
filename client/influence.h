/* How much each parameter decided, from a sweep's specification and the rows of its runs: for every
 * verb that says it. Pure. */
#ifndef SWEEPCTL_INFLUENCE_H
#define SWEEPCTL_INFLUENCE_H

#include <stdint.h>

#include "sweep/importance.h"
#include "sweep/spec.h"

struct errbuf;
struct json;
struct json_writer;

struct influence {
    int64_t sweep;
    enum importance_method method;
    struct spec spec;
    struct importance_runs runs;
};

/* sweep: the object "sweep" of a `show` reply. 0, and to be released; or what spec_parse says. */
int influence_init(struct influence *f, const struct json *sweep, enum importance_method method,
                   struct errbuf *err);
void influence_finish(struct influence *f);
/* A row of `runs`. arg: the struct influence. */
void influence_take(void *arg, const struct json *run);
/* {"sweep", "method", "metric", "runs", "importances"}; or why it cannot be said, and nothing is
 * written. */
int influence_write(const struct influence *f, struct json_writer *w, struct errbuf *err);

#endif
