#include "daemon/launch/slot.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "daemon/engine/engine.h"
#include "daemon/launch/site.h"
#include "daemon/launch/stderr_cap.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/require.h"

#define LOG_MODULE "slot"

#define GRACE_MAX_MS (2 * 86400 * INT64_C(1000)) /* what a specification can ask for */

/* --- states --------------------------------------------------------------------------------- */

#define TO(id) (1u << SLOT_##id)

/* A worker can end in any state; then its file is read to the end, and then it is done. */
static const unsigned moves[SLOT_STATE_COUNT] = {
    [SLOT_STARTING] = TO(RUNNING) | TO(DRAINING) | TO(DONE),
    [SLOT_RUNNING] = TO(TERM_DUE) | TO(KILL_DUE) | TO(DRAINING),
    [SLOT_TERM_DUE] = TO(TERMINATING) | TO(KILL_DUE) | TO(DRAINING),
    [SLOT_TERMINATING] = TO(KILL_DUE) | TO(DRAINING),
    [SLOT_KILL_DUE] = TO(KILLING) | TO(DRAINING),
    [SLOT_KILLING] = TO(DRAINING),
    [SLOT_DRAINING] = TO(DONE),
    [SLOT_DONE] = 0,
};

static const struct {
    const char *name;
    bool has_worker;
} states[] = {
#define X(id, name, has_worker) {name, has_worker},
    SLOT_STATE_MAP(X)
#undef X
};

bool slot_may(enum slot_state from, enum slot_state to)
{
    return moves[from] & (1u << to);
}

const char *slot_state_name(enum slot_state s)
{
    return states[s].name;
}

static bool has_been(const struct slot *s, enum slot_state state)
{
    return s->been & (1u << state);
}

/* What holds in every state, whatever was told or read. */
static void check_slot(const struct slot *s)
{
    REQUIRE(!states[s->state].has_worker || (s->worker && s->tail.dir.fd >= 0));
    REQUIRE(s->state != SLOT_STARTING || !s->worker);
    REQUIRE(s->state != SLOT_DRAINING || s->tail.dir.fd >= 0);
}

static void move(struct slot *s, enum slot_state to)
{
    REQUIRE(slot_may(s->state, to));
    s->state = to;
    s->been |= 1u << to;
    check_slot(s);
}

void slot_init(struct slot *s, struct launcher *l, struct tail_scratch *scratch, int64_t run_id,
               const struct run_owner *owner)
{
    memset(s, 0, sizeof(*s));
    s->launcher = l;
    s->run_id = run_id;
    s->has_owner = owner != NULL;
    if (owner)
        s->owner = *owner;
    s->been = 1u << SLOT_STARTING;
    tail_init(&s->tail, l->site, scratch, run_id);
}

void slot_finish(struct slot *s)
{
    REQUIRE(s->state == SLOT_DONE);
    if (s->worker)
        s->launcher->type->release(s->worker);
    tail_finish(&s->tail);
}

void slot_leave(struct slot *s)
{
    log_info("run %" PRId64 ": its worker lives on", s->run_id);
    if (s->worker)
        s->launcher->type->release(s->worker);
    s->worker = NULL;
    tail_finish(&s->tail);
}

/* --- signals -------------------------------------------------------------------------------- */

static bool grace_is_over(struct slot *s, uint64_t now_ms)
{
    const struct launcher_type *type = s->launcher->type;
    struct usage usage;
    if (!grace_due(&s->grace, now_ms))
        return false;
    bool known = type->usage && type->usage(s->worker, &usage);
    return grace_look(&s->grace, known ? &usage : NULL, now_ms);
}

/* Sends what is due; called again on every tick, for an adopted worker's number may be known only
 * once its start line is read. */
static void send_due(struct slot *s, uint64_t now_ms)
{
    const struct launcher_type *launcher = s->launcher->type;
    if (s->state == SLOT_TERMINATING && grace_is_over(s, now_ms))
        move(s, SLOT_KILL_DUE);
    if (s->state == SLOT_KILL_DUE && launcher->signal(s->worker, SIGKILL)) {
        move(s, SLOT_KILLING);
    } else if (s->state == SLOT_TERM_DUE && launcher->signal(s->worker, SIGTERM)) {
        grace_begin(&s->grace, s->grace_ms + launcher->signal_delay_ms, now_ms);
        move(s, SLOT_TERMINATING);
    }
}

void slot_term(struct slot *s, uint64_t now_ms)
{
    if (slot_may(s->state, SLOT_TERM_DUE))
        move(s, SLOT_TERM_DUE);
    send_due(s, now_ms);
}

