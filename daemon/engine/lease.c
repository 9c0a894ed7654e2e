/* Runs that clients carry out (task `client`): one is asked for, what it comes to is reported, and
 * how it ended is told. The client has it by a lease, which ends when it is not heard of for too
 * long; the run goes back to the queue then. A lease is the handle of its run's row, so it outlives
 * the daemon. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define HANDLE_PREFIX "lease:"

/* --- leases ---------------------------------------------------------------------------------- */

static void extend(struct run *r, utc_us now)
{
    r->lease.until = now + (utc_us)r->lease.seconds * 1000000;
}

/* One of ours was never given before: no two leases of a run begin at one time. */
static void grant(struct run *r, const struct lease_wanted *in, utc_us now)
{
    if (in->lease[0] != '\0')
        str_copy(r->lease.id, sizeof(r->lease.id), in->lease);
    else
        snprintf(r->lease.id, sizeof(r->lease.id), "%" PRId64 ".%" PRIx64, r->row->id,
                 (uint64_t)now);
    r->lease.seconds = in->seconds;
    extend(r, now);
    char handle[RUN_HANDLE_MAX];
    snprintf(handle, sizeof(handle), HANDLE_PREFIX "%s:%d", r->lease.id,
             r->lease.seconds);
    run_row_set_text(&r->row->handle, handle);
}

/* From a handle; false: it is none of a lease. */
static bool lease_of_handle(const char *handle, struct lease *out)
{
    size_t prefix = strlen(HANDLE_PREFIX);
    if (handle == NULL || strncmp(handle, HANDLE_PREFIX, prefix) != 0)
        return false;
    const char *id = handle + prefix, *colon = strchr(id, ':');
    if (colon == NULL || colon == id || (size_t)(colon - id) >= sizeof(out->id))
        return false;
    memcpy(out->id, id, (size_t)(colon - id));
    out->id[colon - id] = '\0';
    char *end;
    long seconds = strtol(colon + 1, &end, 10);
    out->seconds = (int)seconds;
    return *end == '\0' && seconds >= 1 && seconds <= LEASE_SECONDS_MAX;
}

static bool is_held(const struct run *r, utc_us now)
{
    return r->lease.id[0] != '\0' && r->lease.until > now;
}

/* --- a restart ------------------------------------------------------------------------------- */

/* What it reported under names of its own, where it is judged by several. */
static void restore_metrics(struct run *r, const struct store_restored *restored)
{
    size_t i = restored_first(restored->metrics, restored->metric_count,
                              sizeof(*restored->metrics), r->row->id);
    for (; i < restored->metric_count && restored->metrics[i].run_id == r->row->id; i++) {
        const struct stored_metric *stored = &restored->metrics[i];
        struct point at = {.point = stored->point, .epoch = stored->epoch};
        struct point_metrics *m = metrics_create(&at, 1);
        m->values[0] = stored->metric;
        objectives_note(r, &at, m);
        free(m);
    }
}

void lease_restore(struct engine *e, struct run *r, const struct store_restored *restored,
                   utc_us now)
{
    if (lease_of_handle(r->row->handle, &r->lease))
        extend(r, now); /* its client is given the time anew */
    size_t i = restored_first(restored->points, restored->point_count, sizeof(*restored->points),
                              r->row->id);
    for (; i < restored->point_count && restored->points[i].run_id == r->row->id; i++) {
        const struct point *p = &restored->points[i].point;
        kept_points_add(&r->kept, p);
        r->last_point = r->seen_point = r->furthest_point = p->point;
        r->last_epoch = p->epoch;
        objectives_note(r, p, NULL);
    }
    restore_metrics(r, restored);
    if (r->row->status != RUN_RUNNING)
        return;
    r->launcher = LAUNCHER_OF_LEASES;
    engine_take_slot(e, r);
}

/* --- the end of a lease ---------------------------------------------------------------------- */

static void end_lease(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    char text[96];
    snprintf(text, sizeof(text), "its client was not heard of for %d s", r->lease.seconds);
    r->lease.id[0] = '\0';
    engine_run_ended(e, r->row->id, &(struct run_exit){.error = RUN_ERROR_HUNG, .text = text}, now,
                     fx);
}

