/* Slots and tails, through the launchers' vtable: a launcher of the tests and the local one. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/launch/launchers.h"
#include "daemon/launch/local.h"
#include "daemon/launch/pool.h"
#include "daemon/launch/slot.h"
#include "sweep/buf.h"
#include "daemon/launch/stderr_cap.h"
#include "sweep/err.h"
#include "sweep/paths.h"
#include "tests/unit/launch/paper.h"

#define START                                                                                      \
    "{\"type\":\"start\",\"version\":1,\"pid\":77,\"core\":\"\",\"blas\":\"\",\"parameters\":1,"   \
    "\"resumed_point\":0}\n"
#define POINT(n) "{\"type\":\"point\",\"point\":" #n ",\"epoch\":" #n ",\"train_loss\":0.5}\n"
#define RESULT "{\"type\":\"result\",\"status\":\"completed\",\"text\":\"\",\"seconds\":1}\n"

/* One slot under one launcher, told of ends as a pool's is. */
struct bench {
    struct launchers launchers;
    struct tail_scratch scratch;
    struct slot slot;
    struct slot_listener listener;
    uint64_t now_ms;
};

static void on_ended(void *arg)
{
    struct bench *b = arg;
    slot_tick(&b->slot, b->now_ms);
}

static void bench_init(struct bench *b, struct desk *d, const struct launcher_type *type)
{
    memset(b, 0, sizeof(*b));
    launchers_create(&b->launchers, &d->site, &type, 1);
    slot_init(&b->slot, b->launchers.items[0], &b->scratch, 1, NULL);
    b->listener = (struct slot_listener){on_ended, b};
}

static void bench_start(struct bench *b, struct desk *d)
{
    bench_init(b, d, &launcher_paper);
    slot_start(&b->slot, PAPER_CONFIG, &b->listener);
}

static void bench_adopt(struct bench *b, struct desk *d, const char *handle)
{
    bench_init(b, d, &launcher_paper);
    slot_adopt(&b->slot, handle, &b->listener);
    slot_tick(&b->slot, 1); /* as its pool does in the next turn */
}

static void bench_finish(struct bench *b)
{
    assert_string_equal(slot_state_name(b->slot.state), "done");
    slot_finish(&b->slot);
    tail_scratch_finish(&b->scratch);
    uv_loop_t *loop = b->launchers.items[0]->site->loop->uv;
    launchers_close(&b->launchers);
    uv_run(loop, UV_RUN_NOWAIT);
    launchers_destroy(&b->launchers);
}

static void assert_state(const struct bench *b, enum slot_state s)
{
    assert_string_equal(slot_state_name(b->slot.state), slot_state_name(s));
}

/* --- the table ------------------------------------------------------------------------------- */

static void test_moves(void **state)
{
    for (int from = 0; from < SLOT_STATE_COUNT; from++) {
        bool worker = from != SLOT_STARTING && from != SLOT_DRAINING && from != SLOT_DONE;
        assert_false(slot_may(from, from));
        assert_false(slot_may(from, SLOT_STARTING));
        assert_false(slot_may(SLOT_DONE, from));
        /* What runs ends, and is read to the end before it is done. */
        assert_int_equal(slot_may(from, SLOT_DRAINING), worker || from == SLOT_STARTING);
        assert_int_equal(slot_may(from, SLOT_DONE), from == SLOT_STARTING || from == SLOT_DRAINING);
    }
    /* A signal is wanted before it is sent, and no SIGTERM follows a SIGKILL. */
    assert_false(slot_may(SLOT_RUNNING, SLOT_TERMINATING));
    assert_false(slot_may(SLOT_TERMINATING, SLOT_KILLING));
    assert_false(slot_may(SLOT_KILL_DUE, SLOT_TERM_DUE));
    assert_true(slot_may(SLOT_TERM_DUE, SLOT_KILL_DUE));
}

/* --- a worker's life ------------------------------------------------------------------------- */

static void test_a_run(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    assert_state(&b, SLOT_RUNNING);
    assert_string_equal(d->told, "spawned 1 paper-1 | ");
    assert_false(d->loop.dirty); /* a handle costs no commit */
    desk_write(&d->workers[0], START POINT(1) POINT(2) "{\"type\":\"po");
    slot_tick(&b.slot, 100);
    assert_true(d->loop.dirty);
    assert_int_equal(d->workers[0].introduced, 77);
    desk_write(&d->workers[0], "int\",\"point\":3,\"epoch\":3,\"train_loss\":0.5}\n" RESULT);
    desk_end(&d->workers[0], 0, 0);
    assert_string_equal(d->told, "spawned 1 paper-1 | start 1 from 0 | points 1 1-2 | "
                                 "points 1 3-3 | result 1 completed | ");
    bench_finish(&b);
    assert_true(d->workers[0].released);
}

