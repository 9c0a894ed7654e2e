/* Weights are there after a power failure before anything tells of them: what is synced. The
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

static void test_weights(void **state)
{
    struct folder f;
    struct tiny_net t;
    char path[128], want[256];
    folder_init(&f);
    tiny_net_init(&t);
    snprintf(path, sizeof path, "%s/best.safetensors", f.data);
    assert_int_equal(weights_write(path, &t.net, t.values, NULL), 0);
    snprintf(want, sizeof want,
             "rename to best.safetensors\nfdatasync best.safetensors\nfsync data\nfsync %s\n",
             strrchr(f.root, '/') + 1);
    assert_string_equal(noted.data, want);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_finish(&noted);
    return rc;
}