void leases_end(struct engine *e, utc_us now, struct effects *fx)
{
    for (size_t i = e->running_count; i-- > 0;) /* those that end leave the list */
        if (run_is_leased(e->running[i]) && !is_held(e->running[i], now))
            end_lease(e, e->running[i], now, fx);
}

utc_us leases_end_at(const struct engine *e)
{
    utc_us at = 0;
    for (size_t i = 0; i < e->running_count; i++)
        if (run_is_leased(e->running[i]) && (at == 0 || e->running[i]->lease.until < at))
            at = e->running[i]->lease.until;
    return at;
}

/* --- ask ------------------------------------------------------------------------------------- */

static struct run *first_free(const struct engine *e, const struct sweep *s, utc_us now)
{
    for (size_t i = 0; i < s->live_count; i++) {
        struct run *r = s->live[i];
        if (r->row->status == RUN_QUEUED && !is_held(r, now) && !failure_run_waits(e, r, now))
            return r;
    }
    return NULL;
}

static struct run *held_by(const struct sweep *s, const char *lease, utc_us now)
{
    for (size_t i = 0; lease[0] != '\0' && i < s->live_count; i++)
        if (is_held(s->live[i], now) && strcmp(s->live[i]->lease.id, lease) == 0)
            return s->live[i];
    return NULL;
}

/* What another client had reported is nothing of this one's. */
static void begin(struct engine *e, struct run *r, const struct lease_wanted *in, utc_us now,
                  struct effects *fx)
{
    if (r->row->started != 0)
        store_batch_clear_points(&fx->batch, r->row->id);
    run_forget_attempt(r);
    r->launcher = LAUNCHER_OF_LEASES;
    grant(r, in, now);
    run_begin(e, r, now, fx);
}

static char *given(const struct run *r)
{
    struct buf json = {0};
    struct json_writer w;
    const struct run_row *row = r->row;
    jw_init(&w, &json);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", row->sweep_id);
    jw_kv_int(&w, "run", row->id);
    jw_kv_int(&w, "number", row->number);
    jw_kv_string(&w, "lease", r->lease.id);
    jw_kv_int(&w, "seconds", r->lease.seconds);
    jw_kv_string(&w, "kind", run_kind_name(row->kind));
    jw_kv_string(&w, "stage", row->stage);
    jw_kv_string(&w, "reason", row->reason);
    char *params = run_params(r);
    jw_kv_raw(&w, "params", params);
    free(params);
    jw_key(&w, "seed");
    jw_uint(&w, row->seed);
    jw_kv_int(&w, "epochs", row->epochs);
    jw_kv_int(&w, "until_epoch", row->until_epoch > 0 ? row->until_epoch : row->epochs);
    jw_end_object(&w);
    return buf_take(&json);
}