static void test_no_start(void **state)
{
    struct desk *d = *state;
    struct bench b;
    d->refuses = true;
    bench_start(&b, d);
    assert_string_equal(d->told, "ended 1 spawn_error signal 0: no paper | ");
    bench_finish(&b);
}

/* The daemon's ticks from one time to another. */
static void tick_on(struct bench *b, uint64_t from_ms, uint64_t until_ms)
{
    for (uint64_t at = from_ms; at <= until_ms; at += 100)
        slot_tick(&b->slot, at);
}

/* The launcher cannot signal it at first: that is tried again; 5 s after SIGTERM it is killed. */
static void test_term_then_kill(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    struct paper_worker *w = &d->workers[0];
    w->deaf = true;
    slot_term(&b.slot, 1000);
    assert_state(&b, SLOT_TERM_DUE);
    w->deaf = false;
    slot_tick(&b.slot, 1100);
    assert_state(&b, SLOT_TERMINATING);
    slot_term(&b.slot, 1150); /* once is enough */
    tick_on(&b, 1200, 1100 + GRACE_MS - 1);
    assert_string_equal(w->signals, "15 ");
    slot_tick(&b.slot, 1100 + GRACE_MS);
    assert_state(&b, SLOT_KILLING);
    slot_tick(&b.slot, 1100 + 2 * GRACE_MS);
    assert_string_equal(w->signals, "15 9 ");
    desk_end(w, 0, SIGKILL);
    assert_non_null(strstr(d->told, "ended 1 killed_by_user signal 9: ended by signal 9"));
    bench_finish(&b);
}

/* What counts between SIGTERM and SIGKILL is not the clock where others have the processors. */
static void test_grace(void **state)
{
    struct grace g;
    struct usage u = {.cpu_seconds = 100, .busy = true};
    uint64_t at = 1000;
    grace_begin(&g, 0, at);
    assert_false(grace_due(&g, at + GRACE_LOOK_MS - 1));
    while (at + GRACE_LOOK_MS < 1000 + GRACE_LATEST_MS)
        assert_false(grace_look(&g, &u, at += GRACE_LOOK_MS)); /* it gets no processor */
    assert_true(grace_look(&g, &u, 1000 + GRACE_LATEST_MS));   /* but not for ever */

    grace_begin(&g, 0, at);
    assert_false(grace_look(&g, &u, at += GRACE_LOOK_MS));
    u.cpu_seconds += GRACE_CPU_SECONDS; /* it had all that it needs, and does not end */
    assert_true(grace_look(&g, &u, at += GRACE_LOOK_MS));

    u.busy = false; /* it hangs */
    grace_begin(&g, 0, at);
    for (uint64_t end = at + GRACE_MS - GRACE_LOOK_MS; at < end;)
        assert_false(grace_look(&g, &u, at += GRACE_LOOK_MS));
    assert_true(grace_look(&g, &u, at += GRACE_LOOK_MS));

    grace_begin(&g, 30000, at); /* as its start line asks: longer */
    for (uint64_t end = at + GRACE_MS + 30000 - GRACE_LOOK_MS; at < end;)
        assert_false(grace_look(&g, &u, at += GRACE_LOOK_MS));
    assert_true(grace_look(&g, &u, at += GRACE_LOOK_MS));

    grace_begin(&g, 0, at); /* the daemon got no processor itself: one look's worth */
    assert_false(grace_look(&g, NULL, at + GRACE_LATEST_MS - 1));
}

/* A busy worker is not killed while its file waits to be read; the slot asks its launcher. */
static void test_a_starved_worker_is_waited_for(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    d->usage_known = true;
    d->usage = (struct usage){.cpu_seconds = 7, .busy = true};
    slot_term(&b.slot, 1000);
    tick_on(&b, 1100, 1000 + 4 * GRACE_MS);
    assert_string_equal(d->workers[0].signals, "15 ");
    d->usage.busy = false;
    tick_on(&b, 1100 + 4 * GRACE_MS, 1000 + 5 * GRACE_MS);
    assert_string_equal(d->workers[0].signals, "15 9 ");
    desk_end(&d->workers[0], 0, SIGKILL);
    bench_finish(&b);
}

struct end {
    int64_t status;
    int signal;
    bool termed;
    const char *told;
};

static const struct end ends[] = {
    {0, SIGKILL, false, "killed signal 9: killed by SIGKILL that the daemon did not send"},
    {0, SIGTERM, false, "killed signal 15: killed by SIGTERM that the daemon did not send"},
    {0, SIGTERM, true, "killed_by_user signal 15: ended by signal 15"},
    {0, SIGSEGV, false, "worker_crash signal 11: ended by signal 11"},
    {EX_TEMPFAIL, 0, false, "killed signal 0: stopped with a checkpoint"},
    {EX_IOERR, 0, false, "disk_full signal 0: exit status 74"},
    {EX_OSERR, 0, false, "out_of_memory signal 0: exit status 71"},
    {3, 0, false, "exited signal 0: exit status 3 without a result"},
};

