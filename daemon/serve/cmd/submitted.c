/* What became of a submit whose answer did not come: by the id that its client chose. */
#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"

/* sweep 0: there is none. */
static void answer(struct request *r, const char *state, int64_t sweep)
{
    jw_begin_object(&r->w);
    jw_kv_string(&r->w, "id", r->word);
    jw_kv_string(&r->w, "state", state);
    jw_key(&r->w, "sweep");
    if (sweep > 0)
        jw_int(&r->w, sweep);
    else
        jw_null(&r->w);
    jw_end_object(&r->w);
    request_result_built(r);
}

struct search {
    const struct request *own;
    bool found;
};

static void find_submit(struct request *r, void *arg)
{
    struct search *s = arg;
    s->found |= r != s->own && strcmp(r->command->name, "submit") == 0 &&
                strcmp(r->word, s->own->word) == 0;
}

static void take_stored(struct request *r, const struct table *t)
{
    struct search s = {.own = r};
    int64_t open = engine_submitted(r->daemon->engine, r->word);
    requests_each(r->daemon->requests, NULL, find_submit, &s);
    if (t->rows > 0)
        answer(r, "submitted", table_cell(t, 0, "id")->integer);
    else if (open > 0)
        answer(r, "committing", open);
    else
        answer(r, s.found ? "under_way" : "none", 0);
}

static void run(struct request *r)
{
    const struct store_named_query q = {.id = STORE_QUERY_SUBMITTED, .text = r->word};
    request_query_named(r, &q, take_stored);
}

const struct command command_submitted = {
    .name = "submitted",
    .params = {{"id", PARAM_WORD, true, 0, 0, 0}},
    .run = run,
};
