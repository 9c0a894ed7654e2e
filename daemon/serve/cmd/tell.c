/* How a run has ended, by the client that carried it out. */
#include <stdlib.h>
#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/metrics.h"
#include "sweep/objective.h"
#include "sweep/record.h"

enum { RUN_PARAM, LEASE_PARAM, RESULT_PARAM };

static int read_status(const struct json *v, struct record_result *out, struct errbuf *err)
{
    const char *status = v ? (json_type(v) == JSON_STRING ? json_string(v) : "") : "completed";
    int found = run_status_find(status);
    if (found != RUN_COMPLETED && found != RUN_FAILED)
        return err_bad(err, ERR_VALUE, "$.result.status", status, "completed, failed");
    out->status = (enum run_status)found;
    return 0;
}

/* Why it failed: a class that is the run's own doing, and is not tried again. */
static int read_error(const struct json *v, struct record_result *out, struct errbuf *err)
{
    const char *name = v && json_type(v) == JSON_STRING ? json_string(v) : "";
    int found = v ? run_error_find(name) : RUN_ERROR_EXITED;
    out->error = out->status == RUN_FAILED ? (enum run_error)found : RUN_ERROR_NONE;
    if (out->status == RUN_COMPLETED && v == NULL)
        return 0;
    if (out->status == RUN_FAILED && found > RUN_ERROR_NONE && found != RUN_ERROR_KILLED_BY_USER &&
        run_error_attempts((enum run_error)found) == 1)
        return 0;
    return err_bad(err, ERR_VALUE, "$.result.error", name,
                   "with \"status\": \"failed\" one of config_error, data_error, worker_crash, "
                   "exited, out_of_memory, timeout, not_a_number");
}

/* {"val_loss": 0.41, "latency": 12}, or [0.41, 12] in the order of the sweep's objectives. */
static int read_values(const struct json *v, struct point_metrics **out, struct errbuf *err)
{
    static const char path[] = "$.result.values";
    struct point at = {0};
    if (v == NULL)
        return 0;
    bool list = json_type(v) == JSON_ARRAY;
    if (json_type(v) == JSON_OBJECT && json_count(v) > 0)
        return metrics_parse(v, &at, out, err);
    if (!list || json_count(v) == 0 || json_count(v) > OBJECTIVES_MAX)
        return err_bad(err, ERR_TYPE, path, json_type_name(json_type(v)),
                       "an object, {\"val_loss\": 0.41, \"latency\": 12}, or up to %d numbers "
                       "in the order of the objectives", OBJECTIVES_MAX);
    *out = metrics_create(&at, json_count(v));
    size_t i = 0;
    for (const struct json *n = json_first(v); n != NULL; n = json_next(n))
        if (json_real(n, &(*out)->values[i++].value) < 0)
            return err_bad(err, ERR_TYPE, path, json_type_name(json_type(n)),
                           "a number, \"nan\", \"+inf\" or \"-inf\"");
    return 0;
}

static int read_result(const struct json *v, struct record_result *out, struct lease_told *told,
                       struct errbuf *err)
{
    static const char *const keys[] = {"status", "value", "values", "error", "text"};
    const struct json *value = json_get(v, "value"), *text = json_get(v, "text");
    for (const struct json *m = v ? json_first(v) : NULL; m; m = json_next(m)) {
        bool known = false;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            known |= strcmp(json_key(m), keys[i]) == 0;
        if (!known)
            return err_bad(err, ERR_KEY, "$.result", json_key(m),
                           "status, value, values, error, text");
    }
    int rc = read_status(json_get(v, "status"), out, err);
    if (rc == 0)
        rc = read_error(json_get(v, "error"), out, err);
    if (rc == 0 && value != NULL && json_real(value, &told->value) < 0)
        rc = err_bad(err, ERR_TYPE, "$.result.value", json_type_name(json_type(value)),
                     "a number, \"nan\", \"+inf\" or \"-inf\"");
    told->has_value = value != NULL;
    if (rc == 0 && text != NULL && json_type(text) != JSON_STRING)
        rc = err_bad(err, ERR_TYPE, "$.result.text", json_type_name(json_type(text)), "a string");
    if (rc == 0 && text != NULL)
        str_copy(out->text, sizeof(out->text), json_string(text));
    return rc;
}

static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    struct record_result result = {0};
    struct lease_told told = {.run_id = r->arg[RUN_PARAM], .lease = r->word, .result = &result};
    struct errbuf err = {0};
    struct point_metrics *values = NULL;
    const struct json *given = r->given[RESULT_PARAM] ? r->object : NULL;
    int rc = read_result(given, &result, &told, &err);
    if (rc == 0)
        rc = read_values(json_get(given, "values"), &values, &err);
    told.values = values;
    if (rc != 0)
        request_error(r, &err);
    else
        engine_tell(d->engine, &told, request_token(r), loop_now(), loop_effects(&d->loop));
    free(values);
}

const struct command command_tell = {
    .name = "tell",
    .params = {PARAM_RUN(true),
               {"lease", PARAM_WORD, true, 0, 0, 0},
               {"result", PARAM_OBJECT, false, 0, 0, 0}},
    .run = run,
};
