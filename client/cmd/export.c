#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/export/form.h"
#include "client/kept.h"
#include "client/new_file.h"
#include "client/onnx/onnx.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/torch_module.h"
#include "sweep/paths.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"
#include "sweep/run_config.h"
#include "sweep/weights_hash.h"

#define WEIGHTS_MAX ((size_t)8 << 30) /* bytes of a file */
#define HEADER_LENGTH_BYTES 8
#define HEADER_MAX ((uint64_t)16 << 20)
#define DIM_MAX ((int64_t)1 << 24)

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

/* --- the module ----------------------------------------------------------------------------- */

static int bad_metadata(struct errbuf *err)
{
    return err_set(err, ERR_DATA, "the weights file does not tell input_shape and outputs");
}

/* A run's network, as its files tell it. */
struct network {
    struct buf file;         /* the weights, whole */
    struct json *header;     /* of them */
    size_t data;             /* where the numbers begin in the file */
    struct shape input;
    size_t outputs;
    const char *told;        /* the text of the preprocessing; NULL: of an older version */
    struct preprocessing p;  /* the same */
    bool has_plan;
    struct model_plan plan;
    char *title;
};

static void network_finish(struct network *n)
{
    buf_finish(&n->file);
    json_destroy(n->header);
    preprocessing_finish(&n->p);
    if (n->has_plan)
        model_plan_finish(&n->plan);
    free(n->title);
}

/* The header of a file that is whole (safetensors: its length in 8 bytes, itself, the numbers). */
static int read_header(struct network *n, struct errbuf *err)
{
    const struct buf *file = &n->file;
    uint64_t length = 0;
    for (size_t i = HEADER_LENGTH_BYTES; file->len >= HEADER_LENGTH_BYTES && i-- > 0;)
        length = length << 8 | (unsigned char)file->data[i];
    if (file->len < HEADER_LENGTH_BYTES || length > HEADER_MAX ||
        length > file->len - HEADER_LENGTH_BYTES)
        return err_set(err, ERR_DATA, "no safetensors file, or one that was cut short");
    n->header = json_parse(file->data + HEADER_LENGTH_BYTES, (size_t)length, err);
    if (n->header == NULL)
        return err_set(err, ERR_DATA, "damaged header: %s", err->message);
    n->data = HEADER_LENGTH_BYTES + (size_t)length;
    int64_t end = data_end(n->header);
    if (end < 0)
        return err_set(err, ERR_DATA, "its header does not say where its tensors lie");
    if (end != (int64_t)(file->len - n->data))
        return err_set(err, ERR_DATA, "its tensors end at byte %lld of %zu: the file is damaged",
                       (long long)end, file->len - n->data);
    if (!weights_hash_fits(file->data, file->len))
        return err_set(err, ERR_DATA, "damaged: its SHA-256 is not the one in its header");
    return 0;
}

