/* Whose a run's folder is. Ids come again where a database was deleted or restored from a backup; a
 * database's UUID and the times when sweep and run were made do not. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/engine/private.h"

/* In milliseconds: the database keeps no more. */
static int64_t made_ms(utc_us created)
{
    return created / 1000;
}

void run_owner(const struct engine *e, const struct run *r, struct run_owner *out)
{
    const struct sweep_row *s = r->sweep->row;
    snprintf(out->identity, sizeof(out->identity),
             "{\"database\":\"%s\",\"sweep\":%" PRId64 ",\"sweep_created_ms\":%" PRId64
             ",\"run\":%" PRId64 ",\"run_created_ms\":%" PRId64 "}",
             e->database, s->id, made_ms(s->created), r->row->id, made_ms(r->row->created));
    out->may_be_unmarked = r->unmarked;
}

enum run_known engine_run_owner(const struct engine *e, int64_t run_id, struct run_owner *out)
{
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        for (size_t k = 0; k < s->live_count; k++) {
            if (s->live[k]->row->id != run_id)
                continue;
            run_owner(e, s->live[k], out);
            return RUN_KNOWN_LIVE;
        }
    }
    return run_id <= e->last_run_id ? RUN_KNOWN_PAST : RUN_KNOWN_NOT_YET;
}
