/* A spec is parsed and checked, its data prepared by a worker, and only then does it become a
 * sweep: nothing is half accepted. A dry run ends before the last step. */
#include "daemon/serve/cmd/submit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/engine/data_read.h"
#include "daemon/plan/estimate.h"
#include "daemon/serve/known_remedies.h"
#include "daemon/launch/prepare.h"
#include "daemon/serve/request.h"
#include "daemon/serve/until.h"
#include "daemon/serve/warm_start.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/search/search.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/paths.h"
#include "sweep/record.h"
#include "sweep/spec.h"

enum { SPEC_PARAM, DRY_RUN_PARAM, ID_PARAM };

#define SUBMIT_ID_MAX 65 /* with the NUL */
_Static_assert(sizeof(((struct request *)0)->word) == SUBMIT_ID_MAX, "a word holds an id");

/* What a dry run keeps while it asks for the speed of earlier runs. */
struct dry_run {
    struct search_outline outline;
    int64_t treatments; /* at most */
    int64_t repeats;    /* at least, where every configuration will have been tried */
    int64_t finalists;  /* the last runs */
    struct estimate estimate;
    struct record_prepared data;
    char held[512]; /* why it would wait for a person; "": it would not */
};

/* What waits for the worker. The request is known by its id: the client may go meanwhile, and
 * then nothing is submitted. */
struct pending {
    struct daemon *daemon;
    uint64_t request_id;
    struct spec spec;
    utc_us deadline;            /* what `until` is; 0: it is not said */
    char id[SUBMIT_ID_MAX];     /* of the client's choice; "": none */
    struct treat_submit *treat; /* the run it begins with; NULL: the search's own; owned */
    struct record_prepared *prepared; /* while earlier sweeps are read; owned */
    struct remedy_prior known;  /* what earlier sweeps taught, for one that treats its runs */
};

static void pending_destroy(struct pending *s)
{
    spec_finish(&s->spec);
    remedy_prior_finish(&s->known);
    free(s->prepared);
    free(s->treat);
    free(s);
}

/* --- dry run -------------------------------------------------------------------------------- */

static double seconds_per_flop(const struct table *t)
{
    struct run_rate rates[ESTIMATE_RATES_MAX];
    size_t n = 0;
    for (; n < t->rows && n < ESTIMATE_RATES_MAX; n++)
        rates[n] =
            (struct run_rate){.seconds = table_number(t, n, "seconds"),
                              .flop = table_number(t, n, "epochs") * table_number(t, n, "samples") *
                                      table_number(t, n, "flop")};
    return estimate_seconds_per_flop(rates, n);
}

static void write_stage(struct json_writer *w, const char *stage, int64_t runs, const char *what)
{
    if (runs <= 0)
        return;
    jw_begin_object(w);
    jw_kv_string(w, "stage", stage);
    jw_kv_int(w, "runs", runs);
    jw_kv_string(w, "what", what);
    jw_end_object(w);
}

static void answer_plan(struct request *r, const struct table *rates)
{
    const struct dry_run *p = r->extra;
    struct json_writer *w = &r->w;
    int64_t runs = p->treatments + p->repeats + p->finalists;
    jw_begin_object(w);
    jw_key(w, "stages");
    jw_begin_array(w);
    for (size_t i = 0; i < p->outline.count; i++) {
        write_stage(w, p->outline.stages[i].stage, p->outline.stages[i].runs,
                    p->outline.stages[i].what);
        runs += p->outline.stages[i].runs;
    }
    write_stage(w, "treatments", p->treatments,
                "of sick runs among the best, after each stage; what they do not "
                "need goes to the search");
    write_stage(w, "repeats", p->repeats,
                "of these configurations, each with a seed of its own (\"repeat\": false ends the "
                "sweep instead)");
    write_stage(w, STAGE_FINALISTS, p->finalists,
                "other seeds of the best few (repeat_share), of many some along the way; the "
                "winner is the best mean");
    jw_end_array(w);
    jw_kv_int(w, "runs", runs);
    jw_kv_real(w, "estimated_seconds",
               estimate_seconds(&p->estimate, seconds_per_flop(rates), runs,
                                engine_workers(r->daemon->engine)));
    data_read_write(&p->data, p->held[0] ? p->held : NULL, w);
    jw_end_object(w);
    request_result_built(r);
}

