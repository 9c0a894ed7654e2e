#include "client/plot/gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/influence.h"
#include "client/progress.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define CURVE_POINTS_MAX 4096 /* kept of a run: every second, fourth, … of more */
#define WIDE                                                                                       \
    20.0 /* listed numbers of which the highest is so many times the lowest: on a log scale */
#define US_PER_SECOND 1e6

/* --- parameters ----------------------------------------------------------------------------------
 */

/* Which dimension of the specification a parameter is. */
struct gathering {
    struct client *client;
    struct study *study;
    struct influence *influence; /* NULL: the specification was not read yet */
    size_t dimension[SPACE_MAX_DIMENSIONS];
    int64_t first_us; /* the first start, UTC; 0: none yet */
};

static bool is_logarithmic(const struct dimension *d)
{
    double low = INFINITY, high = 0;
    if (d->distribution != DISTRIBUTION_CATEGORICAL)
        return distribution_is_log(d->distribution);
    for (size_t i = 0; i < d->value_count; i++) {
        low = fmin(low, d->values[i]);
        high = fmax(high, d->values[i]);
    }
    return low > 0 && high / low >= WIDE;
}

/* The index of the choice of that name, which is new where a treatment brought it. */
static double choice_index(struct study_parameter *p, const char *name)
{
    for (size_t i = 0; i < p->choice_count; i++)
        if (strcmp(p->choices[i], name) == 0)
            return (double)i;
    p->choices = xrealloc(p->choices, (p->choice_count + 1) * sizeof *p->choices);
    p->choices[p->choice_count] = xstrdup(name);
    return (double)p->choice_count++;
}

static bool is_choice(const struct dimension *d)
{
    return d->type == VALUE_CHOICE || d->type == VALUE_SWITCH;
}

static void take_parameters(struct gathering *g)
{
    struct study *s = g->study;
    const struct space *space = &g->influence->spec.space;
    s->parameters = xcalloc(space->count + 1, sizeof *s->parameters);
    for (size_t i = 0; i < space->count; i++) {
        const struct dimension *d = &space->dimensions[i];
        char text[SPACE_TEXT_MAX];
        if (d->distribution == DISTRIBUTION_CONSTANT)
            continue;
        struct study_parameter *p = &s->parameters[s->parameter_count];
        g->dimension[s->parameter_count++] = i;
        *p = (struct study_parameter){.name = xstrdup(d->name),
                                      .importance = NAN,
                                      .logarithmic = !is_choice(d) && is_logarithmic(d)};
        for (size_t k = 0; is_choice(d) && k < d->value_count; k++) {
            dimension_format(d, d->values[k], text);
            choice_index(p, text);
        }
    }
}

static double value_of(struct gathering *g, size_t parameter, const struct json *params)
{
    const struct dimension *d = &g->influence->spec.space.dimensions[g->dimension[parameter]];
    const struct json *v = json_get(params, d->name);
    char text[SPACE_TEXT_MAX];
    struct errbuf err;
    double value;
    if (v == NULL || dimension_from_json(d, v, "$", &value, &err) != 0)
        return NAN;
    if (!is_choice(d))
        return value;
    dimension_format(d, value, text);
    return choice_index(&g->study->parameters[parameter], text);
}

/* --- runs ----------------------------------------------------------------------------------------
 */

static double since_first(struct gathering *g, const struct json *run, const char *key)
{
    int64_t us = human_parse_utc(member_string(run, key, ""));
    return us == 0 ? NAN : (double)us / US_PER_SECOND;
}

/* Why it ended before its time; its failure and its last words. */
static char *why_of(const struct json *run)
{
    const char *stop = member_string(run, "stop_reason", ""),
               *class = member_string(run, "error_class", "");
    const char *text = member_string(run, "error_text", "");
    if (*class != '\0')
        return xasprintf("%s%s%s", class, *text != '\0' ? ": " : "", text);
    return xstrdup(stop);
}

static double finite_member(const struct json *point, const char *key)
{
    double v = member_real(point, key, NAN);
    return isfinite(v) ? v : NAN;
}

static double *objectives_of(const struct study *s, const struct json *values)
{
    if (s->objective_count == 0)
        return NULL;
    double *v = xmalloc(s->objective_count * sizeof *v);
    for (size_t i = 0; i < s->objective_count; i++)
        v[i] = finite_member(values, s->objectives[i].name);
    return v;
}

