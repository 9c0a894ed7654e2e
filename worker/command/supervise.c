#include "worker/command/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#define LOG_MODULE "command"
#include "sweep/log.h"
#include "sweep/require.h"
#include "worker/command/intake.h"
#include "worker/command/output.h"
#include "worker/command/program.h"
#include "worker/sandbox.h"

#define CHUNK_BYTES 65536
/* From SIGTERM to SIGKILL. Below the five seconds after which the daemon ends us: then nobody
 * would be there to end what the program has started. */
#define GRACE_SECONDS 4.0
#define LAST_WORDS_BYTES 240
#define NAMES_BYTES 240

struct supervisor {
    struct command_config config;
    char run_dir[PATH_MAX]; /* absolute */
    struct link *link;
    struct program program;
    struct intake intake;
    struct output output;
    double start_seconds, kill_at; /* monotonic; kill_at 0: no deadline */
    int signals;                   /* signalfd */
    bool ended;                    /* the program has */
    bool stop_requested;              /* by SIGTERM */
    bool unwritable;               /* a line could not be written: the run is over */
    char chunk[CHUNK_BYTES];
};

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Since the run's start, in whole microseconds: more digits only make long lines. */
static double run_seconds(const struct supervisor *s)
{
    return round(1e6 * (clock_seconds() - s->start_seconds)) / 1e6;
}

/* --- lines ------------------------------------------------------------------------------------ */

static int send_start(struct link *link)
{
    struct record r = {.type = RECORD_START, .u.start = {.pid = getpid()}};
    return link_send(link, &r);
}

static int send_point(void *context, struct point_metrics *m)
{
    struct record r = {.type = RECORD_POINT, .metrics = m, .u.point = m->at};
    return link_send(context, &r);
}

static int send_result(const struct supervisor *s, enum run_error error, const char *text)
{
    struct record r = {.type = RECORD_RESULT};
    struct record_result *result = &r.u.result;

    result->status = error == RUN_ERROR_NONE ? RUN_COMPLETED : RUN_FAILED;
    result->error = error;
    result->seconds = run_seconds(s);
    str_copy(result->text, sizeof(result->text), text);
    if (error != RUN_ERROR_NONE)
        log_error("%s", text);
    int rc = link_send(s->link, &r);
    return rc != 0 || error != RUN_ERROR_NONE;
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void stop_on_full_disk(struct supervisor *s, int rc)
{
    if (rc == 0 || s->unwritable)
        return;
    s->unwritable = true;
    program_signal(&s->program, SIGKILL);
}

/* Reads once. The number of bytes; 0: none at the moment; -1: it is closed. */
static ssize_t read_some(struct supervisor *s, int fd)
{
    ssize_t n = read(fd, s->chunk, sizeof(s->chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -1;
}

static ssize_t take_metrics(struct supervisor *s)
{
    ssize_t n = read_some(s, s->program.metrics);
    if (n > 0 && !s->unwritable)
        stop_on_full_disk(s, intake_bytes(&s->intake, s->chunk, (size_t)n, run_seconds(s)));
    return n;
}

static ssize_t take_output(struct supervisor *s)
{
    ssize_t n = read_some(s, s->program.output);
    if (n > 0)
        output_put(&s->output, s->chunk, (size_t)n);
    return n;
}

static void take_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) || s->stop_requested)
        return;
    s->stop_requested = true;
    s->kill_at = clock_seconds() + GRACE_SECONDS;
    program_signal(&s->program, SIGTERM);
    program_signal(&s->program, SIGCONT); /* one that is stopped must hear it too */
}

static int wait_ms(const struct supervisor *s)
{
    if (s->kill_at == 0)
        return -1;
    double left = s->kill_at - clock_seconds();
    return left > 0 ? (int)(1000 * left) + 1 : 0;
}

static void close_end(int *fd)
{
    close(*fd);
    *fd = -1;
}

/* Until the program has ended: one turn reads each pipe once, so that neither starves. */
static void watch(struct supervisor *s)
{
    struct program *p = &s->program;

    while (!s->ended) {
        struct pollfd fds[] = {{s->signals, POLLIN, 0},
                               {p->metrics, POLLIN, 0},
                               {p->output, POLLIN, 0},
                               {p->pidfd, POLLIN, 0}};
        int ready = poll(fds, ARRAY_LEN(fds), wait_ms(s));
        if (s->kill_at > 0 && clock_seconds() >= s->kill_at) {
            s->kill_at = 0;
            program_signal(p, SIGKILL);
        }
        if (ready <= 0)
            continue;
        if (fds[0].revents)
            take_signal(s);
        if (fds[1].revents && take_metrics(s) < 0)
            close_end(&p->metrics);
        if (fds[2].revents && take_output(s) < 0)
            close_end(&p->output);
        s->ended = fds[3].revents != 0;
    }
}

/* What was in a pipe when the program had ended: no more than the pipe holds, for a descendant
 * that got away may write for ever. */