static int64_t count_repeats(const struct spec *spec, const struct dry_run *p)
{
    int64_t runs = p->treatments + p->finalists;
    for (size_t i = 0; i < p->outline.count; i++)
        runs += p->outline.stages[i].runs;
    return spec->repeat ? spec->run_cap - runs : 0;
}

static void plan(struct request *r, const struct spec *spec, const struct record_prepared *data)
{
    struct dry_run *p = xcalloc(1, sizeof(*p));
    struct study st;
    study_init(&st, spec);
    search_method(spec->method)->outline(&st, &p->outline);
    p->treatments = spec_treat_cap(spec);
    p->finalists = spec_repeat_cap(spec);
    p->repeats = count_repeats(spec, p);
    estimate_init(&p->estimate, spec, data);
    p->data = *data;
    char *held = data_read_hold(spec, data);
    str_copy(p->held, sizeof(p->held), held ? held : "");
    free(held);
    r->extra = p;
    request_query(r, STORE_QUERY_RUN_RATES, NULL, 0, answer_plan);
}

/* --- submit --------------------------------------------------------------------------------- */

/* What only the prepared data can tell. */
static int check_samples(const struct spec *spec, const struct record_prepared *p,
                         struct errbuf *err)
{
    char given[32];
    double low, high;
    spec_setting_range(spec, SETTING_VALIDATION, &low, &high);
    if (!task_of(spec)->needs_data || p->validation_samples > 0 || high < (double)p->samples)
        return 0; /* spec_parse has compared it with limit */
    snprintf(given, sizeof(given), "%.0f", high);
    return err_bad(err, ERR_VALUE, "$.data.validation", given, "fewer than the %" PRId64 " samples",
                   p->samples);
}

/* A treatment is held against its parent: both see the same data. */
static int check_same(const struct pending *s, const struct record_prepared *p, struct errbuf *err)
{
    if (s->treat == NULL || s->treat->data_hash[0] == '\0' ||
        strcmp(s->treat->data_hash, p->hash) == 0)
        return 0;
    return err_set(err, ERR_DATA, "the data has changed since run %" PRId64 " was trained",
                   s->treat->run.parent_id);
}

/* All is known. */
static void finish(struct pending *s, struct request *r, const struct record_prepared *prepared,
                   const char *warm)
{
    struct daemon *d = s->daemon;
    struct submission in = {.spec = &s->spec,
                            .prepared = prepared,
                            .known = &s->known,
                            .warm = warm,
                            .deadline = s->deadline,
                            .id = s->id[0] ? s->id : NULL,
                            .first = s->treat ? &s->treat->run : NULL};
    if (r->arg[DRY_RUN_PARAM])
        plan(r, &s->spec, prepared);
    else
        engine_submit(d->engine, &in, request_token(r), loop_now(), loop_effects(&d->loop));
    pending_destroy(s);
}

static void on_warm(void *arg, const char *text, const struct errbuf *failed)
{
    struct pending *s = arg;
    struct request *r = request_find(s->daemon->requests, s->request_id);
    if (r && text) {
        warm_start_say(r, text, &s->spec.space);
        finish(s, r, s->prepared, text);
        return;
    }
    if (r)
        request_error(r, failed);
    pending_destroy(s);
}

static void on_prepared(void *arg, const struct record_prepared *prepared,
                        const struct errbuf *failed)
{
    struct pending *s = arg;
    struct request *r = request_find(s->daemon->requests, s->request_id);
    struct errbuf err;
    bool bad = prepared && (check_samples(&s->spec, prepared, &err) < 0 ||
                            check_same(s, prepared, &err) < 0);
    if (r && prepared && !bad && s->spec.warm_count > 0) {
        s->prepared = xmalloc(sizeof(*prepared));
        *s->prepared = *prepared;
        warm_start_read(s->daemon, &s->spec, prepared->hash, on_warm, s);
        return;
    }
    if (r && prepared && !bad) {
        finish(s, r, prepared, NULL);
        return;
    }
    if (r)
        request_error(r, prepared ? &err : failed);
    pending_destroy(s);
}

static bool is_client_there(void *arg)
{
    const struct pending *s = arg;
    return request_find(s->daemon->requests, s->request_id) != NULL;
}

