/* Where the socket may be, who may connect, and what happens without descriptors. */
#include "daemon/serve/listener.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/err.h"

struct world {
    uv_loop_t loop;
    struct listener *listener;
    struct errbuf err;
    char folder[64], path[80];
    size_t clients;
};

static void on_client(void *arg, int fd)
{
    struct world *w = arg;
    w->clients++;
    close(fd);
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    uv_loop_init(&w->loop);
    str_copy(w->folder, sizeof(w->folder), "/tmp/test-listener-XXXXXX");
    if (!mkdtemp(w->folder))
        return -1;
    snprintf(w->path, sizeof(w->path), "%s/sock", w->folder);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    listener_close(w->listener);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    int rc = uv_loop_close(&w->loop);
    rc |= rmdir(w->folder);
    free(w);
    return rc;
}

static int open_it(struct world *w)
{
    struct listener_place place = {w->path, CONFIG_NO_GROUP};
    return listener_open(&w->loop, &place, on_client, w, &w->listener, &w->err);
}

static int connect_it(const struct world *w)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    str_copy(address.sun_path, sizeof(address.sun_path), w->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_a_client_is_accepted(void **state)
{
    struct world *w = *state;
    struct stat st;
    assert_int_equal(open_it(w), 0);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int fd = connect_it(w);
    uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(w->clients, 1);
    close(fd);
}

/* Its owner may remove and rename what he likes in it, sticky or not. */
static void test_a_sticky_folder_of_somebody_else_is_refused(void **state)
{
    struct world *w = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(w->folder, 01777), 0);
    assert_int_equal(chown(w->folder, 4711, 4711), 0);
    assert_int_equal(open_it(w), ERR_PERMISSION);
    assert_non_null(strstr(w->err.message, "4711"));
    assert_int_equal(chown(w->folder, 0, 0), 0); /* as /tmp is */
    assert_int_equal(open_it(w), 0);
}

static void test_a_folder_that_others_write_to_is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(chmod(w->folder, 0770), 0);
    assert_int_equal(open_it(w), ERR_PERMISSION);
    assert_non_null(strstr(w->err.message, "chmod 700"));
}

static void test_a_vanished_socket_is_noticed(void **state)
{
    struct world *w = *state;
    assert_int_equal(open_it(w), 0);
    assert_true(listener_is_there(w->listener));
    unlink(w->path);
    assert_false(listener_is_there(w->listener));
}

/* All descriptors taken: who comes is told so, and the loop does not spin. */
static void test_without_descriptors_busy_is_heard(void **state)
{
    struct world *w = *state;
    char reply[1024] = "";
    struct rlimit before, none;
    assert_int_equal(open_it(w), 0);
    int fd = connect_it(w);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)fd + 1; /* the spare one lies below */
    for (int full = 0; full <= fd; full++) {
        if (fcntl(full, F_GETFD) < 0)
            assert_int_equal(dup2(fd, full), full);
    }
    setrlimit(RLIMIT_NOFILE, &none);
    uv_run(&w->loop, UV_RUN_ONCE);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(w->clients, 0);
    assert_true(read(fd, reply, sizeof(reply) - 1) > 0);
    assert_non_null(strstr(reply, "\"busy\""));
    assert_int_equal(read(fd, reply, sizeof(reply)), 0);
    int again = connect_it(w);
    listener_go_on(w->listener);
    uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(w->clients, 1);
    close(again);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_client_is_accepted),
        TEST(test_a_sticky_folder_of_somebody_else_is_refused),
        TEST(test_a_folder_that_others_write_to_is_refused),
        TEST(test_a_vanished_socket_is_noticed),
        TEST(test_without_descriptors_busy_is_heard),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
