/* A sweep's room in the spool, with pilots that the test plays: what it offers, believes and brings
 * home, and what hostile files do to it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/launch/spool/room.h"
#include "sweep/err.h"

#define RESULT                                                                                     \
    "{\"type\":\"result\",\"status\":\"completed\",\"reason\":\"\",\"seconds\":1}\n"

struct world {
    char dir[64], spool[96], runs[96];
    struct room *room;
    struct room_pass pass;
};

static void run_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void run_shell(const char *fmt, ...)
{
    struct buf line = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&line, fmt, ap);
    va_end(ap);
    FILE *f = popen(line.data, "r");
    assert_non_null(f);
    assert_int_equal(pclose(f), 0);
    buf_finish(&line);
}

static void open_room(struct world *w, const char *database)
{
    struct room_place *p = calloc(1, sizeof(*p));
    snprintf(p->path, sizeof(p->path), "%s", w->spool);
    snprintf(p->runs_dir, sizeof(p->runs_dir), "%s", w->runs);
    snprintf(p->database, sizeof(p->database), "%s", database);
    p->sweep_id = 1;
    p->beat_seconds = p->lease_seconds = p->idle_seconds = p->grace_seconds = 10;
    p->script = xstrdup("#!/bin/sh\n");
    w->room = room_create(p);
    free(p);
}

static void world_init(struct world *w)
{
    *w = (struct world){0};
    snprintf(w->dir, sizeof(w->dir), "/tmp/test-room-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->spool, sizeof(w->spool), "%s/spool", w->dir);
    snprintf(w->runs, sizeof(w->runs), "%s/runs", w->dir);
    run_shell("mkdir -p %s/5", w->runs);
    open_room(w, "one");
}

static void world_finish(struct world *w)
{
    room_destroy(w->room);
    free(w->pass.news);
    run_shell("rm -rf %s", w->dir);
}

static void turn(struct world *w)
{
    w->pass.count = 0;
    room_turn(w->room, &w->pass);
    assert_null(w->pass.commands);
}

static void turn_with(struct world *w, struct room_command *c)
{
    w->pass.commands = c;
    turn(w);
}

static const struct room_news *news(const struct world *w, enum room_news_type type)
{
    for (size_t i = 0; i < w->pass.count; i++)
        if (w->pass.news[i].type == type)
            return &w->pass.news[i];
    return NULL;
}

static struct room_command *of_run(struct world *w, enum room_command_type type)
{
    char path[128];
    struct room_command *c = room_command_create(type, 5);
    snprintf(path, sizeof(path), "%s/5", w->runs);
    c->folder = xstrdup(path);
    snprintf(path, sizeof(path), "%s/5/run.jsonl", w->runs);
    c->lines = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    snprintf(path, sizeof(path), "%s/5/stderr", w->runs);
    c->words = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return c;
}

static void offer(struct world *w)
{
    struct room_command *c = of_run(w, ROOM_OFFER);
    c->config = xasprintf("{\"weights\":\"%s/5/best.safetensors\",\"x\":\"%s/55\"}", w->runs,
                          w->runs);
    turn_with(w, c);
}

static void expect_file(const char *text, const char *fmt, ...)
{
    struct buf path = {0}, seen = {0};
    struct errbuf err;
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&path, fmt, ap);
    va_end(ap);
    assert_int_equal(buf_read_file(&seen, path.data, 1 << 20, &err), 0);
    assert_string_equal(seen.data ? seen.data : "", text);
    buf_finish(&path);
    buf_finish(&seen);
}

static void pilot(struct world *w, const char *name, const char *lines)
{
    run_shell("mkdir -p %s/pilots/%s && echo %s > %s/pilots/%s/card && printf '%%s' '%s' >> "
              "%s/pilots/%s/log",
              w->spool, name, name, w->spool, name, lines, w->spool, name);
}

static void claim(struct world *w, const char *name, const char *attempt)
{
    run_shell("ln %s/pilots/%s/card %s/claims/%s", w->spool, name, w->spool, attempt);
}

#define HELLO "{\"note\":\"hello\",\"job\":\"7_0\",\"host\":\"h\"}\n"
#define TOOK "{\"note\":\"took\",\"run\":5,\"attempt\":1}\n"
#define ENDED "{\"note\":\"ended\",\"run\":5,\"attempt\":1,\"status\":0,\"signal\":0}\n"

/* From the offer to the lines at home; its paths are those of the attempt. */
static void test_a_run(void **state)
{
    struct world w;
    char config[512];
    world_init(&w);
    offer(&w);
    assert_non_null(news(&w, ROOM_IS_OPEN));
    snprintf(config, sizeof(config),
             "{\"weights\":\"%s/runs/5.1/best.safetensors\",\"x\":\"%s/55\"}\n", w.spool, w.runs);
    expect_file(config, "%s/runs/5.1/config.json", w.spool);
    expect_file("{\"order\":\"offer\",\"run\":5,\"attempt\":1}\n", "%s/orders", w.spool);
    pilot(&w, "p1", HELLO TOOK);
    claim(&w, "p1", "5.1");
    run_shell("echo one >> %s/runs/5.1/run.jsonl; echo word >> %s/runs/5.1/stderr", w.spool,
              w.spool);
    turn(&w);
    assert_string_equal(news(&w, ROOM_PILOT_HELLO)->note.job, "7_0");
    assert_int_equal(news(&w, ROOM_RUN_TAKEN)->run_id, 5);
    expect_file("one\n", "%s/5/run.jsonl", w.runs);
    run_shell("printf '%%s' '%s' >> %s/runs/5.1/run.jsonl; echo w > "
              "%s/runs/5.1/best.safetensors",
              RESULT, w.spool, w.spool);
    pilot(&w, "p1", ENDED);
    turn(&w);
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_SAID);
    expect_file("one\n" RESULT, "%s/5/run.jsonl", w.runs);
    expect_file("word\n", "%s/5/stderr", w.runs);
    expect_file("w\n", "%s/5/best.safetensors", w.runs);
    turn_with(&w, room_command_create(ROOM_END, 0));
    room_remove(w.room);
    assert_int_not_equal(access(w.spool, F_OK), 0);
    world_finish(&w);
}