static void add_run(void *arg, const struct json *run)
{
    struct gathering *g = arg;
    struct study *s = g->study;
    int status = run_status_find(member_string(run, "status", ""));
    int kind = run_kind_find(member_string(run, "kind", ""));
    s->runs = array_room(s->runs, &s->run_cap, s->run_count, sizeof *s->runs);
    struct study_run *r = &s->runs[s->run_count++];
    *r = (struct study_run){
        .id = member_int(run, "run_id", 0),
        .number = member_int(run, "number", 0),
        .parent = member_int(run, "parent_id", 0),
        .status = status >= 0 ? (enum run_status)status : RUN_QUEUED,
        .kind = kind >= 0 ? (enum run_kind)kind : RUN_KIND_SEARCH,
        .pattern = (enum pattern)pattern_find(member_string(run, "label", "")),
        .metric = member_real(run, "metric_value", NAN),
        .seconds = member_real(run, "seconds", NAN),
        .objectives = objectives_of(s, json_get(run, "objectives")),
        .epoch = member_real(run, "epochs_done", NAN),
        .epochs = member_real(run, "epochs", NAN),
        .started = since_first(g, run, "started_at"),
        .ended = since_first(g, run, "ended_at"),
        .values = xmalloc((s->parameter_count + 1) * sizeof *r->values),
        .stage = xstrdup(member_string(run, "stage", "")),
        .cause = xstrdup(member_string(run, "cause", "")),
        .why = why_of(run),
    };
    influence_take(g->influence, run);
    if (!isfinite(r->metric) || !run_status_ranks(r->status))
        r->metric = NAN;
    for (size_t i = 0; i < s->parameter_count; i++)
        r->values[i] = value_of(g, i, json_get(run, "params"));
}

/* Times count from the first start. */
static void rebase_times(struct study *s)
{
    double first = INFINITY;
    for (size_t i = 0; i < s->run_count; i++)
        if (isfinite(s->runs[i].started))
            first = fmin(first, s->runs[i].started);
    for (size_t i = 0; i < s->run_count; i++) {
        s->runs[i].started -= first;
        s->runs[i].ended = isfinite(s->runs[i].started) ? s->runs[i].ended - first : NAN;
    }
}

/* --- curves --------------------------------------------------------------------------------------
 */

/* Of many points every stride-th is kept; the last one always. */
struct curve_reading {
    struct study_curve *curve;
    size_t cap, seen, stride;
    double last[3];
    bool last_kept;
};

static void keep_point(struct curve_reading *r, const double v[3])
{
    struct study_curve *c = r->curve;
    if (c->count == r->cap) {
        r->cap = r->cap == 0 ? 64 : r->cap * 2;
        c->epoch = xrealloc(c->epoch, r->cap * sizeof *c->epoch);
        c->train = xrealloc(c->train, r->cap * sizeof *c->train);
        c->val = xrealloc(c->val, r->cap * sizeof *c->val);
    }
    c->epoch[c->count] = v[0];
    c->train[c->count] = v[1];
    c->val[c->count++] = v[2];
}

static void halve(struct curve_reading *r)
{
    struct study_curve *c = r->curve;
    for (size_t i = 0; i < c->count / 2; i++) {
        c->epoch[i] = c->epoch[2 * i];
        c->train[i] = c->train[2 * i];
        c->val[i] = c->val[2 * i];
    }
    c->count /= 2;
    r->stride *= 2;
}

static void add_point(void *arg, const struct json *point)
{
    struct curve_reading *r = arg;
    double v[3] = {finite_member(point, "epoch"), finite_member(point, "train_loss"),
                   finite_member(point, "val_loss")};
    memcpy(r->last, v, sizeof v);
    r->last_kept = r->seen++ % r->stride == 0;
    if (r->last_kept)
        keep_point(r, v);
    if (r->curve->count == CURVE_POINTS_MAX)
        halve(r);
}

static int read_curve(struct client *c, struct study_run *run)
{
    struct curve_reading r = {.curve = &run->curve, .stride = 1};
    char *params = xasprintf("\"run\":%lld", (long long)run->id);
    int status = client_pages(c, &(struct client_paged){"curve", params, "points"}, add_point, &r);
    if (status == CLIENT_DONE && r.seen > 0 && !r.last_kept)
        keep_point(&r, r.last);
    free(params);
    return status;
}

