/* Between replay.c and replay_compare.c. */
#ifndef SWEEPD_REPLAY_PRIVATE_H
#define SWEEPD_REPLAY_PRIVATE_H

#include "daemon/engine/private.h"
#include "daemon/engine/replay.h"

/* A run as it is stored. */
struct replayed_run {
    size_t next; /* its decision that comes next: index into those of the source; count: none */
    int64_t fed; /* points that the engine has been given */
    bool ended;
    bool blocked; /* it has not ended, and nothing more is known of it */
};

struct replay {
    const struct replay_source *in;
    struct replay_report *out;
    struct engine *engine;
    int64_t sweep_id;
    int64_t *ids;              /* of its runs, by number */
    struct replayed_run *runs; /* likewise */
    size_t next_own;           /* the sweep's decision that comes next */
    utc_us now;
    bool refuses;              /* an extension that cannot be made again */
    bool whole;                /* the sweep is completed: nothing may be left over */
};

/* Index of the run with that id; SIZE_MAX: none. */
size_t replay_run(const struct replay *p, int64_t run_id);
/* The first decision from `from` on about that run (0: about the sweep). */
size_t replay_next(const struct replay *p, size_t from, int64_t run_id);
/* What the engine has just decided, against what is stored. */
void replay_compare(struct replay *p, const struct store_batch *b);
/* What is stored and was not made again. */
void replay_compare_rest(struct replay *p);

/* --- replay_extend.c ------------------------------------------------------------------------- */
/* The specification as it was submitted; ERR_STATE where rows do not say it. */
int replay_take_back_extensions(const struct replay_source *in, struct sweep_row *row,
                                struct errbuf *err);
/* It is the sweep's next decision, as early as it may have come. */
bool replay_extension_is_next(const struct replay *p);
/* There, and nowhere else. */
void replay_take_extension(struct replay *p, struct effects *fx);

#endif
