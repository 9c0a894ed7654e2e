#include "daemon/launch/prepare.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/launch/environment.h"
#include "daemon/launch/prepared.h"
#include "daemon/launch/site.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/record.h"
#include "sweep/require.h"

#define LOG_MODULE "prepare"
#define PROCESSES_MAX 4
#define OUTPUT_MAX (1024 * 1024) /* of a worker's stdout */
#define COMPLAINT_MAX 4096       /* of its stderr */

/* --- a worker whose output is collected ----------------------------------------------------- */

struct capture {
    uv_process_t process;
    uv_pipe_t pipes[2];     /* its stdout and stderr */
    struct buf output[2];
    size_t open;            /* handles not closed yet */
    bool spawned, exited, too_long;
    int64_t status;
    int signal;
    void (*done)(struct capture *c); /* when the process and both pipes are at their end */
    void *arg;
    char chunk[16384];      /* where reads land */
};

static void on_capture_closed(uv_handle_t *handle)
{
    struct capture *c = handle->data;
    if (--c->open == 0)
        c->done(c);
}

/* With its whole group (it leads a session of its own): a child that a wrapper left behind would
 * hold the pipes open. A process that was never started or is reaped has no pid to signal. */
static void capture_kill(struct capture *c)
{
    if (c->spawned && !c->exited)
        kill(-c->process.pid, SIGKILL);
}

static void on_capture_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct capture *c = handle->data;
    *buf = uv_buf_init(c->chunk, sizeof(c->chunk));
}

static void on_capture_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct capture *c = stream->data;
    bool is_error = stream == (uv_stream_t *)&c->pipes[1];
    struct buf *out = &c->output[is_error];
    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_capture_closed);
        return;
    }
    buf_append(out, buf->base, (size_t)n);
    if (is_error && out->len > COMPLAINT_MAX) {
        buf_consume(out, out->len - COMPLAINT_MAX); /* the last words count */
    } else if (!is_error && out->len > OUTPUT_MAX) {
        c->too_long = true;
        buf_clear(out);
        capture_kill(c);
    }
}

static void on_capture_exit(uv_process_t *process, int64_t status, int signal)
{
    struct capture *c = process->data;
    c->exited = true;
    c->status = status;
    c->signal = signal;
    uv_close((uv_handle_t *)process, on_capture_closed);
}

/* stdin_fd -1: /dev/null. After a failure too, done is called, with spawned false. */
static int capture_start(struct capture *c, uv_loop_t *loop, char **args, char **environment,
                         int stdin_fd)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = stdin_fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = stdin_fd},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[0]},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[1]},
    };
    uv_process_options_t options = {
        .file = args[0],
        .args = args,
        .env = environment,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_capture_exit,
    };
    for (int i = 0; i < 2; i++) {
        uv_pipe_init(loop, &c->pipes[i], 0);
        c->pipes[i].data = c;
    }
    c->process.data = c;
    c->open = 3;
    int rc = uv_spawn(loop, &c->process, &options);
    c->spawned = rc == 0;
    if (rc != 0)
        uv_close((uv_handle_t *)&c->process, on_capture_closed);
    for (int i = 0; i < 2; i++) {
        if (rc != 0 || uv_read_start((uv_stream_t *)&c->pipes[i], on_capture_alloc,
                                     on_capture_read) != 0)
            uv_close((uv_handle_t *)&c->pipes[i], on_capture_closed);
    }
    return rc;
}

static void capture_finish(struct capture *c)
{
    buf_finish(&c->output[0]);
    buf_finish(&c->output[1]);
}

/* How it ended and its last words, for a person. */
static void capture_explain(const struct capture *c, char *out, size_t size)
{
    const char *words = c->output[1].len ? c->output[1].data : "";
    if (!c->spawned)
        snprintf(out, size, "could not be started");
    else if (c->too_long)
        snprintf(out, size, "printed more than %d bytes", OUTPUT_MAX);
    else if (c->signal)
        snprintf(out, size, "ended by signal %d (%s): %s", c->signal, strsignal(c->signal), words);
    else
        snprintf(out, size, "exit status %lld: %s", (long long)c->status, words);
}

/* --- --blas-check --------------------------------------------------------------------------- */

static void on_blas_done(struct capture *c)
{
}

struct blas_trial {
    struct worker_kind kind;
    char why[512]; /* not right */
};

static void take_text(const struct json *said, const char *key, char *out, size_t size)
{
    const char *text;
    if (json_get_string(said, key, &text, NULL) == 0)
        str_copy(out, size, text);
}