static void take_timeline(struct study_curve *c, const struct json *label)
{
    const struct json *list = json_get(json_get(label, "evidence"), "timeline");
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
        int pattern = pattern_find(member_string(v, "pattern", ""));
        double from = member_real(v, "from", NAN), to = member_real(v, "to", NAN);
        if (c->regime_count == DIAGNOSIS_REGIMES_MAX || pattern < 0 || !isfinite(from) ||
            !isfinite(to))
            continue;
        c->regimes[c->regime_count++] = (struct diagnosis_regime){from, to, (enum pattern)pattern};
    }
}

static int read_timeline(struct client *c, struct study_run *run)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "run", "run", run->id, &reply);
    if (status != CLIENT_DONE)
        return status;
    take_timeline(&run->curve, json_get(reply.result, "label"));
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

struct ranked {
    size_t run;
    double metric;
    bool maximize;
};

static int best_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (isnan(x->metric) || isnan(y->metric))
        return isnan(x->metric) != isnan(y->metric) ? isnan(x->metric) - isnan(y->metric)
                                                    : (x->run > y->run) - (x->run < y->run);
    int order = (x->metric > y->metric) - (x->metric < y->metric);
    return order != 0 ? (x->maximize ? -order : order) : (x->run > y->run) - (x->run < y->run);
}

/* Of those that have a point the best half of what is wanted, and of the others every so many-th by
 * rank. */
static void choose_runs(const struct study *s, size_t wanted, bool *chosen)
{
    struct ranked *v = xmalloc((s->run_count + 1) * sizeof *v);
    size_t n = 0, best = wanted / 2;
    for (size_t i = 0; i < s->run_count; i++)
        if (isfinite(s->runs[i].epoch))
            v[n++] = (struct ranked){i, s->runs[i].metric, s->maximize};
    qsort(v, n, sizeof *v, best_first);
    size_t rest = n > best ? n - best : 0, others = wanted - best;
    for (size_t i = 0; i < n && i < best; i++)
        chosen[v[i].run] = true;
    for (size_t k = 0; k < others && rest > 0; k++)
        chosen[v[best + (n <= wanted ? k % rest : k * rest / others)].run] = true;
    free(v);
}

static int read_curves(struct client *c, const struct gather_wish *wish, struct study *s)
{
    bool *chosen = xcalloc(s->run_count + 1, sizeof *chosen);
    int status = CLIENT_DONE;
    size_t wanted = 0, done = 0;
    if (wish->run == 0)
        choose_runs(s, wish->curves_max, chosen);
    for (size_t i = 0; i < s->run_count; i++) {
        chosen[i] = chosen[i] || (wish->run != 0 && s->runs[i].id == wish->run);
        wanted += chosen[i];
    }
    for (size_t i = 0; i < s->run_count && status == CLIENT_DONE; i++) {
        if (!chosen[i])
            continue;
        progress_step(c, done++, wanted);
        status = read_curve(c, &s->runs[i]);
        if (status == CLIENT_DONE)
            status = read_timeline(c, &s->runs[i]);
    }
    free(chosen);
    return status;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

static int read_runs(struct gathering *g)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)g->study->id);
    int status =
        client_pages(g->client, &(struct client_paged){"runs", params, "runs"}, add_run, g);
    free(params);
    rebase_times(g->study);
    return status;
}

static int read_spec(struct gathering *g, const struct json *sweep)
{
    struct influence *f = xcalloc(1, sizeof *f);
    struct errbuf err;
    if (json_get(sweep, "spec") != NULL &&
        influence_init(f, sweep, IMPORTANCE_PEDANOVA, &err) == 0) {
        g->influence = f;
        return CLIENT_DONE;
    }
    free(f);
    err_set(&err, ERR_DATA,
            "sweep %lld: its specification cannot be read: it is of another version",
            (long long)member_int(sweep, "id", 0));
    return client_fail(g->client, CLIENT_REFUSED, &err);
}

static void take_objectives(struct study *s, const struct objectives *o)
{
    s->objective_count = o->count;
    for (size_t i = 0; i < o->count; i++)
        s->objectives[i] = (struct study_objective){xstrdup(o->items[i].name),
                                                    o->items[i].maximize};
}

/* Rows of view pareto_front: a configuration each, by the id of its best run. */
static void take_front(struct study *s, const struct json *rows)
{
    for (const struct json *v = json_first(rows); v != NULL; v = json_next(v))
        for (size_t i = 0; i < s->run_count; i++)
            if (s->runs[i].id == member_int(v, "run_id", 0))
                s->runs[i].on_front = true;
}

