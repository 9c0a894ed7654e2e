/* A sweep that goes on: with more runs, or over wider ranges. One that has ended is open again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/json.h"

/* --- what is said of it ---------------------------------------------------------------------- */

/* Of the specification before: all that an extension may change. */
static void write_former(const struct sweep *s, struct json_writer *w)
{
    struct errbuf why;
    const char *text = s->row->spec_json;
    struct json *spec = json_parse(text, strlen(text), &why);
    jw_key(w, "former");
    jw_begin_object(w);
    jw_kv_int(w, "run_cap", sweep_spec(s)->run_cap);
    if (spec != NULL && json_get(spec, "parameters") != NULL) {
        jw_key(w, "parameters");
        jw_value(w, json_get(spec, "parameters"));
    }
    jw_end_object(w);
    json_destroy(spec);
}

/* {"from":12,"ended":true,"run_cap":20,"parameters":{"depth":{"max":8}},
 * "former":{"run_cap":12,"parameters":{}}}. While the sweep still has its former specification. */
static char *extension_detail(const struct sweep *s, const struct spec_extension *x,
                              const struct spec *wider)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "from", (int64_t)s->run_count);
    jw_kv_bool(&w, "ended", sweep_status_terminal(s->row->status));
    if (s->row->status == SWEEP_CANCELLED)
        jw_kv_bool(&w, "cancelled", true);
    jw_kv_int(&w, "run_cap", wider->run_cap);
    if (x->parameters != NULL) {
        jw_key(&w, "parameters");
        jw_value(&w, x->parameters);
    }
    write_former(s, &w);
    jw_end_object(&w);
    return buf_take(&text);
}

/* "run_cap 20 instead of 12, depth {"max":8}": what is new. */
static char *extension_text(const struct sweep *s, const struct spec_extension *x, int64_t before)
{
    struct buf text = {0};
    struct json_writer w;
    int64_t run_cap = sweep_spec(s)->run_cap;
    if (run_cap != before)
        buf_printf(&text, "run_cap %" PRId64 " instead of %" PRId64, run_cap, before);
    for (const struct json *m = x->parameters ? json_first(x->parameters) : NULL; m != NULL;
         m = json_next(m)) {
        buf_printf(&text, "%s%s ", text.len > 0 ? ", " : "", json_key(m));
        jw_init(&w, &text);
        jw_value(&w, m);
    }
    buf_printf(&text, ", after %zu runs", s->run_count);
    return buf_take(&text);
}

/* --- extend ---------------------------------------------------------------------------------- */

static int extend_check(const struct engine *e, const struct sweep *s, int64_t sweep_id,
                        struct errbuf *err)
{
    if (e->stopping)
        return err_set(err, ERR_SHUTDOWN, "the daemon is shutting down");
    if (s == NULL)
        return err_set(err, ERR_NOT_FOUND, "sweep %" PRId64 " was deleted", sweep_id);
    if (sweep_status_terminal(s->row->status) && s->live_count > 0)
        return err_set(err, ERR_BUSY,
                       "workers of sweep %" PRId64 " are still ending: ask again in a moment",
                       sweep_id);
    return 0;
}

/* Its specification is that from now on. */
static void take_spec(struct sweep *s, const struct spec *wider)
{
    struct buf json = {0};
    struct json_writer w;
    jw_init(&w, &json);
    spec_write(wider, &w);
    free(s->row->spec_json);
    s->row->spec_json = buf_take(&json);
    s->row->run_cap = wider->run_cap;
    memo_destroy(s->memo); /* it knows the space by its place */
    s->memo = memo_create();
    spec_cache_put(s->cache, wider);
}

/* detail is taken over. */
static void note_extension(struct sweep *s, const struct spec_extension *x, int64_t before,
                           char *detail, utc_us now, struct effects *fx)
{
    struct decision_row d = {
        .sweep_id = s->row->id, .kind = DECISION_EXTENDED, .detail_json = detail};
    char *text = extension_text(s, x, before);
    store_batch_add_decision(&fx->batch, &d, "%s", text);
    store_batch_add_event(&fx->batch, s->row->id, 0, "extended", now, "%s", text);
    free(text);
}

/* An ended sweep goes back into the queue. */
static void open_again(struct sweep *s, utc_us now, struct effects *fx)
{
    s->row->ended = 0;
    s->row->deadline = 0; /* that was of the search before; a person is there now */
    s->overdue = false;
    sweep_set_status(s, SWEEP_QUEUED, NULL, now, fx);
}

void sweep_extend(struct sweep *s, const struct spec_extension *x, const struct spec *wider,
                  utc_us now, struct effects *fx)
{
    bool ended = sweep_status_terminal(s->row->status);
    int64_t before = s->row->run_cap;
    char *detail = extension_detail(s, x, wider);
    free(s->row->fits);
    s->row->fits = NULL;
    take_spec(s, wider);
    note_extension(s, x, before, detail, now, fx);
    sweep_note_extended(s, s->run_count);
    sweep_keep_fewer(s, fx);
    s->due = true;
    if (ended) {
        open_again(s, now, fx);
    } else {
        store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
        notify_sweep(fx, s);
    }
}

static char *extend_reply(const struct sweep *s)
{
    return xasprintf("{\"sweep\":%" PRId64 ",\"run_cap\":%" PRId64 ",\"runs\":%zu,"
                     "\"status\":\"%s\"}", s->row->id, s->row->run_cap, s->run_count,
                     sweep_status_name(s->row->status));
}

void engine_extend(struct engine *e, const struct extension *in, void *token, utc_us now,
                   struct effects *fx)
{
    struct errbuf err = {0};
    struct spec wider;
    bool opened = in->ended != NULL && engine_sweep(e, in->sweep_id) == NULL &&
                  engine_reopen(e, in->ended, in->sweep_id, now, &err) == 0;
    struct sweep *s = engine_sweep(e, in->sweep_id);
    int rc = err.code != 0 ? err.code : extend_check(e, s, in->sweep_id, &err);
    if (rc == 0)
        rc = spec_extend(sweep_spec(s), &in->what, &wider, &err);
    if (rc == 0) {
        sweep_extend(s, &in->what, &wider, now, fx);
        effects_reply(fx, token, extend_reply(s));
        return;
    }
    if (opened)
        engine_drop_sweep(e, s);
    effects_refuse(fx, token, &err);
}

const struct spec *engine_sweep_spec(const struct engine *e, int64_t sweep_id)
{
    const struct sweep *s = engine_sweep(e, sweep_id);
    return s != NULL ? sweep_spec(s) : NULL;
}

const char *engine_sweep_data(const struct engine *e, int64_t sweep_id)
{
    const struct sweep *s = engine_sweep(e, sweep_id);
    return s != NULL ? s->row->data_hash : NULL;
}

uint64_t engine_closed(const struct engine *e)
{
    return e->closed;
}