/* What a handle can hold. */
static int check_word(const char *lease, struct errbuf *err)
{
    size_t plain = strspn(lease, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-_.");
    if (lease[plain] == '\0' && plain < LEASE_MAX)
        return 0;
    return err_bad(err, ERR_VALUE, "$.lease", lease,
                   "1 to %d letters, digits, '-', '_' or '.', never used before: a UUID for "
                   "example",
                   LEASE_MAX - 1);
}

static int check_ask(const struct engine *e, const struct sweep *s, const char *lease,
                     struct errbuf *err)
{
    if (e->stopping)
        return err_set(err, ERR_SHUTDOWN, "the daemon is shutting down");
    if (!s->leased)
        return err_set(err, ERR_STATE,
                       "sweep %" PRId64 " is carried out by the daemon itself (task %s); ask is "
                       "for sweeps with \"task\": {\"client\": {}}",
                       s->row->id, task_of(sweep_spec(s))->name);
    return check_word(lease, err);
}

void engine_ask(struct engine *e, const struct lease_wanted *in, void *token, utc_us now,
                struct effects *fx)
{
    struct errbuf err = {0};
    struct sweep *s = engine_sweep(e, in->sweep_id);
    REQUIRE(s != NULL && in->seconds >= 1 && in->seconds <= LEASE_SECONDS_MAX);
    if (check_ask(e, s, in->lease, &err) != 0) {
        effects_refuse(fx, token, &err);
        return;
    }
    struct run *r = held_by(s, in->lease, now);
    if (r != NULL) {
        extend(r, now);
        effects_reply(fx, token, given(r));
        return;
    }
    sweep_step(e, s, now, fx); /* what was told a moment ago may call for more */
    s = engine_sweep(e, in->sweep_id);
    r = s != NULL && sweep_may_start(e, s) ? first_free(e, s, now) : NULL;
    if (r != NULL) {
        begin(e, r, in, now, fx);
        effects_reply(fx, token, given(r));
        return;
    }
    effects_reply(fx, token,
                  xasprintf("{\"sweep\":%" PRId64 ",\"run\":null,\"status\":\"%s\"}", in->sweep_id,
                            sweep_status_name(s != NULL ? s->row->status : SWEEP_COMPLETED)));
}

/* --- report ---------------------------------------------------------------------------------- */

/* The run, where that lease is the one it is held by; NULL: err says why not. */
static struct run *held_run(const struct engine *e, int64_t run_id, const char *lease,
                            const char *verb, struct errbuf *err)
{
    struct run *r = engine_live_run(e, run_id, verb, err);
    if (r == NULL)
        return NULL;
    if (!run_is_leased(r)) {
        err_set(err, ERR_STATE, "run %" PRId64 " is carried out by the daemon itself", run_id);
        return NULL;
    }
    if (strcmp(r->lease.id, lease) == 0 && lease[0] != '\0')
        return r;
    err_bad(err, ERR_STATE, "$.lease", lease,
            "the lease that the last ask for run %" PRId64 " gave; this one has ended, and what "
            "comes of it is not taken any more",
            run_id);
    return NULL;
}

static int check_points(const struct run *r, const struct lease_report *in, struct errbuf *err)
{
    double last = r->last_epoch;
    char path[40], value[32];
    for (size_t i = 0; i < in->count; i++) {
        double epoch = in->points[i]->at.epoch;
        if (epoch > last) {
            last = epoch;
            continue;
        }
        snprintf(path, sizeof(path), "$.points[%zu].epoch", i);
        snprintf(value, sizeof(value), "%g", epoch);
        return err_bad(err, ERR_VALUE, path, value, "above %g, the epoch of the point before it",
                       last);
    }
    if (r->last_point + (int64_t)in->count > RUN_POINTS_MAX)
        return err_bad(err, ERR_LIMIT, "$.points", NULL, "at most %d points of a run",
                       RUN_POINTS_MAX);
    return 0;
}

/* As many as lie before its rung. */
static size_t count_taken(const struct run *r, const struct lease_report *in)
{
    size_t n = 0;
    while (n < in->count && (r->row->until_epoch == 0 || n == 0 ||
                             in->points[n - 1]->at.epoch < (double)r->row->until_epoch))
        n++;
    return n;
}

static double seconds_since(const struct run *r, utc_us now)
{
    return now > r->row->started ? (double)(now - r->row->started) * 1e-6 : 0;
}

static void take_points(struct engine *e, struct run *r, struct point_metrics *const *m,
                        size_t count, utc_us now, struct effects *fx)
{
    struct point *points = xcalloc(count, sizeof(*points));
    for (size_t i = 0; i < count; i++) {
        m[i]->at.point = r->last_point + 1 + (int64_t)i;
        point_set(&m[i]->at, CURVE_SECONDS, seconds_since(r, now));
        points[i] = m[i]->at;
    }
    size_t taken = engine_run_points(e, r->row->id, points, count, now, fx);
    engine_run_metrics(e, r->row->id, m, taken, fx);
    free(points);
}

static void reach_rung(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    int64_t until = r->row->until_epoch;
    struct sweep *s = r->sweep;
    if (until == 0 || r->last_epoch < (double)until)
        return;
    run_pause_at_rung(e, r,
                      &(struct record_result){.status = RUN_PAUSED,
                                              .epoch = until,
                                              .seconds = seconds_since(r, now)},
                      now, fx);
    sweep_step(e, s, now, fx); /* it may be stopped there, and that may be the sweep's end */
}

static void answer_report(struct engine *e, int64_t sweep_id, int64_t run_id, void *token,
                          struct effects *fx)
{
    const struct sweep *s = engine_sweep(e, sweep_id);
    size_t number = s != NULL ? sweep_run_number(s, run_id) : TRIAL_NONE;
    enum run_status status = number != TRIAL_NONE ? s->trials[number]->status : RUN_STOPPED;
    struct run *r = s != NULL ? sweep_live_run(s, run_id) : NULL;
    const char *verdict = "stop";
    if (r != NULL && r->row->status == RUN_QUEUED)
        run_take_up(e, r, fx);
    if (r != NULL) {
        status = r->row->status;
        verdict = status == RUN_RUNNING ? "go_on" : "wait";
    }
    effects_reply(fx, token,
                  xasprintf("{\"run\":%" PRId64 ",\"verdict\":\"%s\",\"status\":\"%s\","
                            "\"points\":%" PRId64 ",\"until_epoch\":%" PRId64 "}",
                            run_id, verdict, run_status_name(status),
                            r != NULL ? r->last_point : 0,
                            r == NULL                 ? 0
                            : r->row->until_epoch > 0 ? r->row->until_epoch
                                                      : r->row->epochs));
}

/* The open sweep of a run that has ended; 0: there is none. */
static int64_t sweep_of_ended(const struct engine *e, int64_t run_id)
{
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        size_t number = sweep_run_number(s, run_id);
        if (number != TRIAL_NONE && sweep_live_run(s, run_id) == NULL &&
            s->leased)
            return s->row->id;
    }
    return 0;
}

