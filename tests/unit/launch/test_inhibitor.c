/* The machine is kept awake by a child, here a script that stands for systemd-inhibit. */
#include "daemon/launch/inhibitor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "sweep/buf.h"

struct world {
    uv_loop_t loop;
    struct inhibitor *inhibitor;
    char folder[64];
    char *program, *log;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    uv_loop_init(&w->loop);
    str_copy(w->folder, sizeof(w->folder), "/tmp/test-inhibitor-XXXXXX");
    if (!mkdtemp(w->folder))
        return -1;
    char *path = xasprintf("%s:/bin:/usr/bin", w->folder);
    setenv("PATH", path, 1);
    free(path);
    w->program = xasprintf("%s/systemd-inhibit", w->folder);
    w->log = xasprintf("%s/log", w->folder);
    w->inhibitor = inhibitor_create(&w->loop);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    inhibitor_destroy(w->inhibitor);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&w->loop);
    unlink(w->program);
    unlink(w->log);
    rmdir(w->folder);
    free(w->program);
    free(w->log);
    free(w);
    return rc;
}

static void write_program(const struct world *w, const char *does)
{
    FILE *f = fopen(w->program, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\necho \"$*\" >> %s\n%s\n", w->log, does);
    fclose(f);
    assert_int_equal(chmod(w->program, 0700), 0);
}

/* How often it was begun. */
static size_t begins(const struct world *w)
{
    struct buf text = {0};
    size_t lines = 0;
    buf_read_file(&text, w->log, 4096, NULL);
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    assert_true(text.len == 0 || (strstr(text.data, "--what=sleep ") != NULL &&
                                  strstr(text.data, " --mode=block cat\n") != NULL));
    buf_finish(&text);
    return lines;
}

static void until_begins(struct world *w, size_t count)
{
    while (begins(w) < count)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static bool is_quiet(struct world *w)
{
    while (uv_loop_alive(&w->loop))
        uv_run(&w->loop, UV_RUN_ONCE);
    return true;
}

static void test_it_is_held_while_it_is_wanted(void **state)
{
    struct world *w = *state;
    write_program(w, "exec cat");
    inhibitor_want(w->inhibitor, true);
    inhibitor_want(w->inhibitor, true);
    until_begins(w, 1);
    inhibitor_want(w->inhibitor, false);
    assert_true(is_quiet(w)); /* the child has ended */
    inhibitor_want(w->inhibitor, true);
    until_begins(w, 2);
}

static void test_where_it_is_refused_it_is_not_asked_for_again(void **state)
{
    struct world *w = *state;
    write_program(w, "exit 1");
    inhibitor_want(w->inhibitor, true);
    until_begins(w, 1);
    assert_true(is_quiet(w));
    inhibitor_want(w->inhibitor, true);
    assert_false(uv_loop_alive(&w->loop));
    inhibitor_want(w->inhibitor, false);
    inhibitor_want(w->inhibitor, true);
    until_begins(w, 2);
}

static void test_where_it_is_not_there(void **state)
{
    struct world *w = *state;
    setenv("PATH", w->folder, 1);
    inhibitor_want(w->inhibitor, true);
    assert_true(is_quiet(w));
    assert_int_equal(begins(w), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_held_while_it_is_wanted),
        TEST(test_where_it_is_refused_it_is_not_asked_for_again),
        TEST(test_where_it_is_not_there),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("inhibitor", tests, NULL, NULL);
}