static void test_ends_without_a_result(void **state)
{
    struct desk *d = *state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct bench b;
        d->worker_count = 0;
        d->told[0] = '\0';
        bench_start(&b, d);
        if (ends[i].termed)
            slot_term(&b.slot, 10);
        desk_end(&d->workers[0], ends[i].status, ends[i].signal);
        if (!strstr(d->told, ends[i].told))
            fail_msg("%s is not in %s", ends[i].told, d->told);
        bench_finish(&b);
    }
}

static const struct {
    const char *text, *told;
} broken[] = {
    {"not json\n", "protocol_error signal 9: "},
    {RESULT POINT(1), "protocol_error signal 9: a line follows the result"},
    {"{\"type\":\"error\",\"error\":\"io_error\",\"key\":\"\",\"value\":\"\",\"allowed\":\"\","
     "\"message\":\"m\"}\n",
     "protocol_error signal 9: a line that only --prepare prints"},
};

static void test_broken_files(void **state)
{
    struct desk *d = *state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct bench b;
        d->worker_count = 0;
        d->told[0] = '\0';
        bench_start(&b, d);
        desk_write(&d->workers[0], broken[i].text);
        slot_tick(&b.slot, 10);
        assert_state(&b, SLOT_KILLING);
        assert_string_equal(d->workers[0].signals, "9 ");
        desk_end(&d->workers[0], 0, SIGKILL);
        if (!strstr(d->told, broken[i].told))
            fail_msg("%s is not in %s", broken[i].told, d->told);
        bench_finish(&b);
    }
}

/* Nothing is read while the store is behind, and nothing is lost by it. */
static void test_congestion(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    d->congested = true;
    desk_write(&d->workers[0], START POINT(1) RESULT);
    slot_tick(&b.slot, 1);
    desk_end(&d->workers[0], 0, 0);
    assert_state(&b, SLOT_DRAINING);
    slot_tick(&b.slot, 2);
    slot_term(&b.slot, 3); /* nobody is there to hear it */
    assert_state(&b, SLOT_DRAINING);
    assert_string_equal(d->told, "spawned 1 paper-1 | ");
    d->congested = false;
    slot_tick(&b.slot, 4);
    assert_non_null(strstr(d->told, "points 1 1-1 | result 1 completed"));
    bench_finish(&b);
}

/* --- how much is read --------------------------------------------------------------------------
 */

static void desk_points(struct paper_worker *w, int from, int count)
{
    struct buf text = {0};
    for (int n = from; n < from + count; n++)
        buf_printf(&text, "{\"type\":\"point\",\"point\":%d,\"epoch\":%d,\"train_loss\":0.5}\n", n,
                   n);
    desk_write(w, text.data);
    buf_finish(&text);
}

/* A tick takes a bounded piece, and says that there is more; the result waits for the last of it.
 */
static void test_pieces(void **state)
{
    struct desk *d = *state;
    struct bench b;
    size_t ticks = 0;
    bench_start(&b, d);
    d->is_quiet = true;
    desk_write(&d->workers[0], START);
    desk_points(&d->workers[0], 1, 5000);
    desk_write(&d->workers[0], RESULT);
    desk_end(&d->workers[0], 0, 0);
    assert_state(&b, SLOT_DRAINING);
    while (b.slot.state == SLOT_DRAINING) {
        assert_null(strstr(d->told, "result"));
        int64_t before = d->last_point[1];
        slot_tick(&b.slot, 10);
        assert_true(d->last_point[1] - before < 1000);
        ticks++;
    }
    assert_true(ticks > 5);
    assert_int_equal(d->last_point[1], 5000);
    assert_non_null(strstr(d->told, "result 1 completed"));
    bench_finish(&b);
}

/* More points than a second's share wait in the file. */
static void test_share_of_a_second(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    d->is_quiet = true;
    desk_write(&d->workers[0], START);
    desk_points(&d->workers[0], 1, TAIL_POINTS_AT_ONCE + 3 * TAIL_POINTS_PER_SECOND);
    while (slot_tick(&b.slot, 1000)) {
    }
    int64_t at_once = d->last_point[1];
    assert_true(at_once >= TAIL_POINTS_AT_ONCE && at_once < TAIL_POINTS_AT_ONCE + 2000);
    assert_false(slot_tick(&b.slot, 1000));
    assert_non_null(strstr(d->told, "points_held_back 1 "));
    while (slot_tick(&b.slot, 2000)) {
    }
    assert_true(d->last_point[1] >= at_once + TAIL_POINTS_PER_SECOND - 2000);
    assert_true(d->last_point[1] < at_once + TAIL_POINTS_PER_SECOND + 2000);
    /* Asked to end, it has no result: its slot does not wait for points that come again. */
    slot_term(&b.slot, 2000);
    desk_end(&d->workers[0], EX_TEMPFAIL, 0);
    assert_true(d->last_point[1] < TAIL_POINTS_AT_ONCE + 3 * TAIL_POINTS_PER_SECOND);
    bench_finish(&b);
}