/* A task without data of its own has nothing to prepare. */
static void prepare_task(struct pending *s)
{
    struct record_prepared *none;
    if (task_of(&s->spec)->needs_data) {
        const struct prepare_client client = {on_prepared, is_client_there, s};
        prepare_data(s->daemon->prepare, &s->spec, &client);
        return;
    }
    none = xcalloc(1, sizeof(*none));
    on_prepared(s, none, NULL);
    free(none);
}

/* --- what earlier sweeps taught ------------------------------------------------------------- */

static void on_known(void *arg, const struct table *t, const struct errbuf *failed)
{
    struct pending *s = arg;
    struct daemon *d = s->daemon;
    struct request *r = request_find(d->requests, s->request_id);
    if (r && t) {
        known_remedies_read(t, &s->known);
        prepare_task(s);
        return;
    }
    if (r)
        request_error(r, failed);
    pending_destroy(s);
}

static void prepare(struct pending *s)
{
    struct daemon *d = s->daemon;
    if (s->spec.treat)
        store_query(d->store, &(struct store_named_query){.id = STORE_QUERY_REMEDY_EFFECTS},
                    on_known, s);
    else
        prepare_task(s);
}

/* --- start_from ----------------------------------------------------------------------------- */

/* Has the run in row 0 ended, and kept its weights? */
static bool has_weights(const struct daemon *d, int64_t run_id, const struct table *t)
{
    char path[PATHS_MAX];
    const struct cell *status = t->rows > 0 ? table_cell(t, 0, "status") : NULL;
    return status && status->type == CELL_TEXT &&
           run_status_terminal((enum run_status)run_status_find(status->text)) &&
           paths_run_file(path, sizeof(path), d->runs_dir, run_id, RUN_FILE_WEIGHTS) &&
           access(path, R_OK) == 0;
}

static void on_start_run(void *arg, const struct table *t, const struct errbuf *failed)
{
    struct pending *s = arg;
    struct daemon *d = s->daemon;
    struct request *r = request_find(d->requests, s->request_id);
    struct errbuf err;
    char given[32];
    if (r && t && has_weights(d, s->spec.trainer.start_from, t)) {
        prepare(s);
        return;
    }
    if (r && !t) {
        request_error(r, failed);
    } else if (r) {
        snprintf(given, sizeof(given), "%" PRId64, s->spec.trainer.start_from);
        err_bad(&err, ERR_VALUE, "$.start_from", given,
                "the id of a run that has ended and kept its weights: one of the best three of "
                "its sweep, or of its front (`sweepctl replay RUN -o FILE` trains them again where "
                "they are gone; FILE is best.safetensors in the run's folder)");
        request_error(r, &err);
    }
    pending_destroy(s);
}

static void begin(struct pending *s)
{
    const struct store_named_query start = {
        .id = STORE_QUERY_RUN, .args = &s->spec.trainer.start_from, .count = 1};
    if (s->spec.trainer.start_from)
        store_query(s->daemon->store, &start, on_start_run, s);
    else
        prepare(s);
}

/* --- the same again --------------------------------------------------------------------------- */

/* Of a sweep that has ended: the engine knows those that are open. */
static int compare_stored(const struct table *t, const struct spec *given, struct errbuf *err)
{
    struct errbuf why;
    struct spec stored;
    const char *text = table_text(t, 0, "spec", "");
    if (spec_parse_text(text, strlen(text), &stored, &why) < 0)
        return err_set(err, ERR_DATA, "the sweep of this id cannot be read: %s", why.message);
    int rc = spec_compare(&stored, given, err);
    spec_finish(&stored);
    return rc;
}

