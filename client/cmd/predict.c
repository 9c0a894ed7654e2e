/* Answers of a run's network for new rows, by a worker beside the daemon's. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/kept.h"
#include "client/new_file.h"
#include "client/worker.h"
#include "sweep/paths.h"
#include "sweep/record.h"
#include "sweep/run.h"
#include "sweep/run_config.h"

static const char *output(const struct client *c)
{
    return c->opts.text[OPTION_OUTPUT];
}

static int refuse(struct client *c, int code, const char *what, const char *why)
{
    struct errbuf err;
    err_set(&err, code, "%s: %s", what, why);
    return client_fail(c, CLIENT_REFUSED, &err);
}

/* The run's configuration, its weights and the file. */
static int read_config(struct client *c, const struct json *reply, const char *weights,
                       struct run_config *config)
{
    struct errbuf err;
    const char *file = c->opts.values[0], *folder = member_string(reply, "folder", NULL);
    char *absolute = realpath(file, NULL);
    if (absolute == NULL)
        return refuse(c, ERR_IO, file, strerror(errno));
    char *path = xasprintf("%s/%s", folder, run_file_name(RUN_FILE_CONFIG));
    int rc = run_config_read(path, config, &err);
    if (rc == 0 && (strlen(absolute) >= SPEC_PATH_MAX || strlen(weights) >= SPEC_PATH_MAX))
        rc = err_set(&err, ERR_LIMIT, "%s: a path of more than %d bytes", file, SPEC_PATH_MAX - 1);
    if (rc == 0) {
        config->weights[0] = config->checkpoint[0] = '\0';
        config->has_weights_floor = false;
        str_copy(config->start_weights, sizeof config->start_weights, weights);
        str_copy(config->predict, sizeof config->predict, absolute);
    }
    free(path);
    free(absolute);
    return rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
}

/* The worker's error line, in its own words. */
static int refused(struct client *c, const struct buf *said, struct worker *w)
{
    struct record line = {0};
    struct errbuf err;
    const char *end = said->len > 0 ? memchr(said->data, '\n', said->len) : NULL;
    bool told = end != NULL && record_parse(said->data, (size_t)(end - said->data), &line,
                                            NULL) == 0;
    if (told && line.type == RECORD_ERROR)
        err = line.u.error;
    else
        worker_explain(w, ERR_IO, &err);
    if (told)
        record_finish(&line);
    return client_fail(c, CLIENT_REFUSED, &err);
}

static size_t count_rows(const struct buf *csv)
{
    size_t lines = 0;
    bool quoted = false;
    for (size_t i = 0; i < csv->len; i++) {
        quoted ^= csv->data[i] == '"';
        lines += csv->data[i] == '\n' && !quoted;
    }
    return lines > 0 ? lines - 1 : 0;
}

static void print_json(struct client *c, const struct buf *csv)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", c->opts.id);
    jw_kv_int(&w, "rows", (int64_t)count_rows(csv));
    jw_kv_string(&w, "file", output(c));
    if (output(c) == NULL)
        jw_kv_string(&w, "csv", csv->data);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

/* A pipe gets the bytes as they are; a terminal must not obey the names of classes. */
static void print_csv(struct client *c, const struct buf *csv)
{
    struct buf text = {0};
    if (c->terminal)
        render_text(&text, csv->data, true);
    else
        buf_append(&text, csv->data, csv->len);
    client_print(c, &text);
}

static int give(struct client *c, const struct buf *csv)
{
    struct errbuf err;
    struct new_file file = {0};
    if (output(c) != NULL) {
        new_file_init(&file, output(c), opts_has(&c->opts, OPTION_FORCE));
        int rc = new_file_write(&file, csv->data, csv->len, &err);
        if (rc == 0)
            rc = new_file_commit(&file, &err);
        new_file_abandon(&file);
        if (rc != 0)
            return client_fail(c, CLIENT_REFUSED, &err);
    }
    if (c->json)
        print_json(c, csv);
    else if (output(c) == NULL)
        print_csv(c, csv);
    else
        fprintf(c->out, "run %lld: answers for %zu rows in %s\n", (long long)c->opts.id,
                count_rows(csv), output(c));
    return CLIENT_DONE;
}

static int ask_worker(struct client *c, const char *program, const struct run_config *config,
                      const char *core_type)
{
    struct worker w;
    struct buf csv = {0};
    struct errbuf err;
    if (worker_start(&w, program, config, core_type, &err) != 0)
        return client_fail(c, CLIENT_REFUSED, &err);
    int ended = worker_read_all(&w, &csv, &err), status;
    if (ended < 0)
        status = client_fail(c, CLIENT_REFUSED, &err);
    else
        status = ended == 0 ? give(c, &csv) : refused(c, &csv, &w);
    worker_finish(&w);
    buf_finish(&csv);
    return status;
}

static int ask_as_daemon(struct client *c, const struct run_config *config)
{
    struct client_trainer t;
    int status = client_ask_trainer(c, &t);
    if (status != CLIENT_DONE)
        return status;
    status = ask_worker(c, t.program, config, t.core);
    rpc_reply_finish(&t.reply);
    return status;
}

int cmd_predict(struct client *c)
{
    struct rpc_reply reply;
    const char *weights = NULL;
    if (c->opts.value_count != 1)
        return client_usage(c, "RUN FILE: the run, and one file of rows");
    int status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    struct run_config *config = xcalloc(1, sizeof *config);
    status = kept_weights(c, reply.result, &weights);
    if (status == CLIENT_DONE)
        status = read_config(c, reply.result, weights, config);
    if (status == CLIENT_DONE)
        status = ask_as_daemon(c, config);
    free(config);
    rpc_reply_finish(&reply);
    return status;
}
