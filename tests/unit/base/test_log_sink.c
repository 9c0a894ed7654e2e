/* A program that must not stop because nobody reads its log: each case is a process of its own,
 * whose stderr is a pipe, a socket or a file. */
#include "sweep/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/buf.h"

#define LOG_MODULE "test"
#define LINES 20000 /* more than a pipe or socket holds */

/* Runs in a child with that descriptor as its stderr; its exit status. */
static int in_child(int err_fd, void (*act)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(err_fd, STDERR_FILENO);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_all(int fd, struct buf *out)
{
    char bytes[65536];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_append(out, bytes, (size_t)n);
}

/* Nobody reads, then the pipe is emptied by the same process. */
static int read_end;

static void fill_and_go_on(void)
{
    struct buf heard = {0};
    log_never_wait();
    for (int i = 0; i < LINES; i++)
        log_info("line %d", i);
    read_all(read_end, &heard);
    log_info("heard again");
    buf_finish(&heard);
}

static void expect_count(int fd)
{
    struct buf heard = {0};
    int lost = 0;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    read_all(fd, &heard);
    const char *said = strstr(heard.data, "log: ");
    assert_non_null(said);
    assert_int_equal(sscanf(said, "log: %d lines were left out", &lost), 1);
    assert_in_range(lost, 1, LINES);
    assert_non_null(strstr(heard.data, "heard again"));
    buf_finish(&heard);
}

static void test_a_full_pipe_costs_lines_not_time(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read_end = ends[0];
    assert_int_equal(in_child(ends[1], fill_and_go_on), 0);
    expect_count(ends[0]);
    assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK); /* others share it */
    close(ends[0]);
    close(ends[1]);
}

static void test_a_full_socket(void **state)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read_end = ends[0];
    assert_int_equal(in_child(ends[1], fill_and_go_on), 0);
    expect_count(ends[0]);
    close(ends[0]);
    close(ends[1]);
}

static void say_to_journal(void)
{
    struct stat st;
    char stream[64];
    fstat(STDERR_FILENO, &st);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_never_wait();
    log_warn("it \"says\" so");
    log_info("event=run_ended sweep=3");
}

static void test_the_journal_gets_priorities_and_logfmt(void **state)
{
    struct buf heard = {0};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(in_child(ends[1], say_to_journal), 0);
    close(ends[1]);
    read_all(ends[0], &heard);
    assert_string_equal(heard.data, "<4>module=test msg=\"it \\\"says\\\" so\"\n"
                                    "<6>module=test event=run_ended sweep=3\n");
    buf_finish(&heard);
    close(ends[0]);
}

static char folder[64];

static char *file(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void fill_files(void)
{
    char text[1000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    char *path = file("log");
    if (log_to_file(path, NULL) != 0)
        _exit(1);
    for (size_t bytes = 0; bytes < (LOG_FILES_KEPT + 2) * (size_t)LOG_FILE_BYTES;
         bytes += sizeof(text))
        log_info("%s", text);
    log_info("the last one");
    fputs("past the log\n", stderr);
    free(path);
}

static void test_a_file_is_turned(void **state)
{
    struct stat st;
    str_copy(folder, sizeof(folder), "/tmp/test-log-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(in_child(STDERR_FILENO, fill_files), 0);
    for (int i = 1; i <= LOG_FILES_KEPT; i++) {
        char name[16];
        snprintf(name, sizeof(name), "log.%d", i);
        char *path = file(name);
        assert_int_equal(stat(path, &st), 0);
        assert_in_range(st.st_size, LOG_FILE_BYTES, LOG_FILE_BYTES + 4096);
        unlink(path);
        free(path);
    }
    struct buf text = {0};
    char *path = file("log");
    assert_int_equal(buf_read_file(&text, path, 2 * LOG_FILE_BYTES, NULL), 0);
    assert_non_null(strstr(text.data, "the last one\npast the log\n"));
    unlink(path);
    free(path);
    buf_finish(&text);
    assert_int_equal(rmdir(folder), 0); /* there are no more than those */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_pipe_costs_lines_not_time),
        cmocka_unit_test(test_a_full_socket),
        cmocka_unit_test(test_the_journal_gets_priorities_and_logfmt),
        cmocka_unit_test(test_a_file_is_turned),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("log_sink", tests, NULL, NULL);
}