/* EIO is not the end: the file is read on when it can be. */
static void test_unreadable_for_a_moment(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    int file = dup(b.slot.tail.dir.fd), folder = open("/", O_RDONLY | O_DIRECTORY);
    desk_write(&d->workers[0], START POINT(1) RESULT);
    assert_int_equal(dup2(folder, b.slot.tail.dir.fd), b.slot.tail.dir.fd);
    slot_tick(&b.slot, 10);
    slot_tick(&b.slot, 20);
    assert_state(&b, SLOT_RUNNING);
    desk_end(&d->workers[0], 0, 0);
    slot_tick(&b.slot, SLOT_READ_WITHIN_MS);
    assert_state(&b, SLOT_DRAINING);
    assert_int_equal(dup2(file, b.slot.tail.dir.fd), b.slot.tail.dir.fd);
    slot_tick(&b.slot, SLOT_READ_WITHIN_MS + 1);
    assert_non_null(strstr(d->told, "run_file_unreadable 1 "));
    assert_non_null(strstr(d->told, "points 1 1-1 | result 1 completed | "));
    bench_finish(&b);
    close(file);
    close(folder);
}

static void test_unreadable_for_good(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start(&b, d);
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(dup2(folder, b.slot.tail.dir.fd), b.slot.tail.dir.fd);
    desk_end(&d->workers[0], 0, 0); /* at 0 ms */
    slot_tick(&b.slot, SLOT_READ_WITHIN_MS);
    assert_non_null(strstr(d->told, "ended 1 file_unreadable signal 0: run.jsonl: "));
    bench_finish(&b);
    close(folder);
}

/* What the next attempt finds in a file with such lines. */
static const struct {
    const char *was, *says, *kept;
    bool inherited;
} damages[] = {
    {"", START POINT(1) "x\n" POINT(2), START POINT(1), false},
    {"", START POINT(1) POINT(3) POINT(4), START POINT(1), false}, /* 3 is refused */
    {START POINT(1) "x\n" POINT(2), START POINT(2), START POINT(1), true},
    {START POINT(1), START "x\n", START POINT(1) START, false},
};

static void test_damage_is_cut_off(void **state)
{
    struct desk *d = *state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        char path[PATHS_MAX], got[4096];
        struct bench b;
        d->worker_count = 0;
        d->refuses_point = 3;
        desk_leave(d, 1, damages[i].was);
        bench_init(&b, d, &launcher_paper);
        slot_start(&b.slot, PAPER_CONFIG, &b.listener);
        b.slot.tail.dir.kept = (int64_t)strlen(damages[i].was);
        desk_write(&d->workers[0], damages[i].was);
        desk_write(&d->workers[0], damages[i].says);
        slot_tick(&b.slot, 10);
        assert_string_equal(d->workers[0].signals, "9 ");
        desk_end(&d->workers[0], 0, SIGKILL);
        assert_non_null(strstr(d->told, "ended 1 protocol_error"));
        assert_int_equal(d->inherited, damages[i].inherited);
        (void)paths_run_file(path, sizeof(path), d->runs, 1, RUN_FILE_LINES);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
        fclose(f);
        assert_string_equal(got, damages[i].kept);
        bench_finish(&b);
    }
}

/* --- limits ---------------------------------------------------------------------------------- */

static void bench_start_limited(struct bench *b, struct desk *d, const struct run_limits *limits)
{
    bench_init(b, d, &launcher_paper);
    b->slot.watchdog.limits = *limits;
    d->usage_known = true;
    slot_start(&b->slot, PAPER_CONFIG, &b->listener);
}

/* Ticks every 100 ms up to that time. */
static void pass(struct bench *b, uint64_t until_ms)
{
    for (; b->now_ms < until_ms; b->now_ms += 100)
        slot_tick(&b->slot, b->now_ms);
}

static void test_too_much_memory(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_limited(&b, d, &(struct run_limits){.memory_mib = 100});
    d->usage.memory_bytes = INT64_C(100) << 20;
    pass(&b, 5000);
    assert_state(&b, SLOT_RUNNING);
    d->usage.memory_bytes += 1 << 20;
    pass(&b, 6000);
    assert_string_equal(d->workers[0].signals, "9 "); /* at once: it would only grow on */
    desk_end(&d->workers[0], 0, SIGKILL);
    assert_non_null(strstr(d->told,
                           "ended 1 out_of_memory signal 9: it used 101 MiB of memory, and "
                           "may use 100"));
    bench_finish(&b);
}

