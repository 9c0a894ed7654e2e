/* A sweep that another program has carried out, in parts: what it is, its runs, then the end, which
 * makes all of it rows in one commit. Until then nothing of it is anywhere but here; an id that
 * became a sweep once is that sweep for ever. */
#include <inttypes.h>
#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/serve/staged_import.h"
#include "daemon/state.h"
#include "sweep/err.h"

enum { ID_PARAM, SWEEP_PARAM, RUNS_PARAM, POINTS_PARAM, END_PARAM, PARAM_COUNT };

static void answer_existing(struct request *r, int64_t sweep)
{
    staged_import_drop(&r->daemon->imports, r->conn);
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", sweep);
    jw_kv_bool(&r->w, "existing", true);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void answer_staged(struct request *r, const struct staged_import *s)
{
    jw_begin_object(&r->w);
    jw_kv_string(&r->w, "id", s->id);
    jw_kv_int(&r->w, "runs", (int64_t)s->count);
    jw_kv_int(&r->w, "points", (int64_t)s->points);
    jw_end_object(&r->w);
    request_result_built(r);
}

/* It may have become one meanwhile, by another client. */
static void carry_out(struct request *r, const struct table *t)
{
    struct daemon *d = r->daemon;
    struct staged_import *s = staged_import_find(d->imports, r->conn);
    int64_t open = engine_submitted(d->engine, r->word);
    if (t->rows > 0 || open > 0) {
        answer_existing(r, t->rows > 0 ? table_cell(t, 0, "id")->integer : open);
        return;
    }
    if (!s || strcmp(s->id, r->word) != 0) {
        request_refuse(r, ERR_STATE, "the import %s is not under way here", r->word);
        return;
    }
    const struct imported_sweep in = {.spec = &s->spec,
                                      .id = s->id,
                                      .source = s->source,
                                      .count = s->count,
                                      .runs = s->runs};
    engine_import(d->engine, &in, request_token(r), loop_now(), loop_effects(&d->loop));
    staged_import_drop(&d->imports, r->conn);
}

static void take_stored(struct request *r, const struct table *t)
{
    int64_t open = engine_submitted(r->daemon->engine, r->word);
    struct staged_import *s = staged_import_find(r->daemon->imports, r->conn);
    if (t->rows > 0 || open > 0)
        answer_existing(r, t->rows > 0 ? table_cell(t, 0, "id")->integer : open);
    else if (s)
        answer_staged(r, s);
    else
        request_refuse(r, ERR_STATE, "the import %s is not under way any more", r->word);
}

static void begin(struct request *r)
{
    const struct store_named_query q = {.id = STORE_QUERY_SUBMITTED, .text = r->word};
    struct errbuf err;
    if (staged_import_begin(&r->daemon->imports, r->conn, r->word, r->object, &err) < 0)
        request_error(r, &err);
    else
        request_query_named(r, &q, take_stored);
}

static void add(struct request *r, struct staged_import *s)
{
    struct staged_import *list = r->daemon->imports;
    struct errbuf err;
    int rc = r->given[RUNS_PARAM] ? staged_import_add_runs(list, s, r->object, &err)
                                  : staged_import_add_points(list, s, r->object, &err);
    if (rc == 0) {
        answer_staged(r, s);
        return;
    }
    staged_import_drop(&r->daemon->imports, r->conn);
    request_error(r, &err);
}

static void end(struct request *r, const struct staged_import *s)
{
    const struct store_named_query q = {.id = STORE_QUERY_SUBMITTED, .text = r->word};
    if (s->count == 0)
        request_refuse(r, ERR_STATE, "the import %s has no runs", r->word);
    else
        request_query_named(r, &q, carry_out);
}

static void run(struct request *r)
{
    struct staged_import *s = staged_import_find(r->daemon->imports, r->conn);
    int parts = 0;
    for (int i = SWEEP_PARAM; i < PARAM_COUNT; i++)
        parts += r->given[i];
    if (r->daemon->stopping)
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: import after its restart");
    else if (r->word[0] == '\0')
        request_refuse(r, ERR_VALUE, "$.id: got \"\"; allowed: 1 to 64 bytes");
    else if (parts != 1)
        request_refuse(r, ERR_VALUE, "one of sweep, runs, points, end at a time");
    else if (r->given[SWEEP_PARAM])
        begin(r);
    else if (!s || strcmp(s->id, r->word) != 0)
        request_refuse(r, ERR_STATE,
                       "the import %s is not under way here: it begins with \"sweep\"", r->word);
    else if (r->given[END_PARAM])
        end(r, s);
    else
        add(r, s);
}

const struct command command_import = {
    .name = "import",
    .lasting = true,
    .params = {{"id", PARAM_WORD, true, 0, 0, 0},
               {"sweep", PARAM_OBJECT, false, 0, 0, 0},
               {"runs", PARAM_ARRAY, false, 0, 0, 0},
               {"points", PARAM_ARRAY, false, 0, 0, 0},
               {"end", PARAM_SWITCH, false, 0, 1, 0}},
    .run = run,
};