void slot_kill(struct slot *s, uint64_t now_ms)
{
    if (slot_may(s->state, SLOT_KILL_DUE))
        move(s, SLOT_KILL_DUE);
    send_due(s, now_ms);
}

/* --- what it may take ------------------------------------------------------------------------- */

static void note_oom_kills(struct slot *s, bool lately)
{
    if (s->launcher->type->oom_kills)
        s->oom_kills = s->launcher->type->oom_kills(s->launcher, lately);
}

/* Since the last look, which is a moment ago: then that was the worker. */
static bool was_out_of_memory(const struct slot *s)
{
    const struct launcher_type *type = s->launcher->type;
    return type->oom_kills && s->worker && type->oom_kills(s->launcher, false) > s->oom_kills;
}

static void carry_out(struct slot *s, enum watchdog_act act, uint64_t now_ms)
{
    if (act == WATCHDOG_CONTINUE) {
        log_warn("run %" PRId64 ": its worker is stopped by a signal; it is continued", s->run_id);
        (void)s->launcher->type->signal(s->worker, SIGCONT);
        return;
    }
    log_warn("run %" PRId64 ": ended: %s", s->run_id, s->watchdog.text);
    if (act == WATCHDOG_KILL)
        slot_kill(s, now_ms);
    else
        slot_term(s, now_ms);
}

static void note_energy(struct slot *s, const struct usage *u)
{
    const struct launcher_type *type = s->launcher->type;
    struct energy_reading now;
    if (!type->energy || !type->energy(s->launcher, &now))
        return;
    if (u)
        energy_share_look(&s->energy, &now, u->cpu_seconds);
    else
        energy_share_end(&s->energy, &now);
}

static void watch(struct slot *s, uint64_t now_ms)
{
    const struct launcher_type *type = s->launcher->type;
    struct usage usage;
    struct stat st;
    if (s->state != SLOT_RUNNING || !watchdog_due(&s->watchdog, now_ms))
        return;
    bool known = type->usage && type->usage(s->worker, &usage);
    int64_t bytes = fstat(s->tail.dir.fd, &st) == 0 ? st.st_size : 0;
    note_oom_kills(s, false);
    if (known)
        note_energy(s, &usage);
    enum watchdog_act act = watchdog_look(&s->watchdog, bytes, known ? &usage : NULL, now_ms);
    if (act != WATCHDOG_NOTHING)
        carry_out(s, act, now_ms);
}

/* --- the file ------------------------------------------------------------------------------- */

/* Of a start line, which may say anything. */
static uint64_t grace_asked(int64_t ms)
{
    return ms <= 0 ? 0 : ms < GRACE_MAX_MS ? (uint64_t)ms : GRACE_MAX_MS;
}

static enum tail_end read_on(struct slot *s, uint64_t now_ms)
{
    enum tail_end end = tail_read(&s->tail, now_ms);
    if (s->tail.introduced)
        s->grace_ms = grace_asked(s->tail.start.grace_ms);
    if (s->tail.introduced && s->worker && s->launcher->type->introduced)
        s->launcher->type->introduced(s->worker, &s->tail.start);
    s->tail.introduced = false;
    if (s->tail.broken)
        slot_kill(s, now_ms);
    return end;
}

static struct rundir_place folder_of(const struct slot *s)
{
    return (struct rundir_place){s->launcher->site->runs_dir, s->run_id,
                                 s->has_owner ? &s->owner : NULL};
}

static void note_aside(const struct slot *s)
{
    if (s->tail.dir.note[0])
        site_note(s->launcher->site, s->run_id, "folder_set_aside", "%s", s->tail.dir.note);
}

/* Nobody writes to the file any more: the next attempt finds only what nothing is wrong with. */
static bool cut_damage(const struct slot *s)
{
    const struct rundir_place at = folder_of(s);
    return rundir_cut(&at, s->tail.whole_bytes) == 0;
}

/* The rest of the file tells nothing that its run still needs: the worker was asked to end, and
 * left no result. What it has shown is read when it goes on. */
static bool may_stop_reading(struct slot *s)
{
    bool asked = has_been(s, SLOT_TERMINATING) || has_been(s, SLOT_KILLING);
    return asked && !rundir_has_result(&s->tail.dir);
}

static bool is_lost_file(const struct slot *s, uint64_t now_ms)
{
    return s->tail.unreadable && now_ms >= s->tail.unreadable_ms + SLOT_READ_WITHIN_MS;
}

