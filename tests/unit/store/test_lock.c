/* Who holds a database, and who does not: with processes that end in every way. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/process.h"

/* A child that holds the database, says so through `up`, and goes on when `down` has an end. */
struct holder {
    pid_t pid;
    int up[2], down[2];
};

static void pipes_open(struct holder *h)
{
    assert_int_equal(pipe(h->up), 0);
    assert_int_equal(pipe(h->down), 0);
}

/* In the child, which has no other end of its own pipes. It ends with the test, if not before. */
static void holder_begin(struct holder *h, struct fixture *f)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(h->up[0]);
    close(h->down[1]);
    if (fixture_open(f) != 0)
        _exit(1);
}

static void holder_is_up(const struct holder *h)
{
    if (write(h->up[1], "u", 1) != 1)
        _exit(1);
}

static void await_down(const struct holder *h)
{
    char byte;
    while (read(h->down[0], &byte, 1) > 0)
        ;
}

/* In the test, behind the fork. */
static void await_up(struct holder *h)
{
    char byte;
    close(h->up[1]);
    close(h->down[0]);
    assert_int_equal(read(h->up[0], &byte, 1), 1);
}

static void let_go(struct holder *h)
{
    close(h->down[1]);
    close(h->up[0]);
}

static void test_a_holder_is_named(void **state)
{
    struct fixture *f = *state, other = {.loop = f->loop};
    struct holder h;
    char words[64];

    pipes_open(&h);
    h.pid = fork();
    if (h.pid == 0) {
        holder_begin(&h, f);
        holder_is_up(&h);
        await_down(&h);
        _exit(0);
    }
    await_up(&h);
    assert_int_equal(fixture_open(f), ERR_BUSY);
    snprintf(words, sizeof(words), "held by process %d (test_lock)", h.pid);
    assert_non_null(strstr(f->err.message, words));
    snprintf(other.path, sizeof(other.path), "%s/link.db", f->folder); /* one lock for both names */
    assert_int_equal(symlink(f->path, other.path), 0);
    assert_int_equal(fixture_open(&other), ERR_BUSY);
    assert_int_equal(kill(h.pid, SIGSTOP), 0); /* that it does nothing does not make it ours */
    assert_int_equal(waitpid(h.pid, NULL, WUNTRACED), h.pid);
    assert_int_equal(fixture_open(f), ERR_BUSY);
    assert_int_equal(kill(h.pid, SIGCONT), 0);
    let_go(&h);
    assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
    assert_int_equal(fixture_open(&other), 0);
    fixture_close(&other);
}

/* As between fork and exec of a worker: a child has all descriptors of its killed parent. */
static void test_a_child_of_a_killed_holder_holds_nothing(void **state)
{
    struct fixture *f = *state;
    struct holder h;
    int status;

    pipes_open(&h);
    h.pid = fork();
    if (h.pid == 0) {
        holder_begin(&h, f);
        if (fork() == 0) {
            holder_is_up(&h);
            await_down(&h);
            _exit(0);
        }
        pause();
    }
    await_up(&h);
    assert_int_equal(fixture_open(f), ERR_BUSY);
    assert_int_equal(kill(h.pid, SIGKILL), 0);
    assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(write(h.down[1], "?", 1), 1); /* no EPIPE: that child lives */
    assert_int_equal(fixture_open(f), 0);
    let_go(&h);
}

static void *last_thread(void *arg)
{
    struct holder *h = arg;
    await_down(h);
    _exit(0);
}

/* What a killed process is while one of its threads waits for the disk: a zombie that still holds
 * all it has. Its first thread ends by itself here, so that the moment lasts. */
static void be_a_zombie(struct holder *h, struct fixture *f)
{
    pthread_t thread;
    holder_begin(h, f);
    if (pthread_create(&thread, NULL, last_thread, h) != 0)
        _exit(1);
    holder_is_up(h);
    pthread_exit(NULL);
}

/* Opens with its log in the pipe. */
static pid_t start_opener(struct fixture *f, int log[2])
{
    assert_int_equal(pipe(log), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(log[1], STDERR_FILENO);
        close(log[0]);
        close(log[1]);
        _exit(fixture_open(f) == 0 ? 0 : 1);
    }
    close(log[1]);
    return pid;
}

static void test_the_end_of_a_holder_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct holder h;
    char line[512] = "", words[64];
    int status, log[2];

    pipes_open(&h);
    h.pid = fork();
    if (h.pid == 0)
        be_a_zombie(&h, f);
    await_up(&h);
    while (!process_is_ending(h.pid))
        usleep(1000);
    pid_t opener = start_opener(f, log);
    FILE *said = fdopen(log[0], "r");
    assert_non_null(said);
    assert_non_null(fgets(line, sizeof(line), said));
    snprintf(words, sizeof(words), "still held by process %d,", h.pid);
    assert_non_null(strstr(line, words));
    assert_int_equal(waitpid(opener, &status, WNOHANG), 0); /* it waits */
    assert_int_equal(kill(h.pid, SIGKILL), 0);
    assert_int_equal(waitpid(opener, &status, 0), opener);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_null(fgets(line, sizeof(line), said)); /* said once */
    fclose(said);
    let_go(&h);
    assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_holder_is_named),
        TEST(test_a_child_of_a_killed_holder_holds_nothing),
        TEST(test_the_end_of_a_holder_is_waited_for),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
