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

#include "daemon/launch/capture.h"
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
#define UNWANTED "nobody waits for it"
#define BLAS_CHECK_SECONDS 120 /* it takes milliseconds */
#define BLAS_TRIES 5           /* of one core type, where none came to a verdict */
#define BLAS_TRY_AGAIN_MS 200

/* --- --blas-check --------------------------------------------------------------------------- */

static void on_blas_done(struct capture *c)
{
}

enum blas_verdict { BLAS_RIGHT, BLAS_WRONG, BLAS_UNKNOWN };

struct blas_trial {
    struct worker_kind kind;
    char why[512]; /* not right, or not known */
};

static void take_text(const struct json *said, const char *key, char *out, size_t size)
{
    const char *text;
    if (json_get_string(said, key, &text, NULL) == 0)
        str_copy(out, size, text);
}

/* Only kernels that compute wrong, hang or do not run on this processor are wrong. A check that did
 * not come about for want of memory, say, tells nothing of them: another core type would train to
 * other bits. */
static enum blas_verdict verdict_of(const struct capture *c)
{
    if (!c->spawned)
        return BLAS_UNKNOWN;
    if (c->too_long)
        return BLAS_WRONG;
    switch (c->signal) {
    case 0:
        return c->status == 0 ? BLAS_RIGHT : c->status == 1 ? BLAS_WRONG : BLAS_UNKNOWN;
    case SIGILL:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGABRT:
        return BLAS_WRONG;
    default:
        return BLAS_UNKNOWN;
    }
}

static enum blas_verdict blas_try(const char *worker, const char *core_type, struct blas_trial *out)
{
    uv_loop_t loop;
    char *args[] = {(char *)worker, (char *)"--blas-check", NULL};
    char **environment = environment_create(&(struct environment_choice){.core_type = core_type});
    struct capture *c = xcalloc(1, sizeof(*c));
    int rc = uv_loop_init(&loop);
    REQUIRE(rc == 0);
    c->done = on_blas_done;
    c->watchdog.limits.seconds = BLAS_CHECK_SECONDS;
    capture_start(c, &loop, args, environment, -1);
    uv_run(&loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&loop);
    REQUIRE(rc == 0);

    enum blas_verdict verdict = verdict_of(c);
    struct json *said =
        verdict == BLAS_RIGHT
            ? json_parse(c->output[0].data ? c->output[0].data : "", c->output[0].len, NULL)
            : NULL;
    out->kind = (struct worker_kind){0};
    str_copy(out->kind.core_type, sizeof(out->kind.core_type), core_type);
    take_text(said, "core", out->kind.core, sizeof(out->kind.core));
    take_text(said, "blas", out->kind.blas, sizeof(out->kind.blas));
    take_text(said, "sandbox", out->kind.sandbox, sizeof(out->kind.sandbox));
    json_destroy(said);
    if (verdict != BLAS_RIGHT)
        capture_explain(c, out->why, sizeof(out->why));
    capture_finish(c);
    free(c);
    environment_destroy(environment);
    return verdict;
}