/* A pilot that is thought to be gone, and is not: what it writes goes nowhere. */
static void test_zombie(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    pilot(&w, "p1", HELLO TOOK);
    claim(&w, "p1", "5.1");
    run_shell("echo one >> %s/runs/5.1/run.jsonl; echo c > %s/runs/5.1/checkpoint", w.spool,
              w.spool);
    turn(&w);
    char path[128];
    snprintf(path, sizeof(path), "%s/runs/5.1/run.jsonl", w.spool);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    struct room_command *gone = room_command_create(ROOM_PILOT_GONE, 0);
    snprintf(gone->pilot, sizeof(gone->pilot), "p1");
    snprintf(gone->text, sizeof(gone->text), "NODE_FAIL");
    turn_with(&w, gone);
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_GONE);
    assert_string_equal(news(&w, ROOM_RUN_OVER)->text, "NODE_FAIL");
    offer(&w);
    assert_int_equal(write(fd, "two\n", 4), 4);
    close(fd);
    pilot(&w, "p1", ENDED);
    turn(&w);
    assert_null(news(&w, ROOM_RUN_OVER));
    expect_file("c\n", "%s/runs/5.2/checkpoint", w.spool);
    expect_file("", "%s/runs/5.2/run.jsonl", w.spool); /* "one" is no line of a worker's */
    assert_int_not_equal(access(path, F_OK), 0);
    world_finish(&w);
}