/* 0 when the kernels of that core type compute right here. */
static int blas_try(const char *worker, const char *core_type, struct blas_trial *out)
{
    uv_loop_t loop;
    char *args[] = {(char *)worker, (char *)"--blas-check", NULL};
    char **environment = environment_create(&(struct environment_choice){.core_type = core_type});
    struct capture *c = xcalloc(1, sizeof(*c));
    int rc = uv_loop_init(&loop);
    REQUIRE(rc == 0);
    c->done = on_blas_done;
    capture_start(c, &loop, args, environment, -1);
    uv_run(&loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&loop);
    REQUIRE(rc == 0);

    bool good = c->spawned && c->status == 0 && c->signal == 0 && !c->too_long;
    struct json *said = good ? json_parse(c->output[0].data ? c->output[0].data : "",
                                          c->output[0].len, NULL)
                             : NULL;
    out->kind = (struct worker_kind){0};
    str_copy(out->kind.core_type, sizeof(out->kind.core_type), core_type);
    take_text(said, "core", out->kind.core, sizeof(out->kind.core));
    take_text(said, "blas", out->kind.blas, sizeof(out->kind.blas));
    take_text(said, "sandbox", out->kind.sandbox, sizeof(out->kind.sandbox));
    json_destroy(said);
    if (!good)
        capture_explain(c, out->why, sizeof(out->why));
    capture_finish(c);
    free(c);
    environment_destroy(environment);
    return good ? 0 : -1;
}

int prepare_blas(const char *worker, struct worker_kind *out, struct errbuf *err)
{
    /* "": the library chooses by itself. The rest are x86-64 kernels from new to old. */
    const char *candidates[] = {getenv("OPENBLAS_CORETYPE"), "", "HASWELL", "SANDYBRIDGE",
                                "NEHALEM"};
    char first_why[512] = "";
    struct blas_trial trial;
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (!candidates[i] || (i == 0 && candidates[i][0] == '\0'))
            continue;
        if (blas_try(worker, candidates[i], &trial) == 0) {
            *out = trial.kind;
            if (first_why[0])
                log_warn("BLAS core type %s is used instead", candidates[i]);
            return 0;
        }
        log_warn("BLAS kernels of core type %s are not usable here: %s",
                 candidates[i][0] ? candidates[i] : "(default)", trial.why);
        if (!first_why[0])
            str_copy(first_why, sizeof(first_why), trial.why);
    }
    return err_set(err, ERR_STATE, "no BLAS kernels of %s compute right on this processor: %s",
                   worker, first_why);
}

/* --- jobs ----------------------------------------------------------------------------------- */

struct job {
    struct capture capture;
    struct prepare *prepare;
    struct job *next;      /* in the queue */
    char *key;
    char *config;          /* config.json's text */
    uv_timer_t answer;     /* an answer from memory is given on the next turn of the loop */
    struct record_prepared *found; /* that answer; owned */
    prepare_cb *cb;
    void *arg;
};

struct prepare {
    const struct launch_site *site;
    struct job *waiting, **waiting_end;
    struct job *running[PROCESSES_MAX];
    size_t active;
    bool stopping;
    struct prepared_memory memory;
};

static void start_waiting(struct prepare *p);

struct prepare *prepare_create(const struct launch_site *site)
{
    struct prepare *p = xcalloc(1, sizeof(*p));
    p->site = site;
    p->waiting_end = &p->waiting;
    return p;
}

void prepare_destroy(struct prepare *p)
{
    if (!p)
        return;
    REQUIRE(p->active == 0);
    prepared_finish(&p->memory);
    free(p);
}

size_t prepare_active(const struct prepare *p)
{
    return p->active;
}

static void job_free(struct job *j)
{
    struct prepare *p = j->prepare;
    p->active--;
    p->site->loop->dirty |= p->stopping; /* it may have been the last that the end waited for */
    capture_finish(&j->capture);
    free(j->key);
    free(j->config);
    free(j->found);
    free(j);
}

static void job_fail(struct job *j, int code, const char *text)
{
    struct errbuf err;
    err_set(&err, code, "%s", text);
    j->cb(j->arg, NULL, &err);
}

