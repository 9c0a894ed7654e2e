#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "tests/unit/worker/folder.h"
#include "worker/command/leftovers.h"

/* A process that has the file open and waits; it has it open when this returns. */
static pid_t holder(const char *path, int how)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(path, how);
        if (fd < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static int ended_by(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_writers_are_ended_and_readers_are_not(void **state)
{
    struct folder f;
    folder_init(&f);
    folder_write(&f, "metrics", "{}", 2);
    char *path = xasprintf("%s/metrics", f.data);
    pid_t writer = holder(path, O_WRONLY | O_APPEND), reader = holder(path, O_RDONLY);
    leftovers_end(path);
    assert_int_equal(ended_by(writer), SIGKILL);
    assert_int_equal(waitpid(reader, NULL, WNOHANG), 0); /* a person's `tail -f` */
    kill(reader, SIGTERM);
    assert_int_equal(ended_by(reader), SIGTERM);
    free(path);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writers_are_ended_and_readers_are_not),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