/* --- the end of a worker --------------------------------------------------------------------- */

/* What the exit status says when the worker itself said nothing. */
static void explain_exit(const struct slot *s, struct run_exit *x, char *text, size_t size)
{
    int64_t status = s->worker ? s->worker->exit_status : 0;
    int signal = x->signal = s->worker ? s->worker->exit_signal : 0;
    if (s->watchdog.exceeded != RUN_ERROR_NONE) {
        x->error = s->watchdog.exceeded;
        str_copy(text, size, s->watchdog.text);
    } else if (s->tail.broken) {
        x->error = RUN_ERROR_PROTOCOL;
        x->inherited = cut_damage(s) && tail_inherited_damage(&s->tail);
        str_copy(text, size, s->tail.broken);
    } else if (s->worker && s->worker->exit_error != RUN_ERROR_NONE) {
        x->error = s->worker->exit_error;
        str_copy(text, size, s->worker->exit_text);
    } else if (s->tail.unreadable) {
        x->error = RUN_ERROR_FILE_UNREADABLE;
        str_copy(text, size, s->tail.unreadable);
    } else if (signal == SIGKILL && !has_been(s, SLOT_KILLING) && was_out_of_memory(s)) {
        x->error = RUN_ERROR_OUT_OF_MEMORY;
        str_copy(text, size, "killed by the kernel, which had no more memory");
    } else if ((signal == SIGKILL && !has_been(s, SLOT_KILLING)) ||
               (signal == SIGTERM && !has_been(s, SLOT_TERMINATING))) {
        x->error = RUN_ERROR_KILLED;
        snprintf(text, size, "killed by %s that the daemon did not send",
                 signal == SIGKILL ? "SIGKILL" : "SIGTERM");
    } else if (signal == 0 && status == EX_TEMPFAIL) {
        x->error = RUN_ERROR_KILLED;
        snprintf(text, size, "stopped with a checkpoint by a SIGTERM that the daemon did not send");
    } else if (signal != 0) {
        x->error = has_been(s, SLOT_TERM_DUE) ? RUN_ERROR_KILLED_BY_USER : RUN_ERROR_CRASHED;
        snprintf(text, size, "ended by signal %d (%s)", signal, strsignal(signal));
    } else {
        x->error = status == EX_IOERR   ? RUN_ERROR_DISK_FULL
                   : status == EX_OSERR ? RUN_ERROR_OUT_OF_MEMORY
                                        : RUN_ERROR_EXITED;
        snprintf(text, size, "exit status %" PRId64 " without a result", status);
    }
    x->text = text;
}

/* A supervisor cannot tell who has killed its program. */
static void correct_result(struct slot *s)
{
    struct record_result *r = &s->tail.result;
    bool said = s->worker && s->worker->exit_error == RUN_ERROR_OUT_OF_MEMORY;
    if (r->status == RUN_FAILED && r->error == RUN_ERROR_KILLED && (said || was_out_of_memory(s)))
        r->error = RUN_ERROR_OUT_OF_MEMORY;
}

static void report_end(struct slot *s)
{
    const struct launch_site *site = s->launcher->site;
    struct run_exit x = {0};
    char text[512];
    struct buf tail = {0};
    correct_result(s);
    if (s->tail.has_result && !s->tail.broken)
        x.result = &s->tail.result;
    else
        explain_exit(s, &x, text, sizeof(text));
    if (!x.result || x.result->status == RUN_FAILED)
        rundir_stderr_tail(site->runs_dir, s->run_id, RUNDIR_STDERR_TAIL_BYTES, &tail, NULL);
    x.stderr_tail = tail.len ? tail.data : NULL;
    note_energy(s, NULL);
    x.joules = s->energy.joules;
    engine_run_ended(site->engine, s->run_id, &x, loop_now(), loop_effects(site->loop));
    buf_finish(&tail);
}

static void report_lost(const struct slot *s)
{
    const struct launch_site *site = s->launcher->site;
    engine_run_lost(site->engine, s->run_id, loop_now(), loop_effects(site->loop));
}

static void report_no_start(const struct slot *s, const char *why)
{
    const struct launch_site *site = s->launcher->site;
    struct run_exit x = {.error = RUN_ERROR_SPAWN, .text = why};
    log_warn("run %" PRId64 ": worker not started: %s", s->run_id, why);
    engine_run_ended(site->engine, s->run_id, &x, loop_now(), loop_effects(site->loop));
}

