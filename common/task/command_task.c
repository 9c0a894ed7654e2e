/* The task `command`: a program of one's own, whose parameters have any names. */
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/task/free_parameters.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

/* --- reading a spec -------------------------------------------------------------------------- */

static int parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    struct command_task *t = xcalloc(1, sizeof(*t));
    int rc = free_refuse_trainers(root, "command", err);

    if (!rc)
        rc = command_task_parse(json_get(root, "task"), t, err);
    if (rc)
        free(t);
    else
        s->own = t;
    return rc;
}

static void finish(struct spec *s)
{
    if (!s->own)
        return;
    command_task_finish(s->own);
    free(s->own);
    s->own = NULL;
}

static int check(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct command_task *t = s->own;
    (void)root;
    return command_literals_check(t->literals, &s->space, err);
}

/* --- writing it ------------------------------------------------------------------------------ */

static void write(const struct spec *s, struct json_writer *w)
{
    jw_key(w, "task");
    command_task_write(s->own, w);
}

static void configure(const struct spec *s, const struct run_setup *r, struct json_writer *w)
{
    const char *text = r->params_json ? r->params_json : "{}";
    const struct command_task *t = s->own;
    struct command_config c;
    struct errbuf err;
    struct json *params = json_parse(text, strlen(text), &err);

    command_config_init(&c, t,
                        &(struct command_values){.params = params,
                                               .run_dir = r->run_dir,
                                               .manner = &t->manner,
                                               .literals = t->literals,
                                               .epochs = r->epochs,
                                               .seed = r->seed,
                                               .run_id = r->run_id});
    str_copy(c.metric, sizeof(c.metric), r->metric_name);
    c.maximize = s->maximize;
    c.run_id = r->run_id;
    c.sweep_id = r->sweep_id;
    c.until_epoch = r->until_epoch > 0 ? r->until_epoch : r->epochs;
    c.cpus = r->cpus;
    c.has_gpus = r->has_gpus;
    for (size_t i = 0; i < r->gpu_count; i++)
        command_words_add(&c.gpus, xstrdup(r->gpus[i]));
    command_config_write(&c, w);
    command_config_finish(&c);
    json_destroy(params);
}

static bool begins_anew(const struct spec *s)
{
    const struct command_task *t = s->own;
    return !t->manner.can_resume;
}

const struct task_kind task_command = {
    .name = "command",
    .has_checkpoints = true,
    .begins_anew = begins_anew,
    .has_environment = true,
    .parse = parse,
    .bind = free_bind,
    .read_value = free_read_value,
    .fix = free_fix,
    .check = check,
    .write = write,
    .finish = finish,
    .configure = configure,
};