void engine_report(struct engine *e, const struct lease_report *in, void *token, utc_us now,
                   struct effects *fx)
{
    struct errbuf err = {0};
    int64_t ended = sweep_of_ended(e, in->run_id); /* by a rule, or cancelled, meanwhile */
    if (ended != 0) {
        answer_report(e, ended, in->run_id, token, fx);
        return;
    }
    struct run *r = held_run(e, in->run_id, in->lease, "report", &err);
    if (r == NULL || (r->row->status == RUN_RUNNING && check_points(r, in, &err) != 0)) {
        effects_refuse(fx, token, &err);
        return;
    }
    int64_t sweep_id = r->row->sweep_id;
    extend(r, now);
    if (r->row->status == RUN_RUNNING && in->count > 0) {
        take_points(e, r, in->points, count_taken(r, in), now, fx);
        run_put(r, fx);
        reach_rung(e, r, now, fx);
    }
    answer_report(e, sweep_id, in->run_id, token, fx);
}

/* --- tell ------------------------------------------------------------------------------------ */

/* The value of an objective, or of the metric alone, that is told; false: none is. */
static bool told_value(const struct spec *spec, const struct lease_told *in, size_t objective,
                       double *out)
{
    const char *name = spec->objectives.count > 0 ? spec->objectives.items[objective].name
                                                  : spec_metric_name(spec);
    for (size_t i = 0; in->values != NULL && i < in->values->count; i++) {
        const struct metric_value *v = &in->values->values[i];
        if (v->name[0] != '\0' ? strcmp(v->name, name) == 0 : i == objective) {
            *out = v->value;
            return true;
        }
    }
    if (objective > 0 || !in->has_value)
        return false;
    *out = in->value;
    return true;
}

static size_t objectives_told(const struct spec *spec)
{
    return spec->objectives.count > 0 ? spec->objectives.count : 1;
}

/* Values that were not reported before are the run's last point. */
static void take_values(struct engine *e, struct run *r, const struct lease_told *in, utc_us now,
                        struct effects *fx)
{
    const struct spec *spec = sweep_spec(r->sweep);
    struct point p = {.epoch = fmax((double)r->row->epochs, floor(r->last_epoch) + 1)};
    struct point_metrics *m = metrics_create(&p, objectives_told(spec));
    bool any = false;
    m->count = 0;
    for (size_t i = 0; i < objectives_told(spec); i++) {
        const char *name = spec->objectives.count > 0 ? spec->objectives.items[i].name
                                                      : spec_metric_name(spec);
        struct metric_value *v = &m->values[m->count];
        if (!told_value(spec, in, i, &v->value))
            continue;
        any = true;
        if (metric_find(name) != METRIC_NAMED)
            point_set(&m->at, metric_column(metric_find(name)), v->value);
        else
            str_copy(m->values[m->count++].name, sizeof(v->name), name);
    }
    if (any)
        take_points(e, r, &m, 1, now, fx);
    free(m);
}

