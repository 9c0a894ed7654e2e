/* What is told of a run is there after a power failure: what is synced, and in which order. The
 * calls of the C library that matter are wrapped (-Wl,--wrap) and noted. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "worker/link.h"
#include "worker/weights.h"

#include "folder.h"
#include "tiny_net.h"

static struct buf noted; /* "fdatasync NAME\n", "rename OLD NEW\n" … */

static void note(const char *call, const char *path)
{
    const char *slash = strrchr(path, '/');
    buf_printf(&noted, "%s %s\n", call, slash ? slash + 1 : path);
}

static void note_descriptor(const char *call, int fd)
{
    char link[64], path[256] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    char *made = strstr(path, ".safetensors."); /* a name of the moment */
    if (made)
        strcpy(made, ".safetensors.TMP");
    note(call, path);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    note_descriptor("fsync", fd);
    return __real_fsync(fd);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    note_descriptor("fdatasync", fd);
    return __real_fdatasync(fd);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    note("rename to", to);
    return __real_rename(from, to);
}

static void expect_noted(const char *calls)
{
    assert_string_equal(noted.data, calls);
    buf_clear(&noted);
}

static void test_weights(void **state)
{
    struct folder f;
    struct tiny_net t;
    char path[128];
    folder_init(&f);
    tiny_net_init(&t);
    snprintf(path, sizeof path, "%s/best.safetensors", f.data);
    assert_int_equal(weights_write(path, &t.net, t.values, NULL), 0);
    expect_noted("fdatasync best.safetensors.TMP\nrename to best.safetensors\nfsync data\n");
    folder_finish(&f);
}

/* The lines, the names beside them, and that of the folder they lie in. */
static void test_end_of_a_run(void **state)
{
    struct folder f;
    struct link link;
    char path[128], want[256];
    folder_init(&f);
    snprintf(path, sizeof path, "%s/run.jsonl", f.data);
    link_init(&link, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    assert_true(link.fd >= 0);
    link_settle(&link, f.data);
    assert_false(link.broken);
    snprintf(want, sizeof want, "fdatasync run.jsonl\nfsync data\nfsync %s\n",
             strrchr(f.root, '/') + 1);
    expect_noted(want);
    close(link.fd);
    link_finish(&link);
    folder_finish(&f);
}

/* By hand the lines go to a terminal or another program. */
static void test_a_pipe_keeps_nothing(void **state)
{
    struct link link;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    link_init(&link, ends[1]);
    link_settle(&link, "/nowhere");
    assert_false(link.broken);
    assert_int_equal(noted.len, 0);
    close(ends[0]);
    close(ends[1]);
    link_finish(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_end_of_a_run),
        cmocka_unit_test(test_a_pipe_keeps_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_finish(&noted);
    return rc;
}