static void test_too_long(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_limited(&b, d, &(struct run_limits){.seconds = 30});
    pass(&b, 30000);
    assert_string_equal(d->workers[0].signals, "");
    pass(&b, 31000);
    assert_string_equal(d->workers[0].signals, "15 ");
    pass(&b, 37000);
    assert_string_equal(d->workers[0].signals, "15 9 ");
    desk_end(&d->workers[0], 0, SIGKILL);
    assert_non_null(strstr(d->told, "ended 1 timeout signal 9: it ran for longer than 30 s"));
    bench_finish(&b);
}

/* A line is progress; processor time is none where the specification asks for lines. */
static void test_no_line(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_limited(&b, d, &(struct run_limits){.idle_seconds = 20});
    pass(&b, 15000);
    desk_write(&d->workers[0], START);
    pass(&b, 30000);
    d->usage.cpu_seconds = 29;
    assert_string_equal(d->workers[0].signals, "");
    pass(&b, 36000);
    assert_string_equal(d->workers[0].signals, "15 ");
    desk_end(&d->workers[0], EX_TEMPFAIL, 0); /* with a checkpoint */
    assert_non_null(strstr(d->told, "ended 1 hung signal 0: it wrote no line for 20 s"));
    bench_finish(&b);
}

/* One that computes is not ended, however long its epochs are; one that does nothing is. */
static void test_no_sign_of_life(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_limited(&b, d, &(struct run_limits){.quiet_seconds = 20});
    for (int i = 1; i <= 10; i++) {
        d->usage.cpu_seconds = 15 * i;
        pass(&b, 15000 * (uint64_t)i);
    }
    assert_string_equal(d->workers[0].signals, "");
    pass(&b, 160000);
    assert_string_equal(d->workers[0].signals, "15 ");
    desk_end(&d->workers[0], 0, SIGTERM);
    assert_non_null(strstr(d->told, "hung signal 15: it wrote no line and used no processor time"));
    bench_finish(&b);
}

/* Time in which the daemon itself was stopped does not count. */
static void test_nobody_looked(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_limited(&b, d, &(struct run_limits){.seconds = 100, .idle_seconds = 20});
    pass(&b, 15000);
    b.now_ms = 3600000;
    pass(&b, 3604000);
    assert_string_equal(d->workers[0].signals, "");
    pass(&b, 3606000);
    assert_string_equal(d->workers[0].signals, "15 ");
    desk_end(&d->workers[0], 0, SIGTERM);
    bench_finish(&b);
}

/* Who is stopped by a signal is continued, again and again; else it ends as hung. */
static void test_a_stopped_worker(void **state)
{
    struct desk *d = *state;
    struct bench b;
    char continued[16];
    bench_start_limited(&b, d, &(struct run_limits){.quiet_seconds = 25});
    d->usage.stopped = true;
    snprintf(continued, sizeof(continued), "%d ", SIGCONT);
    pass(&b, 9000);
    assert_string_equal(d->workers[0].signals, "");
    pass(&b, 11000);
    assert_string_equal(d->workers[0].signals, continued);
    pass(&b, 26000);
    desk_end(&d->workers[0], 0, SIGKILL);
    assert_non_null(strstr(d->told, "for 25 s, and is stopped by a signal"));
    bench_finish(&b);
}

/* The kernel counts whom it kills for lack of memory: that tells a stranger's SIGKILL from its own.
 */
static void test_killed_by_the_kernel(void **state)
{
    static const char result[] =
        "{\"type\":\"result\",\"status\":\"failed\",\"error\":\"killed\",\"text\":\"\","
        "\"seconds\":1}\n";
    struct desk *d = *state;
    for (int supervised = 0; supervised < 2; supervised++) {
        struct bench b;
        d->worker_count = 0;
        d->told[0] = '\0';
        bench_start_limited(&b, d, &(struct run_limits){0});
        d->oom_kills = 7;
        pass(&b, 1000);
        d->oom_kills = 8;
        if (supervised)
            desk_write(&d->workers[0], result);
        desk_end(&d->workers[0], supervised, supervised ? 0 : SIGKILL);
        assert_non_null(strstr(d->told, supervised ? "result 1 failed out_of_memory"
                                                   : "ended 1 out_of_memory signal 9"));
        bench_finish(&b);
        d->oom_kills = 0;
    }
}