/* An offer that nobody has taken is taken back for good; one that somebody has is not. */
static void test_taken_back(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    turn_with(&w, room_command_create(ROOM_TERM, 5));
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_WITHDRAWN);
    offer(&w);
    pilot(&w, "p1", HELLO);
    claim(&w, "p1", "5.2");
    turn_with(&w, room_command_create(ROOM_TERM, 5));
    assert_null(news(&w, ROOM_RUN_OVER));
    struct room_command *gone = room_command_create(ROOM_PILOT_GONE, 0);
    snprintf(gone->pilot, sizeof(gone->pilot), "p1");
    turn_with(&w, gone); /* it has claimed it, and not said so */
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_GONE);
    world_finish(&w);
}

/* Another daemon goes on where the first was killed, in the middle of an order. */
static void test_restart(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    pilot(&w, "p1", HELLO TOOK);
    run_shell("echo one >> %s/runs/5.1/run.jsonl", w.spool);
    turn(&w);
    room_destroy(w.room);
    run_shell("printf '{\"order\":\"gone\",\"run\":5,\"att' >> %s/orders; echo two >> "
              "%s/runs/5.1/run.jsonl",
              w.spool, w.spool);
    open_room(&w, "one");
    turn_with(&w, of_run(&w, ROOM_ADOPT));
    assert_null(news(&w, ROOM_RUN_OVER));
    expect_file("one\ntwo\n", "%s/5/run.jsonl", w.runs);
    pilot(&w, "p1", ENDED);
    turn(&w);
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_SAID);
    turn_with(&w, of_run(&w, ROOM_ADOPT)); /* of a run that has none any more */
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_WITHDRAWN);
    room_destroy(w.room);
    open_room(&w, "another");
    turn(&w);
    assert_non_null(strstr(news(&w, ROOM_TROUBLE)->text, "another sweep"));
    world_finish(&w);
}

/* The name of who had it goes once all can know that it is over, whoever comes late. */
static void test_claims_go(void **state)
{
    struct world w;
    char path[128];
    world_init(&w);
    offer(&w);
    snprintf(path, sizeof(path), "%s/claims/5.1", w.spool);
    pilot(&w, "p1", HELLO TOOK ENDED);
    claim(&w, "p1", "5.1");
    run_shell("mv %s/orders %s/aside", w.spool, w.spool);
    turn(&w);
    assert_non_null(news(&w, ROOM_RUN_OVER));
    assert_int_equal(access(path, F_OK), 0);
    run_shell("mv %s/aside %s/orders", w.spool, w.spool);
    turn(&w);
    assert_int_not_equal(access(path, F_OK), 0);
    pilot(&w, "p2", HELLO);
    claim(&w, "p2", "5.1");
    pilot(&w, "p2", TOOK);
    turn(&w);
    assert_null(news(&w, ROOM_RUN_TAKEN));
    assert_int_not_equal(access(path, F_OK), 0);
    claim(&w, "p2", "5.1");
    room_destroy(w.room);
    open_room(&w, "one");
    turn(&w);
    assert_int_not_equal(access(path, F_OK), 0);
    world_finish(&w);
}

/* Of one that is gone nothing stays; one of the same name is another. */
static void test_pilots_go(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    pilot(&w, "p1", HELLO TOOK);
    claim(&w, "p1", "5.1");
    run_shell("echo words > %s/jobs/7_0.log", w.spool);
    turn(&w);
    pilot(&w, "p1", ENDED "{\"note\":\"bye\",\"text\":\"done\"}\n");
    turn(&w);
    assert_string_equal(news(&w, ROOM_PILOT_BYE)->text, "done");
    run_shell("test ! -e %s/pilots/p1/card && test -e %s/pilots/p1/log", w.spool, w.spool);
    turn(&w);
    run_shell("test ! -e %s/pilots/p1 && test ! -e %s/jobs/7_0.log", w.spool, w.spool);
    pilot(&w, "p0", HELLO);
    pilot(&w, "p1", HELLO);
    turn(&w);
    size_t hellos = 0;
    for (size_t i = 0; i < w.pass.count; i++)
        hellos += w.pass.news[i].type == ROOM_PILOT_HELLO;
    assert_int_equal(hellos, 2);
    world_finish(&w);
}