/* Each is one of the sweep's, and there is one of each where they are told by their order. */
static int check_values(const struct spec *spec, const struct lease_told *in, struct errbuf *err)
{
    size_t count = in->values != NULL ? in->values->count : 0;
    struct buf names = {0};
    int rc = 0;
    for (size_t i = 0; i < objectives_told(spec); i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "",
                   spec->objectives.count > 0 ? spec->objectives.items[i].name
                                              : spec_metric_name(spec));
    for (size_t i = 0; i < count && rc == 0; i++) {
        const char *name = in->values->values[i].name;
        bool known = name[0] == '\0' || strcmp(name, spec_metric_name(spec)) == 0;
        for (size_t k = 0; k < spec->objectives.count; k++)
            known |= strcmp(name, spec->objectives.items[k].name) == 0;
        if (!known)
            rc = err_bad(err, ERR_KEY, "$.result.values", name, "objectives of the sweep: %s",
                         names.data);
    }
    if (rc == 0 && count > 0 && in->values->values[0].name[0] == '\0' &&
        count != objectives_told(spec))
        rc = err_bad(err, ERR_VALUE, "$.result.values", NULL, "%zu numbers, in the order of %s",
                     objectives_told(spec), names.data);
    buf_finish(&names);
    return rc;
}

/* Nobody could rank it by what is neither told nor was reported. */
static int check_all_known(const struct run *r, const struct lease_told *in, struct errbuf *err)
{
    const struct spec *spec = sweep_spec(r->sweep);
    double value;
    if (!told_value(spec, in, 0, &value) && r->seen_point == 0)
        return err_bad(err, ERR_MISSING, "$.result.value", "nothing",
                       "the value of %s: nothing was reported before", spec_metric_name(spec));
    for (size_t i = 1; i < spec->objectives.count; i++) {
        if (told_value(spec, in, i, &value) || objectives_is_known(r, i))
            continue;
        return err_bad(err, ERR_MISSING, "$.result.values", spec->objectives.items[i].name,
                       "a value of each objective that was not reported before: \"values\": "
                       "{\"%s\": 12.5, …}", spec->objectives.items[i].name);
    }
    return 0;
}

static int check_tell(const struct run *r, const struct lease_told *in, struct errbuf *err)
{
    if (in->result->status == RUN_FAILED)
        return 0;
    if (r->row->status != RUN_RUNNING)
        return err_bad(err, ERR_STATE, "run", run_status_name(r->row->status),
                       "a running one, for a result: this one waits at epoch %" PRId64
                       "; report, without points, says when it goes on",
                       r->row->until_epoch);
    if ((in->has_value || in->values != NULL) && r->last_point >= RUN_POINTS_MAX)
        return err_bad(err, ERR_LIMIT, "$.result.value", NULL, "at most %d points of a run",
                       RUN_POINTS_MAX);
    int rc = check_values(sweep_spec(r->sweep), in, err);
    return rc != 0 ? rc : check_all_known(r, in, err);
}

void engine_tell(struct engine *e, const struct lease_told *in, void *token, utc_us now,
                 struct effects *fx)
{
    struct errbuf err = {0};
    struct run *r = held_run(e, in->run_id, in->lease, "tell", &err);
    if (r == NULL || check_tell(r, in, &err) != 0) {
        effects_refuse(fx, token, &err);
        return;
    }
    if (r->row->status == RUN_PAUSED) /* failed while it waited */
        run_continue(r, 0, now, fx);
    if (r->row->status == RUN_QUEUED)
        run_take_up(e, r, fx);
    take_values(e, r, in, now, fx);
    struct record_result result = *in->result;
    result.seconds = seconds_since(r, now);
    r->lease.id[0] = '\0';
    engine_run_ended(e, in->run_id, &(struct run_exit){.result = &result}, now, fx);
    effects_reply(fx, token,
                  xasprintf("{\"run\":%" PRId64 ",\"status\":\"%s\"}", in->run_id,
                            run_status_name(result.status)));
}
