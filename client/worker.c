#include "client/worker.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/run_config.h"

#define READ_BYTES (64 * 1024)
#define LAST_WORDS_BYTES 400

#define CORE_TYPE "OPENBLAS_CORETYPE"

/* --- start ----------------------------------------------------------------------------------- */

static int fail(struct errbuf *err, const char *what)
{
    return err_set(err, ERR_IO, "%s: %s", what, strerror(errno));
}

static bool sets(const char *entry, const char *name)
{
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* One BLAS thread, as for every run: two do not give the same bits every time. */
static char **environment_create(const char *core_type)
{
    static const char *const replaced[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                                           "GOTO_NUM_THREADS"};
    const char *chosen = getenv(CORE_TYPE);
    size_t count = 0, n = 0;
    while (environ[count] != NULL)
        count++;
    char **out = xcalloc(count + ARRAY_LEN(replaced) + 2, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        bool ours = false;
        for (size_t k = 0; k < ARRAY_LEN(replaced); k++)
            ours = ours || sets(environ[i], replaced[k]);
        if (!ours)
            out[n++] = xstrdup(environ[i]);
    }
    for (size_t k = 0; k < ARRAY_LEN(replaced); k++)
        out[n++] = xasprintf("%s=1", replaced[k]);
    if (*core_type != '\0' && (chosen == NULL || *chosen == '\0'))
        out[n++] = xasprintf(CORE_TYPE "=%s", core_type);
    return out;
}

static void environment_destroy(char **environment)
{
    for (char **e = environment; *e != NULL; e++)
        free(*e);
    free(environment);
}

/* The configuration in a file without a name: nothing is left behind, whatever happens. */
static int config_file(const struct run_config *config, int *out, struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    run_config_write(config, &w);
    int fd = memfd_create("config.json", MFD_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, text.data, text.len);
    bool whole = n >= 0 && (size_t)n == text.len;
    int rc = whole ? 0 : fail(err, "config.json");
    buf_finish(&text);
    if (rc == 0)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return rc;
}

/* posix_spawn with these descriptors as 0, 1 and 2; the others close by themselves. */
static int spawn(struct worker *w, const char *program, char **environment,
                 const int descriptors[3], struct errbuf *err)
{
    char *trains[] = {(char *)(uintptr_t)program, (char[]){"/dev/stdin"}, NULL};
    char *predicts[] = {(char *)(uintptr_t)program, (char[]){"--predict"}, (char[]){"/dev/stdin"},
                        NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, descriptors[i], i);
    errno = posix_spawn(&w->pid, program, &actions, NULL,
                        w->predicts ? predicts : trains, environment);
    int rc = errno == 0 ? 0 : fail(err, program);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        w->pid = -1;
    return rc;
}

int worker_start(struct worker *w, const char *program, const struct run_config *config,
                 const char *core_type, struct errbuf *err)
{
    int ends[2] = {-1, -1}, in = -1;
    *w = (struct worker){.pid = -1, .out = -1, .log = -1};
    w->predicts = config->predict[0] != '\0';
    int rc = config_file(config, &in, err);
    if (rc == 0 && (w->log = memfd_create("stderr", MFD_CLOEXEC)) < 0)
        rc = fail(err, "stderr");
    if (rc == 0 && pipe2(ends, O_CLOEXEC) != 0)
        rc = fail(err, "pipe");
    if (rc == 0) {
        char **environment = environment_create(core_type);
        w->out = ends[0];
        rc = spawn(w, program, environment, (const int[]){in, ends[1], w->log}, err);
        environment_destroy(environment);
        close(ends[1]);
    }
    if (in >= 0)
        close(in);
    if (rc != 0)
        worker_finish(w);
    return rc;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* 1: there are more bytes; 0: there are none any more. */
static int fill(struct worker *w, struct errbuf *err)
{
    if (w->bytes.len - w->taken > RECORD_LINE_MAX)
        return err_set(err, ERR_LIMIT, "the worker wrote a line of more than %d bytes",
                       RECORD_LINE_MAX);
    buf_consume(&w->bytes, w->taken);
    w->taken = 0;
    buf_reserve(&w->bytes, READ_BYTES);
    ssize_t n;
    do
        n = read(w->out, w->bytes.data + w->bytes.len, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(err, "the worker's lines");
    w->bytes.len += (size_t)n;
    return n > 0;
}

int worker_read_all(struct worker *w, struct buf *out, struct errbuf *err)
{
    ssize_t n;
    siginfo_t end = {0};
    do {
        buf_reserve(out, READ_BYTES);
        n = read(w->out, out->data + out->len, READ_BYTES);
        out->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return fail(err, "the worker's answer");
    out->data[out->len] = '\0';
    if (waitid(P_PID, (id_t)w->pid, &end, WEXITED | WNOWAIT) != 0) /* worker_explain asks again */
        return fail(err, "waitid");
    return end.si_code == CLD_EXITED ? end.si_status : WORKER_KILLED;
}

int worker_read(struct worker *w, struct record *out, struct errbuf *err)
{
    for (;;) {
        size_t left = w->bytes.len - w->taken;
        const char *line = left > 0 ? w->bytes.data + w->taken : NULL;
        const char *end = left > 0 ? memchr(line, '\n', left) : NULL;
        if (end != NULL) {
            w->taken += (size_t)(end - line) + 1;
            int rc = record_parse(line, (size_t)(end - line), out, err);
            return rc == 0 ? 1 : rc;
        }
        int rc = fill(w, err);
        if (rc <= 0)
            return rc;
    }
}

/* --- end ------------------------------------------------------------------------------------- */

static void last_words(const struct worker *w, char out[LAST_WORDS_BYTES])
{
    off_t size = lseek(w->log, 0, SEEK_END);
    off_t from = size > LAST_WORDS_BYTES - 1 ? size - (LAST_WORDS_BYTES - 1) : 0;
    ssize_t n = pread(w->log, out, LAST_WORDS_BYTES - 1, from);
    out[n > 0 ? n : 0] = '\0';
    size_t len = strlen(out);
    while (len > 0 && out[len - 1] == '\n')
        out[--len] = '\0';
}

int worker_explain(struct worker *w, int code, struct errbuf *err)
{
    char said[LAST_WORDS_BYTES];
    int status = 0;
    if (waitpid(w->pid, &status, 0) == w->pid)
        w->pid = -1;
    last_words(w, said);
    if (WIFSIGNALED(status))
        return err_set(err, code, "the worker ended by signal %d: %s", WTERMSIG(status), said);
    return err_set(err, code, "the worker ended with status %d and no result: %s",
                   WEXITSTATUS(status), said);
}

void worker_finish(struct worker *w)
{
    if (w->pid > 0) {
        kill(w->pid, SIGKILL); /* it has nothing to lose */
        waitpid(w->pid, NULL, 0);
    }
    if (w->out >= 0)
        close(w->out);
    if (w->log >= 0)
        close(w->log);
    buf_finish(&w->bytes);
    *w = (struct worker){.pid = -1, .out = -1, .log = -1};
}