static void drain(struct supervisor *s, int fd, ssize_t (*take)(struct supervisor *s))
{
    ssize_t left = fd >= 0 ? fcntl(fd, F_GETPIPE_SZ) : 0, n;

    while (left > 0 && (n = take(s)) > 0)
        left -= n;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void say_left_out(const struct supervisor *s)
{
    struct buf text = {0};

    intake_left_out(&s->intake, &text);
    if (text.len > 0)
        log_warn("left out of the metrics: %s", text.data);
    buf_finish(&text);
}

/* Why a program that ended well has nothing that its sweep could rank it by. */
static void explain_no_metric(const struct supervisor *s, struct buf *text)
{
    const struct intake *in = &s->intake;
    const char *near = series_nearest(&in->series, s->config.metric);

    buf_printf(text, "exit status 0, but \"%s\", which its sweep ranks by, was never reported",
               s->config.metric);
    if (in->points == 0 && in->held_count > 0)
        buf_printf(text, ": no line has \"%s\", which counts its epochs", in->key);
    else if (in->series.count == 0)
        buf_printf(text,
                   ": there was no line of metrics on descriptor SWEEPD_METRICS_FD "
                   "(%" PRIu64 " that could not be read%s%s)",
                   in->bad_lines, in->bad_lines > 0 ? "; the first: " : "", in->first_bad);
    else
        buf_puts(text, near ? "; did you mean " : "; reported: ");
    if (near && in->series.count > 0)
        buf_printf(text, "%s? reported: ", near);
    series_list(&in->series, NAMES_BYTES, text);
}

static enum run_error explain_signal(int number, struct buf *text)
{
    bool from_outside = number == SIGKILL || number == SIGTERM;

    buf_printf(text, "the program was ended by signal %d (%s)%s", number, strsignal(number),
               number == SIGKILL ? ", perhaps for lack of memory" : "");
    return from_outside ? RUN_ERROR_KILLED : RUN_ERROR_CRASHED;
}

static int report_end(struct supervisor *s, int status)
{
    struct buf text = {0}, words = {0};
    enum run_error error = RUN_ERROR_EXITED;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && s->intake.metric_seen)
        error = RUN_ERROR_NONE;
    else if (WIFSIGNALED(status))
        error = explain_signal(WTERMSIG(status), &text);
    else if (WEXITSTATUS(status) == 0)
        explain_no_metric(s, &text);
    else
        buf_printf(&text, "the program ended with exit status %d", WEXITSTATUS(status));
    if (error != RUN_ERROR_NONE)
        output_last_words(&s->output, LAST_WORDS_BYTES, &words);
    if (words.len > 0)
        buf_printf(&text, ": %s", words.data);
    int rc = send_result(s, error, text.len > 0 ? text.data : "");
    buf_finish(&words);
    buf_finish(&text);
    return rc;
}

static int finish(struct supervisor *s)
{
    int status = program_reap(&s->program);

    drain(s, s->program.output, take_output);
    output_end(&s->output);
    if (s->stop_requested) {
        say_left_out(s);
        return EX_TEMPFAIL; /* it begins anew: what it would still have said counts for nothing */
    }
    drain(s, s->program.metrics, take_metrics);
    if (!s->unwritable)
        stop_on_full_disk(s, intake_end(&s->intake, run_seconds(s)));
    say_left_out(s);
    return s->unwritable ? EX_IOERR : report_end(s, status);
}

/* --- the start -------------------------------------------------------------------------------- */

/* The folder that config.json lies in. */
static int find_run_dir(const char *config_path, char out[PATH_MAX], struct errbuf *err)
{
    char *path = xstrdup(config_path);
    bool found = realpath(dirname(path), out) != NULL;

    free(path);
    return found ? 0 : err_set(err, ERR_IO, "the folder of %s: %s", config_path, strerror(errno));
}

/* SIGTERM is read from a descriptor from now on. The program's own mask is empty again. */
static int catch_term(void)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    return signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A pipe must not take the place of a standard descriptor that is closed. */
static void open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* From here on we only read what the program writes, and signal it. All else is open already. */
static void enclose(void)
{
    const struct sandbox nothing = {.may_signal = true};

    sandbox_enter(&nothing);
}

static int run_program(struct supervisor *s)
{
    struct errbuf err = {0};

    if (send_start(s->link) != 0)
        return EX_IOERR;
    sandbox_limit(false); /* of the program too */
    int rc = program_start(&s->program, &s->config, s->run_dir, &err);
    if (rc != 0)
        return send_result(s, rc == ERR_IO ? RUN_ERROR_SPAWN : RUN_ERROR_CONFIG, err.message);
    enclose();
    watch(s);
    int status = finish(s);
    program_close(&s->program);
    return status;
}

int worker_command(const char *config_path, struct link *link)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));
    struct errbuf err = {0};

    s->link = link;
    s->start_seconds = clock_seconds();
    open_standard();
    s->signals = catch_term();
    int rc = command_config_read(config_path, &s->config, &err);
    if (rc == 0)
        rc = find_run_dir(config_path, s->run_dir, &err);
    if (rc != 0) {
        rc = send_result(s, RUN_ERROR_CONFIG, err.message);
    } else {
        intake_init(&s->intake, &s->config, send_point, link);
        output_init(&s->output, STDERR_FILENO);
        rc = run_program(s);
        intake_finish(&s->intake);
        output_finish(&s->output);
    }
    command_config_finish(&s->config);
    if (s->signals >= 0)
        close(s->signals);
    free(s);
    return rc;
}
