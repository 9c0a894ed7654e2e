/* A treatment of a stored run by hand: one remedy, in a sweep that carries it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/serve/cmd/submit.h"
#include "daemon/serve/known_remedies.h"
#include "daemon/serve/request.h"
#include "daemon/plan/treat.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/paths.h"

/* The run as it is stored, and what was tried on it. */
struct parent {
    struct spec spec;      /* of its sweep */
    struct run_row run;
    struct data_facts data;
    struct enqueued label; /* what is known of it, for its treatment */
    bool is_treatment;     /* itself */
    struct remedy_past past;
    char data_hash[65];
    int64_t donor;
    bool tried[REMEDY_COUNT];
};

static void parent_finish(void *extra)
{
    struct parent *p = extra;
    spec_finish(&p->spec);
    run_row_finish(&p->run);
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_data_facts(const char *text, struct data_facts *out, struct errbuf *err)
{
    struct json *v = json_parse(text, strlen(text), err);
    int rc = v != NULL ? data_facts_parse(v, out, err) : ERR_DATA;
    json_destroy(v);
    return rc;
}

static int read_label(const struct table *t, struct enqueued *out, struct errbuf *err)
{
    const struct cell *metric = table_cell(t, 0, "metric_value");
    int status = run_status_find(table_text(t, 0, "status", ""));
    int pattern = pattern_find(table_text(t, 0, "pattern", ""));
    int cause = cause_find(table_text(t, 0, "cause", ""));
    if (status < 0 || !run_status_terminal((enum run_status)status))
        return err_bad(err, ERR_STATE, "run", table_text(t, 0, "status", ""),
                       "a run that has ended, for treat");
    if (pattern < 0)
        return err_set(err, ERR_STATE, "run %" PRId64 " has no label: it has no points",
                       out->parent_id);
    out->pattern = (enum pattern)pattern;
    out->cause = cause < 0 ? CAUSE_UNKNOWN : (enum cause_id)cause;
    out->has_parent_metric = metric->type == CELL_REAL;
    out->parent_metric = metric->real;
    return 0;
}

static void read_past(const struct table *t, struct parent *p)
{
    const struct cell *change = table_cell(t, 0, "change");
    int remedy = remedy_find(table_text(t, 0, "remedy", ""));
    int cause = cause_find(table_text(t, 0, "treats_cause", ""));
    p->is_treatment = remedy >= 0;
    if (!p->is_treatment)
        return;
    p->past = (struct remedy_past){.remedy = (enum remedy)remedy,
                                   .cause = cause < 0 ? CAUSE_UNKNOWN : (enum cause_id)cause,
                                   .helped = change->type == CELL_REAL && change->real < 0};
}

static bool same_network(const struct trainer_config *a, const struct trainer_config *b)
{
    if (!settings_same(&a->settings, &b->settings, SETTING_OF_MODEL))
        return false;
    if (a->layers == NULL || b->layers == NULL)
        return a->layers == b->layers;
    return layer_list_same(a->layers, b->layers);
}

/* The best run of its sweep, where it is the same network and has kept its weights (G3.2). */
static int64_t find_donor(const struct daemon *d, const struct table *t, const struct parent *p)
{
    const struct cell *best = table_cell(t, 0, "best_run");
    struct run_row donor = {0};
    struct errbuf why;
    char path[PATHS_MAX];
    bool same = best->type == CELL_INTEGER && best->integer != p->label.parent_id &&
                run_row_read_settings(&donor, table_text(t, 0, "best_settings", ""), &why) == 0 &&
                donor.config != NULL && same_network(donor.config, p->run.config);
    run_row_finish(&donor);
    same = same &&
           paths_run_file(path, sizeof(path), d->runs_dir, best->integer, RUN_FILE_WEIGHTS) &&
           access(path, R_OK) == 0;
    return same ? best->integer : 0;
}

static int read_parent(const struct daemon *d, const struct table *t, struct parent *p,
                       struct errbuf *err)
{
    const char *spec = table_text(t, 0, "spec", ""), *facts = table_text(t, 0, "data_facts", "");
    int rc = read_label(t, &p->label, err);
    if (rc == 0)
        rc = spec_parse_text(spec, strlen(spec), &p->spec, err);
    if (rc == 0)
        rc = run_row_read_settings(&p->run, table_text(t, 0, "settings", ""), err);
    if (rc == 0 && p->run.config == NULL)
        rc = err_set(err, ERR_STATE, "run %" PRId64 " is a program of one's own: no remedy is "
                     "known for it; enqueue tries other values", p->label.parent_id);
    if (rc == 0 && *facts)
        rc = read_data_facts(facts, &p->data, err);
    if (rc != 0)
        return rc;
    p->label.parent_settings = p->run.config->settings;
    read_past(t, p);
    p->run.epochs = table_cell(t, 0, "epochs")->integer;
    str_copy(p->data_hash, sizeof(p->data_hash), table_text(t, 0, "data_hash", ""));
    p->donor = find_donor(d, t, p);
    return 0;
}

/* --- the treatment --------------------------------------------------------------------------- */

/* What is tried: the remedy that was asked for, or the best one that is left. */
static int choose(struct parent *p, const struct remedy_prior *known, const char *wanted,
                  struct treatment *out, struct errbuf *err)
{
    const struct trainer_config *c = p->run.config;
    struct data_facts data = data_facts_of_run(&p->data, &c->settings);
    struct remedy_context context = {.data = &data, .donor = p->donor};
    enum remedy remedies[REMEDIES_MAX];
    struct treatment t = {.settings = c->settings,
                          .layers = c->layers ? *c->layers : p->spec.trainer.layers,
                          .epochs = p->run.epochs,
                          .start_from = c->start_from ? c->start_from
                                                      : p->spec.trainer.start_from};
    size_t count = remedies_next(p->label.pattern, p->label.cause,
                                 p->is_treatment ? &p->past : NULL, remedies);
    treat_order(known, p->label.pattern, p->label.cause, NULL, remedies, count);
    if (*wanted) {
        remedies[0] = (enum remedy)remedy_find(wanted);
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        *out = t;
        bool left = treat_can_gain(remedies[i]) && !p->tried[remedies[i]];
        if (!(left || *wanted) || !remedy_apply(remedies[i], &context, out))
            continue;
        p->label.remedy = remedies[i];
        return 0;
    }
    if (*wanted)
        return err_bad(err, ERR_VALUE, "$.remedy", wanted,
                       "a remedy that changes something of this run: it has it already, or its "
                       "network or settings leave no room for it");
    return err_set(err, ERR_STATE,
                   "no remedy is left for run %" PRId64 " (%s, cause %s); name one with \"remedy\"",
                   p->label.parent_id, pattern_name(p->label.pattern), cause_name(p->label.cause));
}

/* A sweep to carry the run: that of the parent without a search of its own. */
static void build_spec(const struct parent *p, const struct treatment *t, struct spec *out)
{
    *out = p->spec;
    out->space = (struct space){0}; /* p owns what it has */
    snprintf(out->name, sizeof(out->name), "run %" PRId64 ": %s", p->label.parent_id,
             remedy_name(p->label.remedy));
    out->method = METHOD_BY_HAND;
    out->trainer.fixed = t->settings;
    out->trainer.layers = t->layers;
    out->trainer.start_from = t->start_from;
    out->epochs = t->epochs;
    out->run_cap = 1;
    out->after = 0;
    out->max_hours = 0; /* a person asks for it now */
    out->has_until = false;
    out->treat = false;
}

/* --- the request ----------------------------------------------------------------------------- */

static void take_effects(struct request *r, const struct table *t)
{
    struct parent *p = r->extra;
    struct remedy_prior known = {0};
    struct treat_submit *s = xcalloc(1, sizeof(*s));
    struct errbuf err;
    known_remedies_read(t, &known);
    int rc = choose(p, &known, r->word, &s->treatment, &err);
    remedy_prior_finish(&known);
    if (rc != 0) {
        free(s);
        request_error(r, &err);
        return;
    }
    struct spec spec;
    build_spec(p, &s->treatment, &spec);
    s->run = p->label;
    s->run.kind = RUN_KIND_TREATMENT;
    s->run.treatment = &s->treatment;
    str_copy(s->data_hash, sizeof(s->data_hash), p->data_hash);
    submit_spec(r, &spec, s);
}

static void take_treatments(struct request *r, const struct table *t)
{
    struct parent *p = r->extra;
    for (size_t i = 0; i < t->rows; i++) {
        const struct cell *c = table_cell(t, i, "remedy");
        int remedy = c->type == CELL_TEXT ? remedy_find(c->text) : -1;
        if (remedy >= 0)
            p->tried[remedy] = true;
    }
    request_query(r, STORE_QUERY_REMEDY_EFFECTS, NULL, 0, take_effects);
}

static void take_parent(struct request *r, const struct table *t)
{
    struct parent *p = xcalloc(1, sizeof(*p));
    struct errbuf err;
    r->extra = p;
    r->extra_finish = parent_finish;
    p->label.parent_id = r->subject;
    if (t->rows == 0) {
        request_refuse(r, ERR_NOT_FOUND, "run %" PRId64 " was deleted", r->subject);
        return;
    }
    if (read_parent(r->daemon, t, p, &err) != 0)
        request_error(r, &err);
    else
        request_query(r, STORE_QUERY_TREATMENTS, &r->subject, 1, take_treatments);
}

static void query(struct request *r)
{
    request_query(r, STORE_QUERY_TREATED, &r->subject, 1, take_parent);
}

static int check_remedy(const char *wanted, struct errbuf *err)
{
    const char *names[REMEDY_COUNT];
    for (int i = 0; i < REMEDY_COUNT; i++)
        names[i] = remedy_name((enum remedy)i);
    if (*wanted == '\0' || remedy_find(wanted) >= 0)
        return 0;
    const char *near = err_nearest(wanted, names, REMEDY_COUNT);
    if (near)
        return err_bad(err, ERR_VALUE, "$.remedy", wanted, "did you mean %s?", near);
    struct buf all = {0};
    for (int i = 0; i < REMEDY_COUNT; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    err_bad(err, ERR_VALUE, "$.remedy", wanted, "one of %s", all.data);
    buf_finish(&all);
    return ERR_VALUE;
}

static void run(struct request *r)
{
    struct errbuf err;
    if (r->daemon->stopping)
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: treat after its restart");
    else if (check_remedy(r->word, &err) != 0)
        request_error(r, &err);
    else
        request_resolve_run(r, query);
}

const struct command command_treat = {
    .name = "treat",
    .lasting = true,
    .params = {PARAM_RUN(true), {"remedy", PARAM_WORD, false, 0, 0, 0}},
    .run = run,
};
