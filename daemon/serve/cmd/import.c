/* A sweep that another program has carried out, in parts: what it is, its runs, then the end, which
 * makes all of it rows in one commit. Until then nothing of it is anywhere but here; an id that
 * became a sweep once is that sweep for ever.
 *
 * Labelling thousands of curves takes seconds: it is done beside the loop, one import at a time, in
 * the order of their ends, and goes on without the client. */
#include "daemon/serve/cmd/import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "daemon/serve/request.h"
#include "daemon/serve/staged_import.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

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

/* --- beside the loop -------------------------------------------------------------------------- */

struct import_task {
    struct import_task *next; /* whose turn is after this one's */
    struct daemon *daemon;
    struct staged_import *staged; /* NULL: its rows are there, and wait for their commit */
    struct engine *engine;        /* that carries it out */
    int64_t sweep;
    uint64_t *requests; /* who asked for it, the first first; they may be gone */
    size_t count, cap;
    utc_us now;
    uv_work_t work;
    struct effects effects;
};

static struct import_task *import_of(const struct daemon *d, int64_t sweep)
{
    struct import_task *t = d->importing;
    while (t && t->sweep != sweep)
        t = t->next;
    return t;
}

static void drop_first(struct daemon *d)
{
    struct import_task *t = d->importing;
    d->importing = t->next;
    engine_import_end(d->engine, t->sweep);
    staged_import_remove(&d->imports, t->staged);
    engine_destroy(t->engine);
    free(t->requests);
    free(t);
}

/* Behind the rows that are there. */
static void answer_imported(struct daemon *d, uint64_t request, int64_t sweep, size_t runs)
{
    struct request *r = request_find(d->requests, request);
    char count[40] = "";
    if (runs > 0)
        snprintf(count, sizeof(count), "\"runs\":%zu,", runs);
    if (r)
        effects_reply(loop_effects(&d->loop), request_token(r),
                      xasprintf("{\"sweep\":%" PRId64 ",%s\"existing\":%s}", sweep, count,
                                runs > 0 ? "false" : "true"));
}

static void carry_out(uv_work_t *work)
{
    struct import_task *t = work->data;
    const struct imported_sweep in = {.spec = &t->staged->spec,
                                      .id = t->staged->id,
                                      .source = t->staged->source,
                                      .count = t->staged->count,
                                      .runs = t->staged->runs};
    int64_t id = engine_import(t->engine, &in, t->now, &t->effects);
    REQUIRE(id == t->sweep);
}

static void on_carried_out(uv_work_t *work, int status)
{
    struct import_task *t = work->data;
    struct daemon *d = t->daemon;
    struct effects *fx = loop_effects(&d->loop);
    REQUIRE(status == 0); /* nobody cancels it */
    effects_join(fx, &t->effects);
    for (size_t i = 0; i < t->count; i++)
        answer_imported(d, t->requests[i], t->sweep, i == 0 ? t->staged->count : 0);
    staged_import_remove(&d->imports, t->staged);
    t->staged = NULL;
    effects_add(fx, ACTION_IMPORTED, t->sweep, 0);
}

static void begin_turn(struct daemon *d)
{
    struct import_task *t;
    while (d->stopping && d->importing)
        drop_first(d); /* who waits for it is told with all others */
    if ((t = d->importing) == NULL)
        return;
    t->now = loop_now();
    t->work.data = t;
    int rc = uv_queue_work(d->loop.uv, &t->work, carry_out, on_carried_out);
    REQUIRE(rc == 0); /* refuses a missing function alone */
}

void import_committed(struct daemon *d)
{
    drop_first(d);
    d->loop.dirty = true; /* the daemon may wait for the last one to end */
    begin_turn(d);
}

static void append(struct request *r, struct staged_import *s)
{
    struct daemon *d = r->daemon;
    struct import_task *t = xcalloc(1, sizeof(*t)), **at = &d->importing;
    t->daemon = d;
    t->staged = s;
    t->engine = engine_import_begin(d->engine, s->id, s->count);
    t->sweep = engine_importing(d->engine, s->id);
    t->requests = array_room(NULL, &t->cap, 0, sizeof(*t->requests));
    t->requests[t->count++] = r->id;
    s->owner = NULL;
    while (*at)
        at = &(*at)->next;
    *at = t;
    if (d->importing == t)
        begin_turn(d);
}

/* Another client's import of the same content is under way. */
static void join(struct request *r, struct import_task *t)
{
    staged_import_drop(&r->daemon->imports, r->conn);
    if (!t->staged) {
        answer_imported(r->daemon, r->id, t->sweep, 0);
        return;
    }
    t->requests = array_room(t->requests, &t->cap, t->count, sizeof(*t->requests));
    t->requests[t->count++] = r->id;
}

/* --- parts ------------------------------------------------------------------------------------ */

/* It may have become one meanwhile, by another client. */
static void take_end(struct request *r, const struct table *t)
{
    struct daemon *d = r->daemon;
    struct staged_import *s = staged_import_find(d->imports, r->conn);
    struct import_task *task = import_of(d, engine_importing(d->engine, r->word));
    int64_t open = engine_submitted(d->engine, r->word);
    if (t->rows > 0 || open > 0)
        answer_existing(r, t->rows > 0 ? table_cell(t, 0, "id")->integer : open);
    else if (task)
        join(r, task);
    else if (!s || strcmp(s->id, r->word) != 0)
        request_refuse(r, ERR_STATE, "the import %s is not under way here", r->word);
    else if (d->stopping)
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: import after its restart");
    else
        append(r, s);
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
    if (s && s->count == 0)
        request_refuse(r, ERR_STATE, "the import %s has no runs", r->word);
    else
        request_query_named(r, &q, take_end);
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
    else if (r->given[END_PARAM] && engine_importing(r->daemon->engine, r->word) != 0)
        end(r, NULL); /* who was not answered in time asks again */
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
