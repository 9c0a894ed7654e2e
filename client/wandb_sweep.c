#include "client/wandb_sweep.h"

#include <math.h>
#include <string.h>

#include "client/wandb_command.h"
#include "client/wandb_note.h"
#include "client/wandb_values.h"
#include "sweep/require.h"
#include "sweep/setting.h"
#include "sweep/spec.h"

#define RUN_CAP 50 /* where the file says none: W&B's agents would go on for ever */

struct conversion {
    const struct json *spec;
    const struct buf *text; /* that it was read from */
    struct buf *out;
    size_t line; /* of the text: the output is as far */
    struct json_writer w;
    struct buf *notes;
    struct errbuf *err;
};

bool wandb_sweep_is(const struct json *spec)
{
    static const char *const keys[] = {"program", "command", "job", "image_uri", "scheduler"};
    bool any = false;
    if (json_type(spec) != JSON_OBJECT || json_get(spec, "task") != NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        any |= json_get(spec, keys[i]) != NULL;
    return any;
}

/* What is wrong with a value is said with its line: it stays on it. */
static void keep_line(struct conversion *c, const struct json *v)
{
    struct json_place at;
    if (!json_place(c->text->data, c->text->len, c->spec, v, &at))
        return;
    for (; c->line < at.line; c->line++)
        buf_putc(c->out, '\n');
}

/* --- the task --------------------------------------------------------------------------------- */

static int put_task(struct conversion *c)
{
    jw_key(&c->w, "task");
    jw_begin_object(&c->w);
    jw_key(&c->w, "command");
    int rc = wandb_put_command(c->spec, &c->w, c->notes, c->err);
    jw_kv_bool(&c->w, "python_values", true);
    if (wandb_is_nested(json_get(c->spec, "parameters"))) {
        jw_kv_bool(&c->w, "nested_params", true);
        wandb_note(c->notes,
                   "parameters: nested ones are called by all their keys on the command line "
                   "(--a.b=1); in JSON and wandb.config they are objects");
    }
    wandb_put_literals(json_get(c->spec, "parameters"), &c->w);
    jw_end_object(&c->w);
    return rc;
}

/* --- what has another name, or another default ------------------------------------------------ */

static const char *text_of(const struct json *object, const char *key)
{
    const struct json *v = object != NULL && json_type(object) == JSON_OBJECT
                               ? json_get(object, key)
                               : NULL;
    return v != NULL && json_type(v) == JSON_STRING ? json_string(v) : "";
}

/* Theirs, or the library whose search is asked for, and ours that does the same kind of thing. */
static int put_method(struct conversion *c, const struct json *v)
{
    static const struct {
        const char *theirs, *ours, *what;
    } likes[] = {
        {"bayes", "tpe", "which learns from what the runs came to, too"},
        {"optuna", "tpe", "Optuna's usual search"},
        {"ax", "gp", "a Gaussian process, too"},
    };
    const char *method = text_of(c->spec, "method");
    if (strcmp(method, "custom") == 0)
        method = text_of(json_get(c->spec, "scheduler"), "engine");
    for (size_t i = 0; i < ARRAY_LEN(likes); i++) {
        if (strcmp(method, likes[i].theirs) != 0)
            continue;
        wandb_note(c->notes, "method %s is %s here, %s (method)", method, likes[i].ours,
                   likes[i].what);
        jw_kv_string(&c->w, "method", likes[i].ours);
        return 0;
    }
    if (strcmp(text_of(c->spec, "method"), "custom") == 0)
        return wandb_refuse(c->err, "$.method", v, "grid, random or bayes, or a method of ours");
    jw_key(&c->w, "method");
    jw_value(&c->w, v);
    return 0;
}

static void put_scheduler(struct conversion *c, const struct json *v)
{
    static const char *const keys[] = {"source", "optimizer", "search_space"};
    wandb_note(c->notes, "scheduler is not honoured: the daemon itself proposes runs (method)");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (text_of(v, keys[i])[0] != '\0')
            wandb_note(
                c->notes,
                "scheduler.%s is not honoured: no code of yours is asked; parameters say what "
                "is searched",
                keys[i]);
}

/* W&B's is what others call successive halving in one bracket. */
static void put_stop(struct conversion *c, const struct json *v)
{
    bool theirs = strcmp(text_of(v, "type"), "hyperband") == 0 && json_get(v, "brackets") == NULL;
    jw_key(&c->w, "early_terminate");
    if (!theirs) {
        jw_value(&c->w, v);
        return;
    }
    jw_begin_object(&c->w);
    for (const struct json *m = json_first(v); m != NULL; m = json_next(m)) {
        jw_key(&c->w, json_key(m));
        jw_value(&c->w, m);
    }
    jw_kv_int(&c->w, "brackets", 1);
    jw_end_object(&c->w);
}

/* key: metric, or metrics of those that are in a list. */
static int put_objective(struct conversion *c, const char *list, const struct json *v)
{
    static const struct {
        const char *key, *instead;
    } others[] = {{"target", "a sweep goes on to its run_cap"},
                  {"threshold", "no objective has a point from which on it counts"},
                  {"impute", "runs that fail count as the worst"},
                  {"impute_while_running", "runs that fail count as the worst"}};
    if (json_type(v) != JSON_OBJECT)
        return wandb_refuse(c->err, strcmp(list, "metric") == 0 ? "$.metric" : "$.metrics", v,
                            "an object: its name and goal");
    jw_begin_object(&c->w);
    for (const struct json *m = json_first(v); m != NULL; m = json_next(m)) {
        const char *instead = NULL;
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
            instead = strcmp(json_key(m), others[i].key) == 0 ? others[i].instead : instead;
        if (instead != NULL) {
            wandb_note(c->notes, "%s.%s is not honoured: %s", list, json_key(m), instead);
            continue;
        }
        jw_key(&c->w, json_key(m));
        jw_value(&c->w, m);
    }
    if (json_get(v, "goal") == NULL) {
        wandb_note(c->notes, "%s.goal is minimize, as W&B has it where nothing is said", list);
        jw_kv_string(&c->w, "goal", "minimize");
    }
    jw_end_object(&c->w);
    return 0;
}

static int put_metric(struct conversion *c, const struct json *v)
{
    jw_key(&c->w, "metric");
    return put_objective(c, "metric", v);
}

/* Several that a run is judged by at once. */
static int put_metrics(struct conversion *c, const struct json *v)
{
    int rc = 0;
    if (json_type(v) != JSON_ARRAY || json_get(c->spec, "metric") != NULL)
        return wandb_refuse(c->err, "$.metrics", v, "a list of metrics, and no metric beside it");
    jw_key(&c->w, "objectives");
    jw_begin_array(&c->w);
    for (const struct json *m = json_first(v); m != NULL && rc == 0; m = json_next(m))
        rc = put_objective(c, "metrics", m);
    jw_end_array(&c->w);
    return rc;
}

/* --- parameters ------------------------------------------------------------------------------ */

static void put_parameters(struct conversion *c, const struct json *parameters);

static void put_parameter_member(struct conversion *c, const struct json *m)
{
    keep_line(c, m);
    jw_key(&c->w, json_key(m));
    if (strcmp(json_key(m), "parameters") == 0 && json_type(m) == JSON_OBJECT)
        put_parameters(c, m);
    else if (wandb_is_put_as_text(m))
        wandb_put_as_text(m, &c->w);
    else
        jw_value(&c->w, m);
}

static void put_parameters(struct conversion *c, const struct json *parameters)
{
    jw_begin_object(&c->w);
    for (const struct json *p = json_first(parameters); p != NULL; p = json_next(p)) {
        keep_line(c, p);
        jw_key(&c->w, json_key(p));
        if (json_type(p) != JSON_OBJECT) {
            jw_value(&c->w, p);
            continue;
        }
        jw_begin_object(&c->w);
        for (const struct json *m = json_first(p); m != NULL; m = json_next(m))
            put_parameter_member(c, m);
        jw_end_object(&c->w);
    }
    jw_end_object(&c->w);
}

/* --- the file -------------------------------------------------------------------------------- */

static bool is_served_elsewhere(const char *key)
{
    static const char *const keys[] = {"apiVersion", "project",  "entity",        "description",
                                       "controller", "job",      "image_uri",     "resource",
                                       "launch",     "queue",    "resource_args", "settings",
                                       "prior_runs", "displayName", "tags",       "template",
                                       "git",        "metric_constraints"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Nearly a key that the file has not got, of such a value? */
static bool is_misspelt(const struct conversion *c, const struct json *m)
{
    static const struct {
        const char *key;
        enum json_type type;
    } theirs[] = {{"program", JSON_STRING},  {"command", JSON_ARRAY},
                  {"method", JSON_STRING},   {"metric", JSON_OBJECT},
                  {"project", JSON_STRING},  {"description", JSON_STRING},
                  {"run_cap", JSON_NUMBER},  {"parameters", JSON_OBJECT},
                  {"early_terminate", JSON_OBJECT}};
    for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
        if (json_type(m) == theirs[i].type && json_get(c->spec, theirs[i].key) == NULL &&
            err_nearest(json_key(m), &theirs[i].key, 1) != NULL)
            return true;
    return false;
}

/* People keep what they give by aliases under keys of their own. */
static bool is_of_ones_own(const struct conversion *c, const struct json *m)
{
    const char *nearest;
    if (spec_key_known(json_key(m), &nearest) || is_misspelt(c, m))
        return false;
    return (nearest == NULL || json_get(c->spec, nearest) != NULL) && setting_find(json_key(m)) < 0;
}

static int put_member(struct conversion *c, const struct json *m)
{
    const char *key = json_key(m);
    const char *ours = json_get(c->spec, "command") != NULL ? "command" : "program";
    keep_line(c, m);
    if (strcmp(key, ours) == 0)
        return put_task(c);
    if (strcmp(key, "program") == 0 || strcmp(key, "$schema") == 0)
        return 0;
    if (strcmp(key, "method") == 0)
        return put_method(c, m);
    if (strcmp(key, "metric") == 0)
        return put_metric(c, m);
    if (strcmp(key, "metrics") == 0)
        return put_metrics(c, m);
    if (strcmp(key, "kind") == 0)
        return json_type(m) == JSON_STRING && strcmp(json_string(m), "sweep") == 0
                   ? 0
                   : wandb_refuse(c->err, "$.kind", m, "sweep");
    if (strcmp(key, "scheduler") == 0) {
        put_scheduler(c, m);
        return 0;
    }
    if (strcmp(key, "parameters") == 0 && json_type(m) == JSON_OBJECT) {
        jw_key(&c->w, key);
        put_parameters(c, m);
        return 0;
    }
    if (strcmp(key, "early_terminate") == 0) {
        put_stop(c, m);
        return 0;
    }
    if (is_served_elsewhere(key)) {
        wandb_note(c->notes, "%s is not honoured: it is for W&B's own service", key);
        return 0;
    }
    if (is_of_ones_own(c, m)) {
        wandb_note(c->notes, "%s is passed over: it is no key of a sweep", key);
        return 0;
    }
    jw_key(&c->w, key);
    jw_value(&c->w, m);
    return 0;
}

/* --- what W&B does not say -------------------------------------------------------------------- */

static double number_of(const struct json *object, const char *key, double fallback)
{
    const struct json *v = object != NULL ? json_get(object, key) : NULL;
    return v != NULL && json_type(v) == JSON_NUMBER ? json_number(v) : fallback;
}

/* How far a run goes: what its parameter says, else what its rungs need. */
static double horizon(const struct conversion *c)
{
    static const char *const names[] = {"epochs", "num_epochs", "n_epochs", "max_epochs",
                                        "num_train_epochs"};
    const struct json *parameters = json_get(c->spec, "parameters");
    const struct json *stop = json_get(c->spec, "early_terminate");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct json *p = parameters ? json_get(parameters, names[i]) : NULL;
        double n = p && json_type(p) == JSON_OBJECT ? number_of(p, "value", 0) : 0;
        if (n >= 1 && n == floor(n))
            return n;
    }
    double most = number_of(stop, "max_iter", 0), least = number_of(stop, "min_iter", 1);
    double eta = number_of(stop, "eta", 3);
    return most > 0 ? most : floor(least * eta * eta * eta + 0.5);
}

static void put_epochs(struct conversion *c)
{
    if (json_get(c->spec, "early_terminate") == NULL)
        return;
    wandb_note(
        c->notes,
        "a run that is promoted begins anew, up to its next rung, unless the program goes on "
        "from SWEEPD_RESUME_FROM (task.can_resume)");
    if (json_get(c->spec, "epochs") != NULL)
        return;
    double epochs = horizon(c);
    if (!(epochs >= 1) || epochs > 1e6)
        return; /* the daemon says what is wrong */
    jw_kv_int(&c->w, "epochs", (int64_t)epochs);
    wandb_note(c->notes,
               "early_terminate needs to know how far a run goes: %.0f iterations (epochs)",
               epochs);
}

static void put_run_cap(struct conversion *c)
{
    const struct json *method = json_get(c->spec, "method");
    bool grid = method != NULL && json_type(method) == JSON_STRING &&
                strcmp(json_string(method), "grid") == 0;
    if (grid || json_get(c->spec, "run_cap") != NULL)
        return;
    jw_kv_int(&c->w, "run_cap", RUN_CAP);
    wandb_note(c->notes, "the file says no number of runs: %d (run_cap)", RUN_CAP);
}

static bool lacks_metric(const struct json *spec)
{
    return json_get(spec, "metric") == NULL && json_get(spec, "metrics") == NULL;
}

/* Goes by what the runs come to; grid and random draw without. */
static bool learns(const struct json *spec)
{
    const char *method = text_of(spec, "method");
    bool blind = strcmp(method, "grid") == 0 || strcmp(method, "random") == 0;
    return !blind || json_get(spec, "early_terminate") != NULL;
}

static void put_usual_metric(struct conversion *c)
{
    jw_key(&c->w, "metric");
    jw_begin_object(&c->w);
    jw_kv_string(&c->w, "name", "val_loss");
    jw_kv_string(&c->w, "goal", "minimize");
    jw_end_object(&c->w);
    wandb_note(
        c->notes,
        "the file names no metric: val_loss, minimize, by whatever name it is called (metric)");
}

int wandb_sweep_convert(const struct json *spec, const struct buf *text, struct buf *out,
                        struct buf *notes, struct errbuf *err)
{
    struct conversion c = {
        .spec = spec, .text = text, .out = out, .line = 1, .notes = notes, .err = err};
    int rc = 0;
    if (lacks_metric(spec) && learns(spec))
        return wandb_refuse(c.err, "$.metric", NULL,
                            "{\"name\": …, \"goal\": …}: what the program reports, "
                            "and runs are ranked by");
    jw_init(&c.w, out);
    jw_begin_object(&c.w);
    for (const struct json *m = json_first(spec); m != NULL && rc == 0; m = json_next(m))
        rc = put_member(&c, m);
    if (rc == 0 && json_get(spec, "command") == NULL && json_get(spec, "program") == NULL)
        rc = put_task(&c);
    if (lacks_metric(spec))
        put_usual_metric(&c);
    put_epochs(&c);
    put_run_cap(&c);
    jw_end_object(&c.w);
    return rc;
}
