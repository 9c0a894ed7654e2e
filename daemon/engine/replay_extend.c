/* A sweep that was extended is decided again by the specification that it had before, and from the
 * extension on by the wider one. The rows `extended` have both. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/replay_private.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* --- the specification before ---------------------------------------------------------------- */

/* With the members of `former` in place of its own. */
static char *with_members(const struct json *spec, const struct json *former)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    for (const struct json *m = json_first(spec); m != NULL; m = json_next(m)) {
        const struct json *v = json_get(former, json_key(m));
        jw_key(&w, json_key(m));
        jw_value(&w, v != NULL ? v : m);
    }
    jw_end_object(&w);
    return buf_take(&text);
}

static struct json *parse(const char *text)
{
    struct errbuf why;
    return text != NULL ? json_parse(text, strlen(text), &why) : NULL;
}

/* NULL: the row does not say it. */
static char *spec_before(const char *text, const struct json *detail)
{
    const struct json *former = detail != NULL ? json_get(detail, "former") : NULL;
    struct json *spec = parse(text);
    bool known = spec != NULL && json_type(spec) == JSON_OBJECT && former != NULL &&
                 json_type(former) == JSON_OBJECT;
    char *before = known ? with_members(spec, former) : NULL;
    json_destroy(spec);
    return before;
}

static int refuse(const struct replay_decision *d, int64_t sweep_id, const char *why,
                  struct errbuf *err)
{
    return err_set(err, ERR_STATE,
                   "sweep %lld was extended (%s)%s: what was decided before cannot be made again",
                   (long long)sweep_id, d->reason != NULL ? d->reason : "", why);
}

/* When a cancelled one was extended, what it still had to plan is stored nowhere. */
static bool was_cancelled(const struct json *detail)
{
    const struct json *v = json_get(detail, "cancelled");
    return v != NULL && json_type(v) == JSON_BOOL && json_bool(v);
}

static int take_back(const struct replay_decision *d, struct sweep_row *row, struct errbuf *err)
{
    struct json *detail = parse(d->detail);
    char *before = spec_before(row->spec_json, detail);
    int rc = 0;
    if (before == NULL)
        rc = refuse(d, row->id, " by a daemon that did not store the specification it had", err);
    else if (was_cancelled(detail))
        rc = refuse(d, row->id, " after it was cancelled", err);
    if (rc == 0)
        (void)json_get_int64(json_get(detail, "former"), "run_cap", &row->run_cap, err);
    json_destroy(detail);
    if (rc != 0) {
        free(before);
        return rc;
    }
    free(row->spec_json);
    row->spec_json = before;
    return 0;
}

int replay_take_back_extensions(const struct replay_source *in, struct sweep_row *row,
                                struct errbuf *err)
{
    int rc = 0;
    for (size_t i = in->count; i-- > 0 && rc == 0;)
        if (in->decisions[i].kind == DECISION_EXTENDED)
            rc = take_back(&in->decisions[i], row, err);
    return rc;
}

/* --- the extension --------------------------------------------------------------------------- */

/* So many runs follow from the parameters, as of a grid, or they were asked for too. */
static bool widen(const struct spec *s, int64_t run_cap, struct spec_extension *x,
                  struct spec *wider)
{
    struct errbuf why;
    bool read = spec_extend(s, x, wider, &why) == 0;
    if (read && wider->run_cap == run_cap)
        return true;
    if (read)
        spec_finish(wider);
    x->run_cap = run_cap;
    return spec_extend(s, x, wider, &why) == 0;
}

static bool extend(struct replay *p, struct sweep *s, const struct json *detail,
                   struct effects *fx)
{
    struct errbuf why;
    struct spec_extension x = {.parameters = json_get(detail, "parameters")};
    struct spec wider;
    int64_t run_cap;
    if (json_get_int64(detail, "run_cap", &run_cap, &why) != 0 ||
        !widen(sweep_spec(s), run_cap, &x, &wider))
        return false;
    sweep_extend(s, &x, &wider, p->now, fx);
    return true;
}

bool replay_extension_is_next(const struct replay *p)
{
    const struct sweep *s = engine_sweep(p->engine, p->sweep_id);
    const struct replay_decision *d =
        p->next_own < p->in->count ? &p->in->decisions[p->next_own] : NULL;
    struct stored_extension x;
    return s != NULL && !p->refuses && d != NULL && d->kind == DECISION_EXTENDED &&
           d->detail != NULL && stored_extension_read(p->sweep_id, d->detail, &x) &&
           x.from == (int64_t)s->run_count && x.ended == sweep_status_terminal(s->row->status);
}

void replay_take_extension(struct replay *p, struct effects *fx)
{
    if (!replay_extension_is_next(p))
        return;
    struct json *detail = parse(p->in->decisions[p->next_own].detail);
    p->refuses = !extend(p, engine_sweep(p->engine, p->sweep_id), detail, fx);
    json_destroy(detail);
}