/* Reads the rest and tells the engine. Where nobody knows how the worker ended and it left no
 * result, its run is lost, that is, queued again. */
static enum tail_end drain(struct slot *s, uint64_t now_ms)
{
    bool has_exit = s->worker && s->worker->has_exit;
    enum tail_end end = read_on(s, now_ms);
    if (end != TAIL_WHOLE && !may_stop_reading(s) && !is_lost_file(s, now_ms))
        return end;
    if (!has_exit && !s->tail.has_result && !s->tail.broken && !s->tail.unreadable &&
        s->watchdog.exceeded == RUN_ERROR_NONE)
        report_lost(s);
    else
        report_end(s);
    move(s, SLOT_DONE);
    return TAIL_WHOLE;
}

bool slot_tick(struct slot *s, uint64_t now_ms)
{
    enum tail_end end = TAIL_WHOLE;
    if (states[s->state].has_worker && !s->launcher->type->alive(s->worker))
        move(s, SLOT_DRAINING);
    if (s->state == SLOT_DRAINING) {
        end = drain(s, now_ms);
    } else if (states[s->state].has_worker) {
        end = read_on(s, now_ms);
        stderr_cap(s->launcher->site->runs_dir, s->run_id);
        watch(s, now_ms);
        send_due(s, now_ms);
    }
    return end == TAIL_MORE;
}

/* --- the beginning --------------------------------------------------------------------------- */

static struct worker_place place(const struct slot *s, const struct slot_listener *listener)
{
    return (struct worker_place){
        .run_id = s->run_id, .dir = &s->tail.dir, .whole_environment = s->whole_environment,
        .ended = listener->ended, .arg = listener->arg};
}

/* It has them until it ends. */
static void tell_devices(const struct slot *s)
{
    const struct launch_site *site = s->launcher->site;
    char path[PATHS_MAX + 48];
    struct command_words gpus;
    if (!paths_run_file(path, sizeof(path), site->runs_dir, s->run_id, RUN_FILE_CONFIG))
        return;
    command_config_gpus(path, &gpus);
    engine_run_devices(site->engine, s->run_id, gpus.words, gpus.count);
    command_words_finish(&gpus);
}

void slot_adopt(struct slot *s, const char *handle, const struct slot_listener *listener)
{
    struct errbuf err;
    const struct launch_site *site = s->launcher->site;
    struct worker_place at = place(s, listener);
    const struct rundir_place folder = folder_of(s);
    int rc = rundir_open(&s->tail.dir, &folder, &err);
    note_aside(s);
    if (rc < 0) {
        log_info("run %" PRId64 ": queued again: %s", s->run_id, err.message);
        report_lost(s);
        move(s, SLOT_DONE);
        return;
    }
    struct worker *w = s->launcher->type->adopt(s->launcher, &at, handle);
    if (w)
        log_info("run %" PRId64 ": adopted, its worker lives", s->run_id);
    engine_run_adopted(site->engine, s->run_id, s->launcher->index, loop_now(),
                       loop_effects(site->loop));
    tell_devices(s);
    /* NULL: it ended while no daemon was there; its result lies there, or it is lost. */
    s->worker = w;
    note_oom_kills(s, false);
    move(s, w ? SLOT_RUNNING : SLOT_DRAINING);
}

void slot_start(struct slot *s, const char *config, const struct slot_listener *listener)
{
    struct errbuf err;
    const struct launch_site *site = s->launcher->site;
    struct worker_place at = place(s, listener);
    const struct rundir_place folder = folder_of(s);
    int rc = rundir_create(&s->tail.dir, &folder, config, &err);
    note_aside(s);
    if (rc == ERR_BUSY) {
        slot_adopt(s, "", listener);
        return;
    }
    if (rc == 0) {
        struct worker *w = NULL;
        rc = s->launcher->type->start(s->launcher, &at, &w, &err);
        rundir_hand_over(&s->tail.dir);
        s->worker = w;
    }
    if (rc == ERR_BUSY) { /* it may have been started, or not */
        rundir_close(&s->tail.dir);
        slot_adopt(s, "", listener);
        return;
    }
    if (rc < 0) {
        report_no_start(s, err.message);
        move(s, SLOT_DONE);
        return;
    }
    note_oom_kills(s, true);
    move(s, SLOT_RUNNING);
    /* Not marked dirty: the handle is for people. It is written with whatever comes next; a run of
     * a few milliseconds costs no commit for it. */
    engine_run_spawned(site->engine, s->run_id, s->worker->handle, loop_now(),
                       &site->loop->effects);
}
