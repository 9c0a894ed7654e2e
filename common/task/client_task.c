/* The task `client`: runs that somebody else carries out, who asks for a configuration, reports
 * what it comes to, and tells how it ended (docs/protocol.md). */
#include "common/base/field.h"
#include "common/task/free_parameters.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

static int parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char *const keys[] = {"client"};
    const struct json *task = json_get(root, "task"), *own = json_get(task, "client");
    int rc = free_refuse_trainers(root, "client", err);

    (void)s;
    if (!rc)
        rc = field_object(task, "$.task", keys, ARRAY_LEN(keys), err);
    if (!rc && (json_type(own) != JSON_OBJECT || json_count(own) > 0))
        rc = field_refuse(err, ERR_VALUE, "$.task.client", own, "{}: there is nothing to set");
    return rc;
}

static void write(const struct spec *s, struct json_writer *w)
{
    (void)s;
    jw_key(w, "task");
    jw_begin_object(w);
    jw_key(w, "client");
    jw_begin_object(w);
    jw_end_object(w);
    jw_end_object(w);
}

/* No worker of ours ever reads it. */
static void configure(const struct spec *s, const struct run_setup *r, struct json_writer *w)
{
    (void)s;
    (void)r;
    (void)w;
    REQUIRE(!"a leased run has no worker");
}

const struct task_kind task_client = {
    .name = "client",
    .has_checkpoints = true,
    .is_leased = true,
    .parse = parse,
    .bind = free_bind,
    .read_value = free_read_value,
    .fix = free_fix,
    .check = free_check,
    .write = write,
    .configure = configure,
};