/* What it says without end is cut in the middle while it goes on. */
static void test_stderr_is_capped(void **state)
{
    struct desk *d = *state;
    struct bench b;
    char path[PATHS_MAX], *block = malloc(STDERR_CAP_BYTES);
    struct stat st;
    bench_start(&b, d);
    assert_true(paths_run_file(path, sizeof(path), d->runs, 1, RUN_FILE_STDERR));
    FILE *f = fopen(path, "a");
    fputs("first words\n", f);
    memset(block, 'x', STDERR_CAP_BYTES);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fwrite(block, 1, STDERR_CAP_BYTES, f), STDERR_CAP_BYTES);
        fputs("last words\n", f);
        fflush(f);
        slot_tick(&b.slot, (uint64_t)i);
        assert_int_equal(stat(path, &st), 0);
        assert_in_range(st.st_size, 2 * STDERR_KEPT_BYTES, 2 * STDERR_KEPT_BYTES + 100);
    }
    fputs("after it\n", f);
    fclose(f);
    f = fopen(path, "r");
    size_t n = fread(block, 1, STDERR_CAP_BYTES - 1, f);
    fclose(f);
    block[n] = '\0';
    assert_int_equal(strncmp(block, "first words\nxxx", 15), 0);
    assert_non_null(strstr(block, " bytes were left out here]\nxxx"));
    assert_string_equal(block + n - 20, "last words\nafter it\n");
    free(block);
    desk_end(&d->workers[0], 3, 0);
    bench_finish(&b);
}

/* --- adoption -------------------------------------------------------------------------------- */

static void test_adoption(void **state)
{
    struct desk *d = *state;
    struct bench b;
    desk_leave(d, 1, START POINT(1));
    d->living = "paper-1";
    bench_adopt(&b, d, "paper-1");
    assert_state(&b, SLOT_RUNNING);
    assert_int_equal(d->workers[0].introduced, 77);
    assert_string_equal(d->told, "adopted 1 by 0 | start 1 from 0 | points 1 1-1 | ");
    d->workers[0].lives = false; /* nobody says how it ended */
    slot_tick(&b.slot, 100);
    assert_non_null(strstr(d->told, "| lost 1 | "));
    bench_finish(&b);
}

static void test_adoption_of_what_is_gone(void **state)
{
    struct desk *d = *state;
    struct bench b;
    desk_leave(d, 1, START POINT(1) RESULT);
    bench_adopt(&b, d, "paper-1");
    assert_non_null(strstr(d->told, "points 1 1-1 | result 1 completed | "));
    bench_finish(&b);

    d->told[0] = '\0';
    desk_leave(d, 1, START POINT(1));
    bench_adopt(&b, d, "");
    assert_string_equal(d->told, "adopted 1 by 0 | start 1 from 0 | points 1 1-1 | lost 1 | ");
    bench_finish(&b);
}

static void test_adoption_without_a_folder(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_adopt(&b, d, "paper-1");
    assert_string_equal(d->told, "lost 1 | ");
    bench_finish(&b);
}

/* A start in a folder whose worker lives: there is never a second. */
static void test_start_becomes_adoption(void **state)
{
    struct desk *d = *state;
    struct bench first, second;
    bench_start(&first, d);
    d->told[0] = '\0';
    d->living = "";
    bench_start(&second, d);
    assert_state(&second, SLOT_RUNNING);
    assert_string_equal(d->told, "adopted 1 by 0 | ");
    d->workers[1].lives = false;
    slot_tick(&second.slot, 1);
    bench_finish(&second);
    desk_end(&d->workers[0], 0, 0);
    bench_finish(&first);
}

/* --- processes of this machine --------------------------------------------------------------- */

static void write_program(struct desk *d, const char *script)
{
    static char path[PATHS_MAX];
    snprintf(path, sizeof(path), "%s/worker.sh", d->runs);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", script);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
    d->site.worker = path;
}

static void bench_start_local(struct bench *b, struct desk *d, const char *script)
{
    write_program(d, script);
    bench_init(b, d, &launcher_local);
    slot_start(&b->slot, PAPER_CONFIG, &b->listener);
    assert_state(b, SLOT_RUNNING);
    assert_true(launcher_local.knows(b->slot.worker->handle));
    assert_int_equal(getsid(atoi(b->slot.worker->handle)), atoi(b->slot.worker->handle));
}

static void run_until_done(struct bench *b, struct desk *d)
{
    while (b->slot.state != SLOT_DONE)
        uv_run(d->uv, UV_RUN_ONCE);
    bench_finish(b);
}

static bool is_zombie(pid_t pid)
{
    char path[48], state = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state == 0 || state == 'Z';
}

static void test_local_run(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_local(&b, d, "cat <<'EOF'\n" START POINT(1) RESULT "EOF");
    run_until_done(&b, d);
    assert_non_null(strstr(d->told, "start 1 from 0 | points 1 1-1 | result 1 completed | "));
}

static void test_local_exit(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_local(&b, d, "test \"${1##*/}\" = config.json && exit 3");
    run_until_done(&b, d);
    assert_non_null(strstr(d->told, "ended 1 exited signal 0: exit status 3"));
}