/* What the header of the weights file tells of the network. */
static int read_metadata(struct network *n, struct errbuf *err)
{
    const struct json *metadata = json_get(n->header, "__metadata__");
    int64_t outputs = member_int(metadata, "outputs", 0);
    int rc = shape_parse(member_string(metadata, "input_shape", ""), &n->input);
    if (rc != 0 || outputs < 1 || outputs > DIM_MAX)
        return bad_metadata(err);
    n->outputs = (size_t)outputs;
    n->told = member_string(metadata, PREPROCESSING_KEY, NULL);
    return n->told != NULL ? preprocessing_parse(n->told, &n->input, &n->p, err) : 0;
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

static int read_network(struct network *n, const struct json *run, const char *weights,
                        struct errbuf *err)
{
    int rc = read_metadata(n, err);
    if (rc == 0)
        rc = read_plan(weights, &n->plan, err);
    if (rc != 0)
        return rc;
    n->has_plan = true;
    n->title = xasprintf("Run %lld of sweep %lld, epoch %g.",
                         (long long)member_int(run, "run_id", 0),
                         (long long)member_int(run, "sweep_id", 0),
                         member_real(run, "best_epoch", 0));
    return 0;
}

static int make_module(struct client *c, const struct network *n, struct buf *out,
                       struct errbuf *err)
{
    const char *name = c->opts.text[OPTION_OUTPUT], *slash = strrchr(name, '/');
    char *base = docstring_text(slash != NULL ? slash + 1 : name);
    const struct torch_module m = {.plan = &n->plan,
                                   .input = n->input,
                                   .outputs = n->outputs,
                                   .preprocessing = n->told != NULL ? &n->p : NULL,
                                   .title = n->title,
                                   .weights = base};
    int rc = torch_module_write(&m, out, err);
    free(base);
    return rc;
}

static int make_onnx(const struct network *n, struct buf *out, struct errbuf *err)
{
    const struct onnx_model m = {.plan = &n->plan,
                                 .input = n->input,
                                 .outputs = n->outputs,
                                 .preprocessing = n->told != NULL ? &n->p : NULL,
                                 .preprocessing_text = n->told,
                                 .header = n->header,
                                 .data = n->file.data + n->data,
                                 .data_len = n->file.len - n->data,
                                 .title = n->title};
    return onnx_write(&m, out, err);
}

/* --- the files ------------------------------------------------------------------------------ */

enum { WEIGHTS_FILE, MODULE_FILE, ONNX_FILE, FILE_COUNT };

/* Where each is wanted; NULL: it is not. */
static const char *wanted(const struct client *c, int file)
{
    static const enum option_id options[FILE_COUNT] = {OPTION_OUTPUT, OPTION_TORCH_MODULE,
                                                       OPTION_ONNX};
    return c->opts.text[options[file]];
}

/* All or none: the names are given when all are written. */
static int write_files(struct client *c, const struct buf *const contents[FILE_COUNT],
                       struct errbuf *err)
{
    bool force = opts_has(&c->opts, OPTION_FORCE);
    struct new_file files[FILE_COUNT] = {0};
    int rc = 0;
    for (int i = 0; i < FILE_COUNT && rc == 0; i++) {
        if (wanted(c, i) == NULL)
            continue;
        new_file_init(&files[i], wanted(c, i), force);
        rc = new_file_write(&files[i], contents[i]->data, contents[i]->len, err);
    }
    for (int i = FILE_COUNT; i-- > 0 && rc == 0;)
        rc = wanted(c, i) != NULL ? new_file_commit(&files[i], err) : 0;
    for (int i = 0; i < FILE_COUNT; i++)
        new_file_abandon(&files[i]);
    return rc;
}

static void print_done(struct client *c, size_t bytes)
{
    const char *path = wanted(c, WEIGHTS_FILE), *module = wanted(c, MODULE_FILE);
    const char *onnx = wanted(c, ONNX_FILE);
    struct buf text = {0};
    struct json_writer w;
    char count[HUMAN_MAX];
    if (!c->json) {
        fprintf(c->out, "run %lld: ", (long long)c->opts.id);
        if (path != NULL)
            fprintf(c->out, "%s bytes in %s%s%s%s", human_count((int64_t)bytes, count), path,
                    module != NULL ? ", class Net in " : "", module != NULL ? module : "",
                    onnx != NULL ? ", " : "");
        fprintf(c->out, "%s%s\n", onnx != NULL ? "ONNX model in " : "", onnx != NULL ? onnx : "");
        return;
    }
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", c->opts.id);
    jw_kv_string(&w, "file", path);
    jw_kv_int(&w, "bytes", (int64_t)bytes);
    jw_kv_string(&w, "torch_module", module);
    jw_kv_string(&w, "onnx", onnx);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

static int read_weights(struct client *c, const char *path, struct network *n, struct errbuf *err)
{
    struct errbuf why;
    int rc = buf_read_file(&n->file, path, WEIGHTS_MAX, err);
    if (rc == 0 && (rc = read_header(n, &why)) != 0)
        err_set(err, rc, "%s: %s. `sweepctl replay %lld -o FILE` trains them again", path,
                why.message, (long long)c->opts.id);
    return rc;
}

static int export_weights(struct client *c, const struct json *run, const char *path)
{
    struct network n = {0};
    struct buf module = {0}, onnx = {0};
    const struct buf *const contents[FILE_COUNT] = {&n.file, &module, &onnx};
    struct errbuf err;
    int rc = read_weights(c, path, &n, &err);
    if (rc == 0 && (wanted(c, MODULE_FILE) != NULL || wanted(c, ONNX_FILE) != NULL))
        rc = read_network(&n, run, path, &err);
    if (rc == 0 && wanted(c, MODULE_FILE) != NULL)
        rc = make_module(c, &n, &module, &err);
    if (rc == 0 && wanted(c, ONNX_FILE) != NULL)
        rc = make_onnx(&n, &onnx, &err);
    if (rc == 0)
        rc = write_files(c, contents, &err);
    if (rc == 0)
        print_done(c, n.file.len);
    network_finish(&n);
    buf_finish(&module);
    buf_finish(&onnx);
    return rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
}

/* A file of each kind, under names of their own. */
static int check_names(struct client *c)
{
    static const char *const flags[FILE_COUNT] = {"-o", "--torch-module", "--onnx"};
    if (wanted(c, WEIGHTS_FILE) == NULL &&
        (wanted(c, ONNX_FILE) == NULL || wanted(c, MODULE_FILE) != NULL))
        return client_usage(c, "-o FILE.safetensors is needed: where to put the weights");
    for (int i = 0; i < FILE_COUNT; i++) {
        for (int k = 0; k < i; k++) {
            if (wanted(c, i) != NULL && wanted(c, k) != NULL &&
                strcmp(wanted(c, i), wanted(c, k)) == 0)
                return client_usage(c, "%s and %s name the same file: %s", flags[k], flags[i],
                                    wanted(c, i));
        }
    }
    return CLIENT_DONE;
}

/* --- a sweep, in forms of other tools --------------------------------------------------------- */

static const struct {
    const char *name;
    enum option_id option;
    const struct export_form *form;
} forms[] = {
#define X(name, option) {#name, OPTION_##option, &export_form_##name},
    EXPORT_FORM_MAP(X)
#undef X
};

static bool wants_form(const struct client *c)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (c->opts.text[forms[i].option] != NULL)
            return true;
    return false;
}

static void write_states(struct json_writer *w, const struct exported *e)
{
    jw_kv_int(w, "sweep", e->id);
    jw_kv_int(w, "runs", (int64_t)e->run_count);
    jw_kv_int(w, "complete", (int64_t)e->states[EXPORTED_COMPLETE]);
    jw_kv_int(w, "pruned", (int64_t)e->states[EXPORTED_PRUNED]);
    jw_kv_int(w, "failed", (int64_t)e->states[EXPORTED_FAILED]);
}

static void say_written(struct exported *e, size_t form, const char *path, struct json_writer *w)
{
    if (e->client->json) {
        jw_begin_object(w);
        jw_kv_string(w, "form", forms[form].name);
        jw_kv_string(w, "path", path);
        jw_kv_int(w, "values", (int64_t)e->values);
        jw_end_object(w);
        return;
    }
    struct buf text = {0};
    buf_printf(&text, "sweep %lld as %s: %zu runs (%zu complete, %zu pruned, %zu failed), %zu "
               "values of points in ", (long long)e->id, forms[form].form->what, e->run_count,
               e->states[EXPORTED_COMPLETE], e->states[EXPORTED_PRUNED],
               e->states[EXPORTED_FAILED], e->values);
    render_text(&text, path, false);
    buf_putc(&text, '\n');
    client_print(e->client, &text);
}

/* Every form that was asked for, each whole or not at all, until one fails. */
static int write_forms(struct client *c, struct exported *e, struct json_writer *w)
{
    struct progress progress;
    int status = CLIENT_DONE;
    for (size_t i = 0; i < ARRAY_LEN(forms) && status == CLIENT_DONE; i++) {
        const char *path = c->opts.text[forms[i].option];
        if (path == NULL)
            continue;
        e->values = e->read = 0;
        progress_begin(&progress, c, "writing");
        status = forms[i].form->write(e, path);
        progress_end(&progress);
        if (status == CLIENT_DONE)
            say_written(e, i, path, w);
    }
    return status;
}

/* The argument is a sweep then, and what is of a run alone is not asked for. */
static int export_sweep(struct client *c)
{
    struct exported e;
    struct buf text = {0};
    struct json_writer w;
    if (wanted(c, WEIGHTS_FILE) != NULL || wanted(c, MODULE_FILE) != NULL ||
        wanted(c, ONNX_FILE) != NULL)
        return client_usage(c, "-o, --torch-module and --onnx are of a run; the others of a sweep");
    int status = exported_open(c, c->opts.id, &e);
    if (status != CLIENT_DONE)
        return status;
    jw_init(&w, &text);
    jw_begin_object(&w);
    write_states(&w, &e);
    jw_key(&w, "exports");
    jw_begin_array(&w);
    status = write_forms(c, &e, &w);
    jw_end_array(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    if (c->json && status == CLIENT_DONE)
        client_print_document(c, &text);
    buf_finish(&text);
    exported_close(&e);
    return status;
}

int cmd_export(struct client *c)
{
    struct rpc_reply reply;
    if (wants_form(c))
        return export_sweep(c);
    int status = check_names(c);
    if (status == CLIENT_DONE)
        status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const char *weights;
    status = kept_weights(c, reply.result, &weights);
    if (status == CLIENT_DONE)
        status = export_weights(c, json_get(reply.result, "run"), weights);
    rpc_reply_finish(&reply);
    return status;
}
