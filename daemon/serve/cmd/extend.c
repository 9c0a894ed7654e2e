/* More runs of a sweep, or wider ranges. Runs that a wider range allows are checked by the worker
 * that reads the data, as at submit. A sweep that has ended is read from the database. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/prepare.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/record.h"
#include "sweep/spec.h"

enum { SWEEP_PARAM, RUNS_PARAM, RUN_CAP_PARAM, PARAMETERS_PARAM };

#define READS_MAX 100 /* of an ended sweep, while others end or are deleted */

/* What was asked for, and the ended sweep as it was read last. */
struct asked {
    struct extension extension;
    struct json *parameters;
    struct store_restored ended;
    bool checked;
    uint64_t closed; /* engine_closed when the reading began */
    unsigned reads;
};

static void asked_finish(void *extra)
{
    struct asked *a = extra;
    json_destroy(a->parameters);
    store_restored_finish(&a->ended);
}

/* The request is known by its id: its client may go meanwhile. */
struct waiting {
    struct daemon *daemon;
    uint64_t request_id;
};

static struct waiting *wait_for(const struct request *r)
{
    struct waiting *w = xmalloc(sizeof(*w));
    *w = (struct waiting){r->daemon, r->id};
    return w;
}

static struct request *waiting_end(struct waiting *w)
{
    struct request *r = request_find(w->daemon->requests, w->request_id);
    free(w);
    return r;
}

static void read_ended(struct request *r);

static bool is_open(const struct request *r)
{
    return engine_sweep_open(r->daemon->engine, r->subject, NULL, NULL);
}

static void apply(struct request *r)
{
    struct asked *a = r->extra;
    struct daemon *d = r->daemon;
    a->extension.ended = is_open(r) ? NULL : &a->ended;
    engine_extend(d->engine, &a->extension, request_token(r), loop_now(), loop_effects(&d->loop));
}

/* --- the check ------------------------------------------------------------------------------- */

/* The open sweep's, or of the one that was read. */
static const char *data_of(const struct request *r)
{
    const struct asked *a = r->extra;
    const char *hash = engine_sweep_data(r->daemon->engine, r->subject);
    if (hash == NULL && a->ended.sweep_count > 0)
        hash = a->ended.sweeps[0].data_hash;
    return hash != NULL ? hash : "";
}

static void on_prepared(void *arg, const struct record_prepared *prepared,
                        const struct errbuf *failed)
{
    struct request *r = waiting_end(arg);
    if (r == NULL)
        return;
    struct asked *a = r->extra;
    a->checked = true;
    if (prepared == NULL)
        request_error(r, failed);
    else if (*data_of(r) != '\0' && strcmp(data_of(r), prepared->hash) != 0)
        request_refuse(r, ERR_DATA, "the data of sweep %" PRId64 " has changed since it was "
                       "submitted", r->subject);
    else if (is_open(r))
        apply(r);
    else
        read_ended(r); /* again: or it has ended meanwhile */
}

static bool is_client_there(void *arg)
{
    const struct waiting *w = arg;
    return request_find(w->daemon->requests, w->request_id) != NULL;
}

static void check_wider(struct request *r, const struct spec *wider)
{
    struct asked *a = r->extra;
    const struct prepare_client client = {on_prepared, is_client_there, wait_for(r)};
    if (a->parameters != NULL && task_of(wider)->needs_data) {
        prepare_data(r->daemon->prepare, wider, &client);
        return;
    }
    free(client.arg);
    apply(r);
}

static void check(struct request *r, const struct spec *now)
{
    struct asked *a = r->extra;
    struct errbuf err;
    struct spec wider;
    if (spec_extend(now, &a->extension.what, &wider, &err) != 0) {
        request_error(r, &err);
        return;
    }
    check_wider(r, &wider);
    spec_finish(&wider);
}