static void test_local_term(void **state)
{
    struct desk *d = *state;
    struct bench b;
    bench_start_local(&b, d, "exec sleep 1000");
    slot_term(&b.slot, 10);
    assert_state(&b, SLOT_TERMINATING);
    run_until_done(&b, d);
    assert_non_null(strstr(d->told, "ended 1 killed_by_user signal 15"));
}

/* All that it has started counts, and is ended with it, in whatever group it is. */
static void test_local_usage(void **state)
{
    struct desk *d = *state;
    struct bench b;
    struct usage usage;
    pid_t child;
    bench_start_local(&b, d, "setsid sleep 1000 & echo $! > \"${1%/*}/child\"; wait");
    char path[PATHS_MAX];
    snprintf(path, sizeof(path), "%s/1/child", d->runs);
    do {
        FILE *f = fopen(path, "r");
        child = 0;
        if (f && fscanf(f, "%d", &child) != 1)
            child = 0;
        if (f)
            fclose(f);
    } while (child == 0);
    kill(child, SIGSTOP);
    do
        assert_true(launcher_local.usage(b.slot.worker, &usage));
    while (!usage.stopped);
    assert_true(usage.memory_bytes > 0);
    slot_kill(&b.slot, 10);
    run_until_done(&b, d);
    while (kill(child, 0) == 0 && !is_zombie(child)) {
    }
}

static void test_local_no_start(void **state)
{
    struct desk *d = *state;
    struct bench b;
    d->site.worker = "/nonexistent/worker";
    bench_init(&b, d, &launcher_local);
    slot_start(&b.slot, PAPER_CONFIG, &b.listener);
    assert_string_equal(d->told, "ended 1 spawn_error signal 0: no such file or directory | ");
    bench_finish(&b);
}

