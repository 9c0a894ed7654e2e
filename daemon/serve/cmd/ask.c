/* The next run of a sweep whose runs clients carry out. */
#include "daemon/serve/request.h"
#include "daemon/state.h"

enum { SWEEP_PARAM, SECONDS_PARAM };

/* Nothing more comes of it. */
static void answer_ended(struct request *r, const struct table *t)
{
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", r->subject);
    jw_key(&r->w, "run");
    jw_null(&r->w);
    jw_kv_string(&r->w, "status", table_text(t, 0, "status", ""));
    jw_end_object(&r->w);
    request_result_built(r);
}

static void look_at_ended(struct request *r)
{
    request_query(r, STORE_QUERY_SWEEP, &r->subject, 1, answer_ended);
}

static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    if (engine_sweep_open(d->engine, r->arg[SWEEP_PARAM], NULL, NULL))
        engine_ask(d->engine,
                   &(struct lease_wanted){r->arg[SWEEP_PARAM], (int)r->arg[SECONDS_PARAM], r->word},
                   request_token(r), loop_now(), loop_effects(&d->loop));
    else
        request_resolve_sweep(r, look_at_ended);
}

const struct command command_ask = {
    .name = "ask",
    .params = {PARAM_SWEEP(true),
               {"seconds", PARAM_INTEGER, false, 1, LEASE_SECONDS_MAX, LEASE_SECONDS},
               {"lease", PARAM_WORD, false, 0, 0, 0}},
    .run = run,
};