/* The last line of its output decides: prepared, or an error with the spec's path in it. */
static void job_answer(struct job *j)
{
    struct capture *c = &j->capture;
    struct record r;
    struct errbuf err;
    char why[512], text[640];
    size_t len = c->output[0].len;
    const char *line = c->output[0].data;
    while (len > 0 && line[len - 1] == '\n')
        len--;
    const char *before = len > 0 ? memrchr(line, '\n', len) : NULL;
    if (before) {
        len -= (size_t)(before + 1 - line);
        line = before + 1;
    }
    if (j->prepare->stopping) {
        job_fail(j, ERR_SHUTDOWN, "the daemon is ending");
    } else if (len == 0 || record_parse(line, len, &r, &err) < 0) {
        capture_explain(c, why, sizeof(why));
        snprintf(text, sizeof(text), "the data could not be prepared: %s", why);
        log_warn("%s", text);
        job_fail(j, ERR_DATA, text);
    } else {
        if (r.type == RECORD_PREPARED) {
            prepared_remember(&j->prepare->memory, j->key, r.u.prepared);
            j->cb(j->arg, r.u.prepared, NULL);
        } else if (r.type == RECORD_ERROR) {
            j->cb(j->arg, NULL, &r.u.error);
        } else {
            job_fail(j, ERR_DATA, "sweep-worker --prepare printed a line of another kind");
        }
        record_finish(&r);
    }
}

static void on_job_done(struct capture *c)
{
    struct job *j = c->arg;
    struct prepare *p = j->prepare;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (p->running[i] == j)
            p->running[i] = NULL;
    }
    job_answer(j);
    job_free(j);
    start_waiting(p);
}

static void on_answer_closed(uv_handle_t *handle)
{
    job_free(handle->data);
}

static void on_answer(uv_timer_t *timer)
{
    struct job *j = timer->data;
    if (j->prepare->stopping)
        job_fail(j, ERR_SHUTDOWN, "the daemon is ending");
    else
        j->cb(j->arg, j->found, NULL);
    uv_close((uv_handle_t *)timer, on_answer_closed);
}

/* The configuration travels in memory, as the worker's stdin: nothing is left behind on disk. */
static int config_fd(const char *text)
{
    int fd = memfd_create("sweep-config", MFD_CLOEXEC);
    size_t len = strlen(text);
    if (fd >= 0 && write(fd, text, len) != (ssize_t)len) {
        close(fd);
        return -1;
    }
    return fd;
}

static void job_start(struct job *j)
{
    const struct launch_site *site = j->prepare->site;
    char *args[] = {(char *)site->worker, (char *)"--prepare", (char *)"/dev/stdin", NULL};
    int fd = config_fd(j->config);
    j->capture.arg = j;
    j->capture.done = on_job_done;
    capture_start(&j->capture, site->loop->uv, args, site->environment, fd);
    if (fd >= 0)
        close(fd);
}

static void start_waiting(struct prepare *p)
{
    for (size_t i = 0; i < PROCESSES_MAX && p->waiting; i++) {
        if (p->running[i])
            continue;
        struct job *j = p->waiting;
        p->waiting = j->next;
        if (!p->waiting)
            p->waiting_end = &p->waiting;
        p->running[i] = j;
        job_start(j);
    }
}

static char *config_text(const char *runs_dir, const struct spec *spec)
{
    char start[SPEC_PATH_MAX] = "";
    struct buf text = {0};
    struct json_writer w;
    if (spec->trainer.start_from) /* too deep a folder: the runs will say so */
        (void)paths_run_file(start, sizeof(start), runs_dir, spec->trainer.start_from,
                             RUN_FILE_WEIGHTS);
    jw_init(&w, &text);
    spec_write_prepare(spec, start, &w);
    return buf_take(&text);
}

void prepare_data(struct prepare *p, const struct spec *spec, prepare_cb *cb, void *arg)
{
    struct job *j = xcalloc(1, sizeof(*j));
    j->prepare = p;
    j->cb = cb;
    j->arg = arg;
    j->key = config_text(p->site->runs_dir, spec);
    p->active++;
    const struct record_prepared *known = prepared_recall(&p->memory, j->key);
    if (known) {
        j->found = xmalloc(sizeof(*j->found));
        *j->found = *known;
    }
    if (known || p->stopping) {
        uv_timer_init(p->site->loop->uv, &j->answer);
        j->answer.data = j;
        uv_timer_start(&j->answer, on_answer, 0, 0);
        return;
    }
    j->config = xstrdup(j->key);
    *p->waiting_end = j;
    p->waiting_end = &j->next;
    start_waiting(p);
}

void prepare_stop(struct prepare *p)
{
    p->stopping = true;
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        if (p->running[i])
            capture_kill(&p->running[i]->capture);
    }
    while (p->waiting) {
        struct job *j = p->waiting;
        p->waiting = j->next;
        job_fail(j, ERR_SHUTDOWN, "the daemon is ending");
        job_free(j);
    }
    p->waiting_end = &p->waiting;
}
