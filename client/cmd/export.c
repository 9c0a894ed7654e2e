#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/new_file.h"
#include "client/report.h"
#include "client/torch_module.h"
#include "sweep/paths.h"
#include "sweep/run_config.h"
#include "sweep/weights_hash.h"

#define WEIGHTS_MAX ((size_t)8 << 30) /* bytes of a file */
#define HEADER_LENGTH_BYTES 8
#define HEADER_MAX ((uint64_t)16 << 20)
#define DIM_MAX ((int64_t)1 << 24)
#define BEST_RUNS 3 /* of a sweep keep their weights */

/* --- which runs have weights ---------------------------------------------------------------- */

/* Appends the number of the run, if it has weights. */
static int add_if_kept(struct client *c, int64_t run, struct buf *list)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "run", "run", run, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (member_string(reply.result, "weights", NULL) != NULL)
        buf_printf(list, "%s%lld", list->len > 0 ? ", " : "", (long long)run);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int not_kept(struct client *c, int64_t sweep)
{
    struct rpc_reply reply;
    struct errbuf err;
    struct buf list = {0};
    char *params = xasprintf("{\"sweep\":%lld,\"limit\":%d}", (long long)sweep, BEST_RUNS);
    int status = client_call(c, "best", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    const struct json *run = json_first(json_get(reply.result, "runs"));
    for (; run != NULL && status == CLIENT_DONE; run = json_next(run))
        status = add_if_kept(c, member_int(run, "run_id", 0), &list);
    rpc_reply_finish(&reply);
    if (status == CLIENT_DONE) {
        err_set(&err, ERR_NOT_FOUND,
                "run %lld has no weights: only the best %d runs of a sweep keep theirs; in sweep "
                "%lld: %s. `sweepctl replay %lld -o FILE` trains them again",
                (long long)c->opts.id, BEST_RUNS, (long long)sweep,
                list.len > 0 ? list.data : "none yet", (long long)c->opts.id);
        status = client_fail(c, CLIENT_REFUSED, &err);
    }
    buf_finish(&list);
    return status;
}

/* Of a program nobody knows what it saved. */
static int not_ours(struct client *c, const char *folder)
{
    struct errbuf err;
    err_set(&err, ERR_STATE,
            "run %lld is a program of one's own: what it has saved is where it put it%s%s",
            (long long)c->opts.id, folder != NULL ? "; its folder is " : "",
            folder != NULL ? folder : "");
    return client_fail(c, CLIENT_REFUSED, &err);
}

/* --- the weights file ----------------------------------------------------------------------- */

/* The byte behind the last tensor's; -1 when one does not say where it lies. */
static int64_t data_end(const struct json *header)
{
    int64_t most = 0, end;
    for (const struct json *t = json_first(header); t != NULL; t = json_next(t)) {
        if (strcmp(json_key(t), "__metadata__") == 0)
            continue;
        const struct json *first = json_first(json_get(t, "data_offsets"));
        const struct json *last = first != NULL ? json_next(first) : NULL;
        if (last == NULL || json_int64(last, &end) != 0)
            return -1;
        most = end > most ? end : most;
    }
    return most;
}

/* The header of a file that is whole (safetensors: its length in 8 bytes, itself, the numbers). */
static int read_header(const struct buf *file, struct json **out, struct errbuf *err)
{
    uint64_t length = 0;
    for (size_t i = HEADER_LENGTH_BYTES; file->len >= HEADER_LENGTH_BYTES && i-- > 0;)
        length = length << 8 | (unsigned char)file->data[i];
    if (file->len < HEADER_LENGTH_BYTES || length > HEADER_MAX ||
        length > file->len - HEADER_LENGTH_BYTES)
        return err_set(err, ERR_DATA, "no safetensors file, or one that was cut short");
    struct json *header = json_parse(file->data + HEADER_LENGTH_BYTES, (size_t)length, err);
    if (header == NULL)
        return err_set(err, ERR_DATA, "damaged header: %s", err->message);
    size_t data = file->len - HEADER_LENGTH_BYTES - (size_t)length;
    int64_t end = data_end(header);
    bool fits = weights_hash_fits(file->data, file->len);
    if (end == (int64_t)data && fits) {
        *out = header;
        return 0;
    }
    json_destroy(header);
    if (end == (int64_t)data)
        return err_set(err, ERR_DATA, "damaged: its SHA-256 is not the one in its header");
    if (end < 0)
        return err_set(err, ERR_DATA, "its header does not say where its tensors lie");
    return err_set(err, ERR_DATA, "its tensors end at byte %lld of %zu: the file is damaged",
                   (long long)end, data);
}

/* --- the module ----------------------------------------------------------------------------- */

static int bad_metadata(struct errbuf *err)
{
    return err_set(err, ERR_DATA, "the weights file does not tell input_shape and outputs");
}

/* "[1, 28, 28]" */
static int read_shape(const char *text, struct shape *out)
{
    struct shape s = {0};
    struct json *list = json_parse(text, strlen(text), NULL);
    const struct json *v = list != NULL ? json_first(list) : NULL;
    int64_t dim;
    for (; v != NULL && s.rank < SHAPE_RANK_MAX; v = json_next(v)) {
        if (json_int64(v, &dim) != 0 || dim < 1 || dim > DIM_MAX)
            break;
        s.dim[s.rank++] = (size_t)dim;
    }
    json_destroy(list);
    if (v != NULL || s.rank == 0)
        return ERR_DATA;
    *out = s;
    return 0;
}

/* What the header of the weights file tells of the network. */
static int read_metadata(const struct json *header, struct torch_module *m, struct errbuf *err)
{
    const struct json *metadata = json_get(header, "__metadata__");
    int64_t outputs = member_int(metadata, "outputs", 0);
    int rc = read_shape(member_string(metadata, "input_shape", ""), &m->input);
    if (rc != 0 || outputs < 1 || outputs > DIM_MAX)
        rc = bad_metadata(err);
    m->outputs = (size_t)outputs;
    return rc;
}

/* The configuration lies beside the weights (docs/protocol.md, "The run folder"). */
static int read_plan(const char *weights, struct model_plan *plan, struct errbuf *err)
{
    const char *slash = strrchr(weights, '/');
    char *path = xasprintf("%.*s%s", slash != NULL ? (int)(slash - weights) + 1 : 0, weights,
                           run_file_name(RUN_FILE_CONFIG));
    struct run_config *config = xcalloc(1, sizeof *config);
    int rc = run_config_read(path, config, err);
    if (rc == 0)
        rc = model_plan_init(plan, &config->settings, &config->layers, err);
    free(config);
    free(path);
    return rc;
}

/* Text that may stand in a Python docstring. */
static char *docstring_text(const char *text)
{
    char *safe = xstrdup(text);
    for (char *p = safe; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
            *p = '?';
    }
    return safe;
}

static int make_module(struct client *c, const struct json *run, const char *weights,
                       const struct json *header, struct buf *out, struct errbuf *err)
{
    const char *name = c->opts.text[OPTION_OUTPUT], *slash = strrchr(name, '/');
    struct model_plan plan;
    struct torch_module m = {.plan = &plan};
    int rc = read_metadata(header, &m, err);
    if (rc != 0 || (rc = read_plan(weights, &plan, err)) != 0)
        return rc;
    char *title = xasprintf("Run %lld of sweep %lld, epoch %g.", (long long)c->opts.id,
                            (long long)member_int(run, "sweep_id", 0),
                            member_real(run, "best_epoch", 0));
    char *base = docstring_text(slash != NULL ? slash + 1 : name);
    m.title = title;
    m.weights = base;
    rc = torch_module_write(&m, out, err);
    free(title);
    free(base);
    model_plan_finish(&plan);
    return rc;
}

/* --- the files ------------------------------------------------------------------------------ */

/* Both or none: the names are given when both are written. */
static int write_files(struct client *c, const struct buf *weights, const struct buf *module,
                       struct errbuf *err)
{
    const char *module_path = c->opts.text[OPTION_TORCH_MODULE];
    bool force = opts_has(&c->opts, OPTION_FORCE);
    struct new_file files[2];
    int count = module_path != NULL ? 2 : 1;
    new_file_init(&files[0], c->opts.text[OPTION_OUTPUT], force);
    if (count == 2)
        new_file_init(&files[1], module_path, force);
    int rc = new_file_write(&files[0], weights->data, weights->len, err);
    if (rc == 0 && count == 2)
        rc = new_file_write(&files[1], module->data, module->len, err);
    for (int i = count; i-- > 0 && rc == 0;)
        rc = new_file_commit(&files[i], err);
    for (int i = 0; i < count; i++)
        new_file_abandon(&files[i]);
    return rc;
}

static void print_done(struct client *c, size_t bytes)
{
    const char *path = c->opts.text[OPTION_OUTPUT], *module = c->opts.text[OPTION_TORCH_MODULE];
    struct buf text = {0};
    struct json_writer w;
    char count[HUMAN_MAX];
    if (!c->json) {
        fprintf(c->out, "run %lld: %s bytes in %s%s%s\n", (long long)c->opts.id,
                human_count((int64_t)bytes, count), path,
                module != NULL ? ", class Net in " : "", module != NULL ? module : "");
        return;
    }
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", c->opts.id);
    jw_kv_string(&w, "file", path);
    jw_kv_int(&w, "bytes", (int64_t)bytes);
    jw_kv_string(&w, "torch_module", module);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print(c, &text);
}

static int export_weights(struct client *c, const struct json *run, const char *path)
{
    struct buf weights = {0}, module = {0};
    struct json *header = NULL;
    struct errbuf err, why;
    int rc = buf_read_file(&weights, path, WEIGHTS_MAX, &err);
    if (rc == 0 && (rc = read_header(&weights, &header, &why)) != 0)
        err_set(&err, rc, "%s: %s. `sweepctl replay %lld -o FILE` trains them again", path,
                why.message, (long long)c->opts.id);
    if (rc == 0 && opts_has(&c->opts, OPTION_TORCH_MODULE))
        rc = make_module(c, run, path, header, &module, &err);
    if (rc == 0)
        rc = write_files(c, &weights, &module, &err);
    if (rc == 0)
        print_done(c, weights.len);
    json_destroy(header);
    buf_finish(&weights);
    buf_finish(&module);
    return rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
}

int cmd_export(struct client *c)
{
    const char *path = c->opts.text[OPTION_OUTPUT], *module = c->opts.text[OPTION_TORCH_MODULE];
    struct rpc_reply reply;
    if (path == NULL)
        return client_usage(c, "-o FILE.safetensors is needed: where to put the weights");
    if (module != NULL && strcmp(path, module) == 0)
        return client_usage(c, "-o and --torch-module name the same file: %s", path);
    int status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *run = json_get(reply.result, "run");
    const char *weights = member_string(reply.result, "weights", NULL);
    if (report_is_program(run))
        status = not_ours(c, member_string(reply.result, "folder", NULL));
    else
        status = weights != NULL ? export_weights(c, run, weights)
                                 : not_kept(c, member_int(run, "sweep_id", 0));
    rpc_reply_finish(&reply);
    return status;
}