static void test_names_of_attempts(void **state)
{
    static const char *const wrong[] = {"",     "5",    "5.",  ".1",   "5.1x", "05.1", "5.01",
                                        "-5.1", "5.-1", "0.1", "5.1.", " 5.1", "99999999999999999999.1"};
    struct spool_attempt at;
    assert_true(spool_attempt_read("9007199254740993.12", &at));
    assert_true(at.run_id == 9007199254740993 && at.number == 12);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(spool_attempt_read(wrong[i], &at));
}

/* Of thousands of runs each has its own next number, and folders go with the room. */
static void test_many_attempts(void **state)
{
    struct world w;
    world_init(&w);
    for (int i = 0; i < 3; i++) {
        offer(&w);
        turn_with(&w, room_command_create(ROOM_TERM, 5));
        assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_WITHDRAWN);
    }
    run_shell("test -d %s/runs/5.3 && test ! -e %s/runs/5.2", w.spool, w.spool);
    room_destroy(w.room);
    run_shell("for i in 9 8 7 6 4 3 2 1; do "
              "printf '{\"order\":\"offer\",\"run\":%%d,\"attempt\":%%d}\n' $i $i >> %s/orders; "
              "done; mkdir %s/runs/7.7",
              w.spool, w.spool);
    open_room(&w, "one");
    turn(&w);
    offer(&w);
    run_shell("test -d %s/runs/5.4 && ! grep -q '\"run\":5,\"attempt\":5' %s/orders", w.spool,
              w.spool);
    room_remove(w.room);
    assert_int_not_equal(access(w.spool, F_OK), 0);
    world_finish(&w);
}

/* What pilots wrote may be anything. */
static void test_hostile(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    pilot(&w, "p1", HELLO "rubbish\n{\"note\":\"took\",\"run\":-5,\"attempt\":1}\n[1]\n\n"
                          "{\"note\":\"ended\",\"run\":5,\"attempt\":1,\"status\":0,\"signal\":0}\n"
                          "{\"note\":\"took\",\"run\":5}\n{\"note\":7}\n");
    run_shell("mkfifo %s/pilots/fifo; mkdir %s/pilots/p2 %s/pilots/..x; mkfifo %s/pilots/p2/log; "
              "mkdir %s/pilots/p3; ln -s /dev/zero %s/pilots/p3/log; "
              "mkdir %s/pilots/p4; head -c 300000 /dev/zero > %s/pilots/p4/log",
              w.spool, w.spool, w.spool, w.spool, w.spool, w.spool, w.spool, w.spool);
    turn(&w);
    assert_null(news(&w, ROOM_RUN_TAKEN)); /* who has not taken it does not end it */
    assert_null(news(&w, ROOM_RUN_OVER));
    run_shell("rm %s/runs/5.1/run.jsonl; ln -s /etc/passwd %s/runs/5.1/run.jsonl", w.spool,
              w.spool);
    pilot(&w, "p1", TOOK);
    turn(&w);
    expect_file("", "%s/5/run.jsonl", w.runs);
    world_finish(&w);
}

/* The room is removed under everybody's feet, and something else is in its place. */
static void test_gone(void **state)
{
    struct world w;
    world_init(&w);
    offer(&w);
    run_shell("rm -rf %s", w.spool);
    turn_with(&w, room_command_create(ROOM_KILL, 5));
    assert_non_null(news(&w, ROOM_TROUBLE));
    assert_string_not_equal(news(&w, ROOM_TROUBLE)->text, "");
    room_destroy(w.room);
    run_shell("echo > %s", w.spool);
    open_room(&w, "one");
    offer(&w);
    assert_int_equal(news(&w, ROOM_RUN_OVER)->end, ROOM_END_REFUSED);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run),      cmocka_unit_test(test_zombie),
        cmocka_unit_test(test_taken_back), cmocka_unit_test(test_restart),
        cmocka_unit_test(test_claims_go),  cmocka_unit_test(test_names_of_attempts),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_many_attempts),
        cmocka_unit_test(test_gone),       cmocka_unit_test(test_pilots_go),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