/* A process that is not the slot's child, with the run's file as its stdout. */
static pid_t start_stranger(struct desk *d, bool introduces_itself)
{
    struct rundir dir;
    struct errbuf err;
    int ready[2];
    char byte;
    const struct rundir_place at = {d->runs, 1, NULL};
    assert_int_equal(rundir_create(&dir, &at, PAPER_CONFIG, &err), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(dir.out, STDOUT_FILENO);
        close(dir.out);
        if (introduces_itself)
            dprintf(STDOUT_FILENO,
                    "{\"type\":\"start\",\"version\":1,\"pid\":%d,\"core\":\"\","
                    "\"blas\":\"\",\"parameters\":1,\"resumed_point\":0}\n",
                    getpid());
        close(ready[0]);
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    close(ready[0]);
    rundir_close(&dir);
    return pid;
}

static void test_local_adoption(void **state)
{
    struct desk *d = *state;
    struct bench b;
    int status;
    pid_t pid = start_stranger(d, true);
    bench_init(&b, d, &launcher_local);
    slot_adopt(&b.slot, "1", &b.listener); /* a number that is another process's by now */
    slot_tick(&b.slot, 5);
    assert_state(&b, SLOT_RUNNING);
    slot_term(&b.slot, 10);
    assert_state(&b, SLOT_TERMINATING);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    slot_tick(&b.slot, 20);
    assert_string_equal(d->told, "adopted 1 by 0 | start 1 from 0 | lost 1 | ");
    bench_finish(&b);
}

/* It has not come to its start line, and may never: its handle is enough. */
static void test_local_adoption_by_handle(void **state)
{
    struct desk *d = *state;
    struct bench b;
    char handle[RUN_HANDLE_MAX];
    int status;
    pid_t pid = start_stranger(d, false);
    snprintf(handle, sizeof(handle), "%d", (int)pid);
    bench_init(&b, d, &launcher_local);
    slot_adopt(&b.slot, handle, &b.listener);
    slot_term(&b.slot, 10);
    assert_state(&b, SLOT_TERMINATING);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    slot_tick(&b.slot, 20);
    assert_non_null(strstr(d->told, "lost 1 | "));
    bench_finish(&b);
}

/* --- the pool -------------------------------------------------------------------------------- */

static const struct launcher_type *const two[] = {&launcher_local, &launcher_paper};

static void test_pool_of_two_launchers(void **state)
{
    struct desk *d = *state;
    struct pool *p = pool_create(&d->site, two, 2);
    assert_int_equal(pool_launchers(p), 2);
    assert_int_equal(pool_capacity(p, 0), 2);
    assert_int_equal(pool_capacity(p, 1), PAPER_WORKERS);
    write_program(d, "exec sleep 1000");
    pool_start(p, 0, &(struct pool_run){1, NULL}, PAPER_CONFIG);
    pool_start(p, 1, &(struct pool_run){2, NULL}, PAPER_CONFIG);
    pool_start(p, 1, &(struct pool_run){3, NULL}, PAPER_CONFIG);
    assert_int_equal(pool_active(p), 3);
    pool_term(p, 2);
    pool_term(p, 99); /* it ended meanwhile */
    assert_string_equal(d->workers[0].signals, "15 ");
    assert_string_equal(d->workers[1].signals, "");
    pool_kill_all(p);
    assert_string_equal(d->workers[1].signals, "9 ");
    desk_end(&d->workers[0], 0, SIGTERM);
    desk_end(&d->workers[1], 0, SIGKILL);
    while (pool_active(p) > 0)
        uv_run(d->uv, UV_RUN_ONCE);
    assert_non_null(strstr(d->told, "ended 1 worker_crash signal 9"));
    assert_non_null(strstr(d->told, "ended 2 killed_by_user signal 15"));
    pool_close(p);
    assert_int_equal(d->closed, 1);
    uv_run(d->uv, UV_RUN_DEFAULT);
    pool_destroy(p);
}

/* A handle tells whose worker it is; one that nobody knows is the first launcher's. */
static void test_pool_adopts_by_handle(void **state)
{
    struct desk *d = *state;
    struct pool *p = pool_create(&d->site, two, 2);
    for (int64_t id = 1; id <= 3; id++)
        desk_leave(d, id, START);
    d->living = "paper-2";
    pool_adopt(p, &(struct pool_run){1, NULL}, "4711");
    pool_adopt(p, &(struct pool_run){2, NULL}, "paper-2");
    pool_adopt(p, &(struct pool_run){3, NULL}, "");
    assert_null(strstr(d->told, "start ")); /* no file is read before the loop turns */
    while (pool_active(p) > 1)
        uv_run(d->uv, UV_RUN_ONCE);
    assert_non_null(strstr(d->told, "adopted 1 by 0 | adopted 2 by 1 | adopted 3 by 0 | "));
    assert_non_null(strstr(d->told, "start 1 from 0 | lost 1 | "));
    assert_non_null(strstr(d->told, "start 3 from 0 | lost 3 | "));
    desk_end(&d->workers[0], 0, 0);
    assert_int_equal(pool_active(p), 0);
    pool_close(p);
    uv_run(d->uv, UV_RUN_DEFAULT);
    pool_destroy(p);
}

/* One that writes without end takes its turn like the others, and the loop goes on meanwhile. */
static void test_pool_takes_turns(void **state)
{
    struct desk *d = *state;
    static const struct launcher_type *const paper[] = {&launcher_paper};
    struct pool *p = pool_create(&d->site, paper, 1);
    d->is_quiet = true;
    pool_start(p, 0, &(struct pool_run){1, NULL}, PAPER_CONFIG);
    pool_start(p, 0, &(struct pool_run){2, NULL}, PAPER_CONFIG);
    desk_write(&d->workers[0], START);
    desk_points(&d->workers[0], 1, 50000);
    desk_write(&d->workers[1], START POINT(1));
    while (d->last_point[2] == 0)
        uv_run(d->uv, UV_RUN_ONCE);
    assert_true(d->last_point[1] < 50000);
    uint64_t turns = 0;
    for (int64_t before = -1; d->last_point[1]<50000; turns += d->last_point[1]> before) {
        before = d->last_point[1];
        uv_run(d->uv, UV_RUN_ONCE);
    }
    assert_true(turns > 3);
    desk_end(&d->workers[0], 0, 0);
    desk_end(&d->workers[1], 0, 0);
    assert_int_equal(pool_active(p), 0);
    pool_close(p);
    uv_run(d->uv, UV_RUN_DEFAULT);
    pool_destroy(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_setup, desk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        TEST(test_a_run),
        TEST(test_no_start),
        TEST(test_term_then_kill),
        TEST(test_grace),
        TEST(test_a_starved_worker_is_waited_for),
        TEST(test_ends_without_a_result),
        TEST(test_broken_files),
        TEST(test_congestion),
        TEST(test_pieces),
        TEST(test_share_of_a_second),
        TEST(test_unreadable_for_a_moment),
        TEST(test_unreadable_for_good),
        TEST(test_damage_is_cut_off),
        TEST(test_too_much_memory),
        TEST(test_too_long),
        TEST(test_no_line),
        TEST(test_no_sign_of_life),
        TEST(test_nobody_looked),
        TEST(test_a_stopped_worker),
        TEST(test_killed_by_the_kernel),
        TEST(test_stderr_is_capped),
        TEST(test_adoption),
        TEST(test_adoption_of_what_is_gone),
        TEST(test_adoption_without_a_folder),
        TEST(test_start_becomes_adoption),
        TEST(test_local_run),
        TEST(test_local_exit),
        TEST(test_local_term),
        TEST(test_local_usage),
        TEST(test_local_no_start),
        TEST(test_local_adoption),
        TEST(test_local_adoption_by_handle),
        TEST(test_pool_of_two_launchers),
        TEST(test_pool_adopts_by_handle),
        TEST(test_pool_takes_turns),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