static enum blas_verdict blas_judge(const char *worker, const char *core_type,
                                    struct blas_trial *out)
{
    for (int left = BLAS_TRIES - 1;; left--) {
        enum blas_verdict verdict = blas_try(worker, core_type, out);
        if (verdict != BLAS_UNKNOWN || left == 0)
            return verdict;
        log_warn("BLAS kernels could not be checked: %s; trying again", out->why);
        uv_sleep(BLAS_TRY_AGAIN_MS);
    }
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
        switch (blas_judge(worker, candidates[i], &trial)) {
        case BLAS_RIGHT:
            *out = trial.kind;
            if (first_why[0])
                log_warn("BLAS core type %s is used instead", candidates[i]);
            return 0;
        case BLAS_UNKNOWN:
            return err_set(err, ERR_STATE, "the BLAS kernels of %s could not be checked: %s",
                           worker, trial.why);
        case BLAS_WRONG:
            break;
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
    struct job *next; /* in the queue */
    char *key;
    char *config;                  /* config.json's text */
    uv_timer_t answer;             /* an answer from memory is given on the next turn of the loop */
    struct record_prepared *found; /* that answer; owned */
    struct prepare_client client;
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
    j->client.answer(j->client.arg, NULL, &err);
}

static void job_fail_limit(struct job *j)
{
    char text[640];
    bool memory = j->capture.watchdog.exceeded == RUN_ERROR_OUT_OF_MEMORY;
    snprintf(text, sizeof(text), "the data could not be prepared: %s (sweepd %s)",
             j->capture.watchdog.text, memory ? "--prepare-memory" : "--prepare-seconds");
    log_warn("%s", text);
    job_fail(j, ERR_LIMIT, text);
}

/* It has printed nothing, or something that is not what was asked for. */
static void job_unread(struct job *j, const char *line, size_t len, const struct errbuf *err)
{
    char why[512], said[640] = "";
    if (len > 0)
        record_explain(line, len, err, said, sizeof(said));
    capture_explain(&j->capture, why, sizeof(why));
    char *text = xasprintf("the data could not be prepared: %s%s%s%s", why,
                           len > 0 ? "; the last line that --prepare printed is refused: " : "",
                           said, len > 0 ? " (docs/protocol.md, --prepare)" : "");
    log_warn("%s", text);
    job_fail(j, ERR_DATA, text);
    free(text);
}

/* The last line of its output decides: prepared, or an error with the spec's path in it. */
static void job_answer(struct job *j)
{
    struct capture *c = &j->capture;
    struct record r;
    struct errbuf err;
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
    } else if (c->unwanted) {
        job_fail(j, ERR_STATE, UNWANTED);
    } else if (c->watchdog.exceeded != RUN_ERROR_NONE) {
        job_fail_limit(j);
    } else if (len == 0 || record_parse(line, len, &r, &err) < 0) {
        job_unread(j, line, len, &err);
    } else {
        if (r.type == RECORD_PREPARED) {
            prepared_remember(&j->prepare->memory, j->key, line, len);
            j->client.answer(j->client.arg, r.u.prepared, NULL);
        } else if (r.type == RECORD_ERROR) {
            j->client.answer(j->client.arg, NULL, &r.u.error);
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
        j->client.answer(j->client.arg, j->found, NULL);
    uv_close((uv_handle_t *)timer, on_answer_closed);
}

static bool is_wanted(const struct job *j)
{
    return j->client.wanted(j->client.arg);
}

static bool is_job_wanted(struct capture *c)
{
    return is_wanted(c->arg);
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
    j->capture.wanted = is_job_wanted;
    j->capture.watchdog.limits = site->prepare_limits;
    capture_start(&j->capture, site->loop->uv, args, site->environment, fd);
    if (fd >= 0)
        close(fd);
}

static struct job *take_waiting(struct prepare *p)
{
    struct job *j = p->waiting;
    p->waiting = j->next;
    if (!p->waiting)
        p->waiting_end = &p->waiting;
    return j;
}

/* Those whose client went away meanwhile are not begun. */
static void start_waiting(struct prepare *p)
{
    for (size_t i = 0; i < PROCESSES_MAX && p->waiting; i++) {
        while (!p->running[i] && p->waiting) {
            struct job *j = take_waiting(p);
            if (is_wanted(j)) {
                p->running[i] = j;
                job_start(j);
            } else {
                job_fail(j, ERR_STATE, UNWANTED);
                job_free(j);
            }
        }
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

void prepare_data(struct prepare *p, const struct spec *spec, const struct prepare_client *client)
{
    struct job *j = xcalloc(1, sizeof(*j));
    j->prepare = p;
    j->client = *client;
    j->key = config_text(p->site->runs_dir, spec);
    p->active++;
    j->found = prepared_recall(&p->memory, j->key);
    if (j->found || p->stopping) {
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
