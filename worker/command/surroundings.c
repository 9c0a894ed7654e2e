#include "worker/command/surroundings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define DEPTH_MAX 64 /* of a checkpoint folder that is removed */

/* --- files ----------------------------------------------------------------------------------- */

static char *in_folder(const struct surroundings *s, const char *name)
{
    return xasprintf("%s/%s", s->run_dir, name);
}

static int put_file(const struct surroundings *s, const char *name, const char *text, size_t len,
                    struct errbuf *err)
{
    char *path = in_folder(s, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

    if (fd >= 0)
        close(fd);
    if (!ok)
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    free(path);
    return ok ? 0 : ERR_IO;
}

/* Of an earlier attempt; where it cannot be removed it cannot be written either. */
static void drop_file(const struct surroundings *s, const char *name)
{
    char *path = in_folder(s, name);

    (void)unlink(path);
    free(path);
}

/* --- wandb's configuration -------------------------------------------------------------------- */

static void put_wandb_name(const char *name, size_t len, struct buf *out)
{
    struct json_writer w;
    char *key = xasprintf("%.*s", (int)len, name);

    jw_init(&w, out);
    buf_putc(out, '\n');
    jw_string(&w, key);
    buf_puts(out, ":\n  value: ");
    free(key);
}

/* What wandb reads in place of a sweep's server: a configuration of values. JSON's text is YAML. A
 * name with dots is a nested parameter of a sweep file, or has dots: config["a"]["b"] is there, and
 * config["a.b"]. */
static char *wandb_params(const struct command_config *c)
{
    struct errbuf err;
    struct buf out = {0};
    struct json_writer w;
    struct json *params = json_parse(c->params, strlen(c->params), &err);

    buf_puts(&out, "wandb_version: 1\n");
    for (const struct json *p = params ? json_first(params) : NULL; p; p = json_next(p)) {
        const char *name = json_key(p);
        size_t word = strcspn(name, ".");
        put_wandb_name(name, strlen(name), &out);
        jw_init(&w, &out);
        jw_value(&w, p);
        buf_putc(&out, '\n');
        if (name[word] == '\0' || word == 0 || !command_params_begins_level(params, p, word))
            continue;
        put_wandb_name(name, word, &out);
        jw_init(&w, &out);
        command_params_level(params, p, word + 1, &w);
        buf_putc(&out, '\n');
    }
    json_destroy(params);
    return buf_take(&out);
}

/* The file that ${args_json_file} names. */
static char *json_params(const struct command_config *c)
{
    struct buf out = {0};
    struct json_writer w;
    struct json *params = c->manner.nested_params ? json_parse(c->params, strlen(c->params), NULL)
                                                  : NULL;
    if (!params)
        return xstrdup(c->params);
    jw_init(&w, &out);
    command_params_nest(params, &w);
    json_destroy(params);
    return buf_take(&out);
}

static int put_params(const struct surroundings *s, struct errbuf *err)
{
    char *wandb = wandb_params(s->config), *params = json_params(s->config);
    int rc = put_file(s, COMMAND_PARAMS_FILE, params, strlen(params), err);

    if (!rc)
        rc = put_file(s, COMMAND_WANDB_FILE, wandb, strlen(wandb), err);
    free(params);
    free(wandb);
    return rc;
}

/* --- the checkpoint folder -------------------------------------------------------------------- */

static bool is_self(const struct dirent *e)
{
    return strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
}

/* All in a folder; links are removed, not followed. Takes the descriptor over. */
static void remove_all(int folder, int depth)
{
    DIR *dir = fdopendir(folder);

    if (!dir) {
        close(folder);
        return;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (is_self(e) || unlinkat(folder, e->d_name, 0) == 0)
            continue;
        int inner = depth < DEPTH_MAX ? openat(folder, e->d_name,
                                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                                      : -1;
        if (inner < 0)
            continue;
        remove_all(inner, depth + 1);
        unlinkat(folder, e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

static bool has_entries(int folder)
{
    DIR *dir = fdopendir(folder);
    bool any = false;

    for (struct dirent *e = dir ? readdir(dir) : NULL; e && !any; e = readdir(dir))
        any = !is_self(e);
    if (dir)
        closedir(dir);
    else
        close(folder);
    return any;
}

/* s->resumes: in, whether the run goes on; out, whether there is something to go on from. */
static int prepare_checkpoints(struct surroundings *s, struct errbuf *err)
{
    char *path = in_folder(s, COMMAND_CHECKPOINT_DIR);
    int rc = mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
    int folder = rc == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (folder < 0)
        rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    else if (s->resumes)
        s->resumes = has_entries(folder);
    else
        remove_all(folder, 0);
    free(path);
    return rc;
}

/* Beside the worker. Where nothing that it reports would be listened to there is none. */
static void find_shim(struct surroundings *s)
{
    unsigned heard = (1u << COMMAND_CHANNEL_DESCRIPTOR) | (1u << COMMAND_CHANNEL_FILES);
    unsigned channels = s->config->manner.channels;
    struct errbuf err;
    size_t len;

    if ((channels != 0 && !(channels & heard)) || paths_program_dir(s->shim, &err) != 0) {
        s->shim[0] = '\0';
        return;
    }
    len = strlen(s->shim);
    snprintf(s->shim + len, sizeof(s->shim) - len, "/shim");
    if (access(s->shim, X_OK) != 0 || strchr(s->shim, ':'))
        s->shim[0] = '\0';
}

int surroundings_prepare(struct surroundings *s, struct errbuf *err)
{
    find_shim(s);
    drop_file(s, COMMAND_OPENED_FILE);
    if (!s->resumes)
        drop_file(s, COMMAND_LOGGED_FILE);
    char *stop = in_folder(s, COMMAND_STOP_FILE);
    int rc = unlink(stop) == 0 || errno == ENOENT ? 0 : -1;

    if (rc != 0)
        rc = err_set(err, ERR_IO, "%s: %s", stop, strerror(errno));
    free(stop);
    if (!rc)
        rc = put_params(s, err);
    return rc ? rc : prepare_checkpoints(s, err);
}

void surroundings_ask_to_stop(const struct surroundings *s)
{
    struct errbuf err;

    (void)put_file(s, COMMAND_STOP_FILE, "", 0, &err); /* SIGTERM says the same */
}

/* --- environment ------------------------------------------------------------------------------ */

static void set_number(const char *name, uint64_t number, int overwrite)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, number);
    setenv(name, text, overwrite);
}

static void set_path(const struct surroundings *s, const char *name, const char *file,
                     const char *before, int overwrite)
{
    char *value = xasprintf("%s%s/%s", before, s->run_dir, file);
    setenv(name, value, overwrite);
    free(value);
}

static void enter_base(const struct command_manner *m)
{
    if (!m->has_base)
        return;
    clearenv();
    for (size_t i = 0; i < m->base.count; i++)
        putenv(m->base.entries[i]);
}

static void enter_changes(const struct command_manner *m)
{
    for (size_t i = 0; i < m->changes.count; i++)
        putenv(m->changes.entries[i]); /* without a '=': takes it away */
}

static const char *const thread_names[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                           "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"};

/* The daemon's word for all runs, where this one has processors of its own. */
static void forget_threads(const struct command_config *c)
{
    for (size_t i = 0; i < ARRAY_LEN(thread_names) && c->cpus > 0 && !c->manner.has_base; i++)
        unsetenv(thread_names[i]);
}

/* What libraries should know unless the environment says it already: as many threads as the slot
 * is meant for, and logs that stay on this machine, in the run's folder. */
static void set_defaults(const struct surroundings *s, const char *threads)
{
    const struct command_config *c = s->config;

    for (size_t i = 0; i < ARRAY_LEN(thread_names); i++)
        setenv(thread_names[i], threads, 0);
    setenv("PYTHONUNBUFFERED", "1", 0);
    set_number("PYTHONHASHSEED", c->seed & UINT32_MAX, 0);
    setenv("WANDB_MODE", "offline", 0);
    setenv("WANDB_DIR", s->run_dir, 0);
    setenv("WANDB_SILENT", "true", 0);
    set_path(s, "TRACKIO_DIR", "trackio", "", 0);
    setenv("TRACKIO_STORAGE_MODE", "jsonl", 0);
    set_path(s, "MLFLOW_TRACKING_URI", "mlflow.db", "sqlite:///", 0);
}

/* One run is one run there too: these are not inherited from whoever submitted. */
static void set_wandb(const struct surroundings *s)
{
    char id[48];

    set_number("WANDB_SWEEP_ID", (uint64_t)s->config->sweep_id, 1);
    snprintf(id, sizeof(id), "run%" PRId64, s->config->run_id);
    setenv("WANDB_RUN_ID", id, 1);
    set_path(s, "WANDB_SWEEP_PARAM_PATH", COMMAND_WANDB_FILE, "", 1);
}

/* Its sitecustomize reads the one that would have come first. */
static void set_shim(const struct surroundings *s)
{
    const char *before = getenv("PYTHONPATH");
    char *path = xasprintf("%s%s%s", s->shim, before && *before ? ":" : "", before ? before : "");

    if (s->shim[0])
        setenv("PYTHONPATH", path, 1);
    free(path);
}

/* The number alone says little to a process that has inherited it: which pipe it is. */
static void set_descriptor(int metrics_fd)
{
    struct stat st;

    set_number("SWEEPD_METRICS_FD", (uint64_t)metrics_fd, 1);
    if (fstat(metrics_fd, &st) == 0)
        set_number("SWEEPD_METRICS_PIPE", st.st_ino, 1);
}

/* Those that the daemon has given it, and no others; none where it is to have none. */
static void set_gpus(const struct command_config *c)
{
    struct buf list = {0};

    for (size_t i = 0; i < c->gpus.count; i++)
        buf_printf(&list, "%s%s", i > 0 ? "," : "", c->gpus.words[i]);
    if (c->has_gpus)
        setenv("CUDA_VISIBLE_DEVICES", list.len > 0 ? list.data : "", 1);
    buf_finish(&list);
}

static void set_ours(const struct surroundings *s, int metrics_fd)
{
    const struct command_config *c = s->config;

    set_descriptor(metrics_fd);
    set_shim(s);
    set_gpus(c);
    setenv("SWEEPD_RUN_DIR", s->run_dir, 1);
    setenv("SWEEPD_PARAMS", c->params, 1);
    set_path(s, "SWEEPD_PARAMS_FILE", COMMAND_PARAMS_FILE, "", 1);
    set_path(s, "SWEEPD_STOP_FILE", COMMAND_STOP_FILE, "", 1);
    set_path(s, "SWEEPD_CHECKPOINT_DIR", COMMAND_CHECKPOINT_DIR, "", 1);
    if (s->resumes)
        set_path(s, "SWEEPD_RESUME_FROM", COMMAND_CHECKPOINT_DIR, "", 1);
    else
        unsetenv("SWEEPD_RESUME_FROM");
    set_number("SWEEPD_EPOCHS", (uint64_t)c->until_epoch, 1);
    set_number("SWEEPD_SEED", c->seed, 1);
    if (c->run_id > 0)
        set_number("SWEEPD_RUN_ID", (uint64_t)c->run_id, 1);
    else
        unsetenv("SWEEPD_RUN_ID");
    if (c->sweep_id > 0)
        set_number("SWEEPD_SWEEP_ID", (uint64_t)c->sweep_id, 1);
    else
        unsetenv("SWEEPD_SWEEP_ID");
}

void surroundings_enter(const struct surroundings *s, int metrics_fd)
{
    const char *slot = getenv("OMP_NUM_THREADS"); /* the daemon's word, before it is replaced */
    int64_t cpus = s->config->cpus;
    char *threads = cpus > 0 ? xasprintf("%" PRId64, cpus) : xstrdup(slot && *slot ? slot : "1");

    forget_threads(s->config);
    enter_base(&s->config->manner);
    enter_changes(&s->config->manner);
    set_defaults(s, threads);
    set_wandb(s);
    set_ours(s, metrics_fd);
    free(threads);
}
