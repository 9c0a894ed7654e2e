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
#include "worker/command/descriptor.h"
#include "worker/command/explain.h"
#include "worker/command/files/files.h"
#include "worker/command/intake.h"
#include "worker/command/listen.h"
#include "worker/command/output.h"
#include "worker/command/program.h"
#include "worker/command/resume.h"
#include "worker/command/surroundings.h"
#include "worker/sandbox.h"

#define CHUNK_BYTES 65536
#define LAST_WORDS_BYTES 240

struct supervisor {
    struct command_config config;
    char run_dir[PATH_MAX]; /* absolute */
    struct link *link;
    struct program program;
    struct descriptor metrics;
    struct intake intake;
    struct listener listener;
    struct files files;
    struct output output;
    struct surroundings around;
    double start_seconds;
    double term_at, kill_at;       /* monotonic; 0: not due */
    bool marked_from_zero;         /* as the mark for a resumed run has it */
    int signals;                   /* signalfd */
    bool ended;                    /* the program has */
    bool stop_requested;           /* by SIGTERM */
    bool killed;                   /* its grace is over */
    bool at_rung;                  /* it came beyond its budget, and is ended */
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

/* The daemon gives us the time that we give the program. */
static int send_start(const struct supervisor *s, bool anew)
{
    const struct command_manner *m = &s->config.manner;
    struct record r = {.type = RECORD_START,
                       .u.start = {.pid = getpid(),
                                   .resumed_point = s->intake.points,
                                   .anew = anew,
                                   .grace_ms = (int64_t)(1000 *
                                                         (m->stop_seconds + m->grace_seconds))}};
    return link_send(s->link, &r);
}

static int send_point(void *context, struct point_metrics *m)
{
    const struct supervisor *s = context;
    struct record r = {.type = RECORD_POINT, .metrics = m, .u.point = m->at};
    return link_send(s->link, &r);
}

/* A better way to report tells again what was read before from what the program prints. */
static int send_anew(void *context)
{
    return send_start(context, true);
}

static bool is_at_rung(const struct supervisor *s)
{
    const struct command_config *c = &s->config;
    bool came = s->intake.epoch >= (double)c->until_epoch;
    return s->at_rung || (c->until_epoch < c->epochs && came);
}

static int send_result(const struct supervisor *s, enum run_error error, const char *text)
{
    struct record r = {.type = RECORD_RESULT};
    struct record_result *result = &r.u.result;

    result->status = error == RUN_ERROR_NONE ? RUN_COMPLETED : RUN_FAILED;
    if (error == RUN_ERROR_NONE && is_at_rung(s)) {
        result->status = RUN_PAUSED;
        result->epoch = s->config.until_epoch;
    }
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

/* All of its group hears it, one that is stopped too. */
static void terminate(struct supervisor *s)
{
    s->term_at = 0;
    s->kill_at = clock_seconds() + s->config.manner.grace_seconds;
    program_signal(&s->program, SIGTERM);
    program_signal(&s->program, SIGCONT);
}

static void ask_to_stop(struct supervisor *s)
{
    if (s->term_at > 0 || s->kill_at > 0 || s->killed)
        return; /* it is being ended */
    surroundings_ask_to_stop(&s->around);
    s->term_at = clock_seconds() + s->config.manner.stop_seconds;
    if (s->config.manner.stop_seconds == 0)
        terminate(s);
}

/* After each piece of metrics. */
static void look_at_intake(struct supervisor *s)
{
    if (s->config.manner.can_resume && !s->marked_from_zero && s->intake.shift > 0)
        s->marked_from_zero = resume_mark(s->run_dir, true);
    if (!s->intake.beyond || s->at_rung)
        return;
    s->at_rung = true;
    ask_to_stop(s);
}

static ssize_t take_metrics(struct supervisor *s)
{
    struct intake *in = &s->intake;
    int64_t points = in->points, over = (int64_t)in->points_over;
    int64_t whole = s->metrics.at - (int64_t)in->line.len; /* lines up to there were taken */
    ssize_t n = descriptor_read(&s->metrics, s->chunk, sizeof(s->chunk));

    if (n > 0 && !s->unwritable)
        stop_on_full_disk(s, intake_bytes(in, s->chunk, (size_t)n, run_seconds(s)));
    if (in->points + (int64_t)in->points_over > points + over)
        descriptor_forget(&s->metrics, whole);
    look_at_intake(s);
    return n;
}

static ssize_t take_output(struct supervisor *s)
{
    ssize_t n = read(s->program.output, s->chunk, sizeof(s->chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    output_put(&s->output, s->chunk, (size_t)n);
    if (!s->unwritable)
        stop_on_full_disk(s, listener_stdout(&s->listener, s->chunk, (size_t)n, run_seconds(s)));
    look_at_intake(s);
    return n;
}

static void take_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info) || s->stop_requested)
        return;
    s->stop_requested = true;
    ask_to_stop(s);
}

/* Below 0: never. */
static double sooner(double a, double b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int wait_ms(const struct supervisor *s)
{
    double at = s->term_at > 0 ? s->term_at : s->kill_at, now = run_seconds(s);
    double left = at > 0 ? fmax(at - clock_seconds(), 0) : -1;

    left = sooner(left, listener_due(&s->listener, now));
    left = sooner(left, files_due(&s->files, &s->listener, now));
    left = sooner(left, (double)descriptor_due_ms(&s->metrics) / 1000);
    return left < 0 ? -1 : left > 0 ? (int)(1000 * left) + 1 : 0;
}

static void do_what_is_due(struct supervisor *s)
{
    if (s->term_at > 0 && clock_seconds() >= s->term_at)
        terminate(s);
    if (s->kill_at > 0 && clock_seconds() >= s->kill_at) {
        s->kill_at = 0;
        s->killed = true;
        program_signal(&s->program, SIGKILL);
    }
    if (!s->unwritable)
        stop_on_full_disk(s, files_look(&s->files, &s->listener, run_seconds(s), false));
    if (!s->unwritable)
        stop_on_full_disk(s, listener_tick(&s->listener, run_seconds(s)));
    look_at_intake(s);
}

/* Until the program has ended: one turn reads each pipe once, so that neither starves. */
static void watch(struct supervisor *s)
{
    struct program *p = &s->program;

    while (!s->ended) {
        struct pollfd fds[] = {{s->signals, POLLIN, 0},
                               {s->metrics.wake, POLLIN, 0},
                               {p->output, POLLIN, 0},
                               {p->pidfd, POLLIN, 0}};
        int ready = poll(fds, ARRAY_LEN(fds), wait_ms(s));
        do_what_is_due(s);
        if (ready < 0)
            continue;
        if (fds[0].revents)
            take_signal(s);
        if ((fds[1].revents || descriptor_due_ms(&s->metrics) >= 0) && take_metrics(s) < 0)
            descriptor_close(&s->metrics);
        if (fds[2].revents && take_output(s) < 0)
            program_close_output(p);
        s->ended = fds[3].revents != 0;
    }
}

/* What was in a pipe when the program had ended: no more than the pipe holds, for a descendant
 * that got away may write for ever. */
static void drain(struct supervisor *s, int64_t left, ssize_t (*take)(struct supervisor *s))
{
    ssize_t n;

    while (left > 0 && (n = take(s)) > 0)
        left -= n;
}

/* --- the end ---------------------------------------------------------------------------------- */

static int report_end(struct supervisor *s, int status)
{
    struct buf text = {0}, words = {0};
    enum run_error error = RUN_ERROR_EXITED;

    bool ended_by_us = s->at_rung; /* however it took that */
    if ((ended_by_us || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) && s->intake.metric_seen)
        error = RUN_ERROR_NONE;
    else if (WIFSIGNALED(status) && !ended_by_us)
        error = explain_signal(WTERMSIG(status), &text);
    else if (ended_by_us || WEXITSTATUS(status) == 0)
        explain_no_metric(&s->intake, s->config.metric, &text);
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

    drain(s, program_left(&s->program), take_output);
    output_end(&s->output);
    if (s->stop_requested && !s->config.manner.can_resume) {
        explain_left_out(&s->intake);
        return EX_TEMPFAIL; /* it begins anew: what it would still have said counts for nothing */
    }
    drain(s, descriptor_left(&s->metrics), take_metrics);
    if (!s->unwritable)
        stop_on_full_disk(s, files_look(&s->files, &s->listener, run_seconds(s), true));
    if (!s->unwritable)
        stop_on_full_disk(s, listener_end(&s->listener, run_seconds(s)));
    if (!s->unwritable)
        stop_on_full_disk(s, intake_end(&s->intake, run_seconds(s)));
    explain_channel(&s->listener, &s->files);
    explain_left_out(&s->intake);
    if (s->unwritable)
        return EX_IOERR;
    return s->stop_requested ? EX_TEMPFAIL : report_end(s, status);
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

/* From here on we only read what the program writes, write to the run's folder, and signal. */
static void enclose(const struct supervisor *s)
{
    struct sandbox own = {.may_signal = true};

    sandbox_allow(&own, s->run_dir, SANDBOX_WRITE);
    if (s->config.manner.channels & (1u << COMMAND_CHANNEL_FILES))
        sandbox_allow(&own, s->config.manner.directory, SANDBOX_READ);
    sandbox_enter(&own);
    sandbox_finish(&own);
}

/* What an earlier attempt has given, and the program's files. */
static int prepare(struct supervisor *s, struct errbuf *err)
{
    bool can_resume = s->config.manner.can_resume, goes_on = false;

    s->around = (struct surroundings){.config = &s->config, .run_dir = s->run_dir};
    if (can_resume) {
        s->around.resumes = goes_on = resume_take(s->run_dir, &s->intake);
        s->marked_from_zero = s->intake.shift > 0;
    }
    files_begin(&s->files, &s->config, s->run_dir);
    int rc = surroundings_prepare(&s->around, err);
    if (!rc && can_resume && !resume_mark(s->run_dir, s->marked_from_zero))
        rc = err_set(err, ERR_IO, "the run's folder cannot be written to: %s", strerror(errno));
    if (!rc && can_resume)
        rc = descriptor_open_file(&s->metrics, s->run_dir, goes_on, err);
    else if (!rc)
        rc = descriptor_open_pipe(&s->metrics, err);
    return rc;
}

static int run_program(struct supervisor *s)
{
    struct errbuf err = {0};

    int rc = prepare(s, &err);
    if (rc == 0 && s->metrics.is_file && resume_replay(&s->metrics, &s->intake) != 0)
        return EX_IOERR;
    if (send_start(s, false) != 0)
        return EX_IOERR;
    sandbox_limit(false); /* of the program too */
    if (!rc)
        rc = program_start(&s->program, &s->around, s->metrics.theirs, &err);
    descriptor_hand_over(&s->metrics);
    if (rc != 0)
        return send_result(s, rc == ERR_IO ? RUN_ERROR_SPAWN : RUN_ERROR_CONFIG, err.message);
    s->files.group = s->program.pid;
    enclose(s);
    watch(s);
    int status = finish(s);
    program_close(&s->program);
    if (status == EX_OK && !is_at_rung(s))
        descriptor_remove(&s->metrics, s->run_dir);
    return status;
}

int worker_command(const char *config_path, struct link *link)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));
    struct errbuf err = {0};

    s->link = link;
    descriptor_init(&s->metrics);
    s->start_seconds = clock_seconds();
    open_standard();
    s->signals = catch_term();
    int rc = command_config_read(config_path, &s->config, &err);
    if (rc == 0)
        rc = find_run_dir(config_path, s->run_dir, &err);
    if (rc != 0) {
        rc = send_result(s, RUN_ERROR_CONFIG, err.message);
    } else {
        intake_init(&s->intake, &s->config, send_point, s);
        s->intake.anew = send_anew;
        listener_init(&s->listener, &s->config, &s->intake);
        output_init(&s->output, STDERR_FILENO);
        rc = run_program(s);
        descriptor_close(&s->metrics);
        files_finish(&s->files);
        listener_finish(&s->listener);
        intake_finish(&s->intake);
        output_finish(&s->output);
    }
    command_config_finish(&s->config);
    if (s->signals >= 0)
        close(s->signals);
    free(s);
    return rc;
}