static void check_ended(struct request *r)
{
    const struct asked *a = r->extra;
    const char *text = a->ended.sweeps[0].spec_json;
    struct errbuf why;
    struct spec spec;
    if (text == NULL || spec_parse_text(text, strlen(text), &spec, &why) != 0) {
        request_refuse(r, ERR_DATA, "sweep %" PRId64 " cannot be read: %s", r->subject,
                       text != NULL ? why.message : "its row is damaged");
        return;
    }
    check(r, &spec);
    spec_finish(&spec);
}

/* --- a sweep that has ended ------------------------------------------------------------------ */

static void take_ended(struct request *r)
{
    struct asked *a = r->extra;
    if (is_open(r) && a->checked)
        apply(r);
    else if (is_open(r))
        check(r, engine_sweep_spec(r->daemon->engine, r->subject));
    else if (engine_closed(r->daemon->engine) != a->closed)
        read_ended(r);
    else if (a->ended.sweep_count == 0)
        request_refuse(r, ERR_NOT_FOUND, "sweep %" PRId64 " was deleted", r->subject);
    else if (a->checked)
        apply(r);
    else
        check_ended(r);
}

static void on_sweep(void *arg, struct store_restored *read, const struct errbuf *failed)
{
    struct request *r = waiting_end(arg);
    if (r != NULL && read != NULL) {
        struct asked *a = r->extra;
        store_restored_finish(&a->ended);
        a->ended = *read;
        *read = (struct store_restored){0};
        take_ended(r);
    } else if (r != NULL) {
        request_error(r, failed);
    }
}

static void on_committed(void *arg)
{
    struct request *r = waiting_end(arg);
    if (r == NULL)
        return;
    request_waits_for_commit(r, false);
    store_sweep(r->daemon->store, r->subject, on_sweep, wait_for(r));
}

static void on_turn(void *arg)
{
    struct request *r = waiting_end(arg);
    struct store_batch none = {0};
    if (r != NULL)
        store_submit(r->daemon->store, &none, on_committed, wait_for(r));
}

/* What is known of it, as soon as all that was decided until now is durable: the first batch takes
 * its place before what this turn decides, the second behind it. Where a sweep is closed between,
 * it may have been this one: read again. */
static void read_ended(struct request *r)
{
    struct asked *a = r->extra;
    struct store_batch none = {0};
    if (++a->reads > READS_MAX) {
        request_refuse(r, ERR_BUSY, "sweeps end faster than they are read: ask again");
        return;
    }
    a->closed = engine_closed(r->daemon->engine);
    request_waits_for_commit(r, true);
    store_submit(r->daemon->store, &none, on_turn, wait_for(r));
}

/* --- the request ----------------------------------------------------------------------------- */

static void keep(struct request *r)
{
    struct asked *a = xcalloc(1, sizeof(*a));
    struct buf text = {0};
    struct json_writer w;
    struct errbuf why;
    r->extra = a;
    r->extra_finish = asked_finish;
    if (r->given[PARAMETERS_PARAM]) { /* what was asked for goes with its line */
        jw_init(&w, &text);
        jw_value(&w, r->object);
        a->parameters = json_parse(text.data, text.len, &why);
        buf_finish(&text);
    }
    a->extension = (struct extension){.sweep_id = r->arg[SWEEP_PARAM],
                                      .what = {.run_cap = r->arg[RUN_CAP_PARAM],
                                               .runs = r->arg[RUNS_PARAM],
                                               .parameters = a->parameters}};
}

static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    r->subject = r->arg[SWEEP_PARAM];
    if (d->stopping) {
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: extend after its restart");
        return;
    }
    keep(r);
    if (is_open(r))
        check(r, engine_sweep_spec(d->engine, r->subject));
    else
        request_resolve_sweep(r, read_ended);
}

const struct command command_extend = {
    .name = "extend",
    .lasting = true,
    .params = {PARAM_SWEEP(true),
               {"runs", PARAM_INTEGER, false, 1, SPEC_MAX_RUNS, 0},
               {"run_cap", PARAM_INTEGER, false, 1, SPEC_MAX_RUNS, 0},
               {"parameters", PARAM_OBJECT, false, 0, 0, 0}},
    .run = run,
};