/* What the reply to `show` says of the sweep. */
static int begin(struct gathering *g, const struct json *row)
{
    struct study *s = g->study;
    memset(s, 0, sizeof *s);
    s->id = member_int(row, "id", 0);
    s->name = xstrdup(member_string(row, "name", ""));
    s->metric = xstrdup(member_string(row, "metric", ""));
    s->maximize = strcmp(member_string(row, "goal", ""), "maximize") == 0;
    int status = read_spec(g, row);
    if (status == CLIENT_DONE)
        take_objectives(s, &g->influence->spec.objectives);
    if (status == CLIENT_DONE)
        take_parameters(g);
    return status;
}

static void end(struct gathering *g)
{
    if (g->influence != NULL)
        influence_finish(g->influence);
    free(g->influence);
}

/* Shares of their sum, of what is on a chart; where it is too early to say, none. */
static void take_importance(struct gathering *g)
{
    const struct influence *f = g->influence;
    double raw[SPACE_MAX_DIMENSIONS], shares[SPACE_MAX_DIMENSIONS];
    struct errbuf why;
    if (importance_compute(&f->runs, f->method, f->spec.seed, raw, &why) != 0)
        return;
    importance_shares(raw, f->spec.space.count, shares);
    g->study->importance_runs = importance_used(&f->runs, f->method);
    for (size_t i = 0; i < g->study->parameter_count; i++)
        g->study->parameters[i].importance = shares[g->dimension[i]];
}

int study_gather(struct client *c, int64_t sweep, const struct gather_wish *wish,
                 struct rpc_reply *show, struct study *out)
{
    struct gathering g = {.client = c, .study = out};
    int status = sweep != 0 ? client_call_id(c, "show", "sweep", sweep, show)
                            : client_call(c, "show", "{}", show);
    if (status != CLIENT_DONE)
        return status;
    status = begin(&g, json_get(show->result, "sweep"));
    if (status == CLIENT_DONE)
        status = read_runs(&g);
    if (status == CLIENT_DONE)
        take_importance(&g);
    if (status == CLIENT_DONE)
        take_front(out, json_get(show->result, "front"));
    if (status == CLIENT_DONE && wish->curves_max > 0)
        status = read_curves(c, wish, out);
    end(&g);
    if (status != CLIENT_DONE) {
        study_finish(out);
        rpc_reply_finish(show);
    }
    return status;
}

/* --- runs alone ----------------------------------------------------------------------------------
 */

/* Its row as `runs` has it, by its number in its sweep. */
static int read_row(struct gathering *g, const struct json *run)
{
    struct rpc_reply reply;
    char *params = xasprintf("{\"sweep\":%lld,\"cursor\":%lld,\"limit\":1}",
                             (long long)member_int(run, "sweep_id", 0),
                             (long long)member_int(run, "number", 0) - 1);
    int status = client_call(g->client, "runs", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    const struct json *row = json_first(json_get(reply.result, "runs"));
    if (row != NULL)
        add_run(g, row);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

/* The first one's sweep is that of the study. */
static int begin_with(struct gathering *g, const struct json *run)
{
    struct rpc_reply show;
    if (g->influence != NULL)
        return CLIENT_DONE;
    int status =
        client_call_id(g->client, "show", "sweep", member_int(run, "sweep_id", 0), &show);
    if (status != CLIENT_DONE)
        return status;
    status = begin(g, json_get(show.result, "sweep"));
    rpc_reply_finish(&show);
    return status;
}

static int add_one(struct gathering *g, int64_t id)
{
    struct rpc_reply reply;
    int status = client_call_id(g->client, "run", "run", id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *run = json_get(reply.result, "run");
    size_t before = g->study->run_count;
    status = begin_with(g, run);
    if (status == CLIENT_DONE)
        status = read_row(g, run);
    if (status == CLIENT_DONE && g->study->run_count > before) {
        struct study_run *r = &g->study->runs[before];
        status = read_curve(g->client, r);
        take_timeline(&r->curve, json_get(reply.result, "label"));
    }
    rpc_reply_finish(&reply);
    return status;
}

int study_gather_runs(struct client *c, const struct gather_runs *runs, struct study *out)
{
    struct gathering g = {.client = c, .study = out};
    int status = CLIENT_DONE;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < runs->count && status == CLIENT_DONE; i++)
        status = add_one(&g, runs->ids[i]);
    rebase_times(out);
    end(&g);
    if (status != CLIENT_DONE)
        study_finish(out);
    return status;
}