static void answer_existing(struct request *r, const struct table *t, const struct spec *given)
{
    struct errbuf err;
    if (compare_stored(t, given, &err) < 0) {
        request_error(r, &err);
        return;
    }
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", table_cell(t, 0, "id")->integer);
    jw_kv_bool(&r->w, "existing", true);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void on_submitted(void *arg, const struct table *t, const struct errbuf *failed)
{
    struct pending *s = arg;
    struct request *r = request_find(s->daemon->requests, s->request_id);
    if (r && t && t->rows == 0) {
        begin(s);
        return;
    }
    if (r && t)
        answer_existing(r, t, &s->spec);
    else if (r)
        request_error(r, failed);
    pending_destroy(s);
}

struct same_id {
    const struct request *own;
    bool found;
};

static void find_same(struct request *r, void *arg)
{
    struct same_id *same = arg;
    same->found |= r != same->own && strcmp(r->word, same->own->word) == 0;
}

/* One of an id at a time: what is not a sweep yet is known to nobody else. One whose client went
 * away is not among the requests any more, and becomes none. */
static void find_submitted(struct request *r, struct pending *s)
{
    struct daemon *d = s->daemon;
    struct same_id same = {.own = r};
    const struct store_named_query q = {.id = STORE_QUERY_SUBMITTED, .text = s->id};
    if (engine_submit_again(d->engine, s->id, &s->spec, request_token(r), loop_effects(&d->loop))) {
        pending_destroy(s);
        return;
    }
    request_waits_for_commit(r, false);
    requests_each(d->requests, r->command, find_same, &same);
    if (!same.found) {
        store_query(d->store, &q, on_submitted, s);
        return;
    }
    request_refuse(r, ERR_BUSY,
                   "a submit with the id %s is under way: ask again when it has been "
                   "answered",
                   s->id);
    pending_destroy(s);
}

/* The time of the day is that of the request, however long the data takes. */
static void fix_deadline(struct request *r, struct pending *s)
{
    char sentence[256];
    if (!s->spec.has_until)
        return;
    s->deadline = until_next(s->spec.until, loop_now());
    until_sentence(s->spec.until, s->deadline, sentence, sizeof(sentence));
    request_note(r, sentence);
}

void submit_spec(struct request *r, struct spec *spec, struct treat_submit *treat)
{
    struct errbuf err;
    struct study st;
    struct pending *s = xcalloc(1, sizeof(*s));
    s->daemon = r->daemon;
    s->request_id = r->id;
    s->spec = *spec;
    s->treat = treat;
    fix_deadline(r, s);
    if (!treat && !r->arg[DRY_RUN_PARAM])
        str_copy(s->id, sizeof(s->id), r->word);
    study_init(&st, &s->spec);
    if (search_method(s->spec.method)->check(&st, &err) < 0 ||
        engine_check_resources(r->daemon->engine, &s->spec, &err) < 0) {
        pending_destroy(s);
        request_error(r, &err);
    } else if (s->id[0]) {
        find_submitted(r, s);
    } else {
        begin(s);
    }
}

/* The daemon makes such sweeps itself. */
static void refuse_inner(struct request *r, struct spec *spec)
{
    struct errbuf err;
    err_bad(&err, ERR_VALUE, "$.method", method_name(spec->method),
            "a search method: the daemon alone makes such sweeps");
    spec_finish(spec);
    request_error(r, &err);
}

/* All that is wrong with it at once. */
static void refuse_spec(struct request *r)
{
    struct errbuf *err = xcalloc(SPEC_PROBLEMS_MAX, sizeof(*err));
    size_t count = spec_problems(r->object, err, SPEC_PROBLEMS_MAX);
    request_errors(r, err, count);
    free(err);
}

static void question(struct request *r, struct spec *spec, const struct errbuf *err)
{
    spec_finish(spec);
    request_error(r, err);
}

static void take_note(void *arg, const char *sentence)
{
    request_note(arg, sentence);
}

static void accept(struct request *r, struct spec *spec)
{
    spec_notes(r->object, spec, take_note, r);
    submit_spec(r, spec, NULL);
}

static void run(struct request *r)
{
    struct errbuf err;
    struct spec spec;
    if (r->daemon->stopping)
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: submit after its restart");
    else if (r->given[ID_PARAM] && !r->word[0])
        request_refuse(r, ERR_VALUE, "$.id: got \"\"; allowed: 1 to %d bytes", SUBMIT_ID_MAX - 1);
    else if (spec_parse(r->object, &spec, &err) < 0)
        refuse_spec(r);
    else if (spec_question(r->object, &spec, &err) < 0)
        question(r, &spec, &err);
    else if (method_traits(spec.method) & METHOD_INNER)
        refuse_inner(r, &spec);
    else
        accept(r, &spec);
}

const struct command command_submit = {
    .name = "submit",
    .lasting = true,
    .params = {{"spec", PARAM_OBJECT, true, 0, 0, 0},
               {"dry_run", PARAM_SWITCH, false, 0, 1, 0},
               {"id", PARAM_WORD, false, 0, 0, 0}},
    .run = run,
};
