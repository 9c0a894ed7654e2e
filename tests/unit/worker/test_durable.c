/* Weights are there after a power failure before anything tells of them, and checkpoints leave room
 * on the disk. The calls of the C library that matter are wrapped (-Wl,--wrap). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/checkpoint.h"
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
    assert_int_equal(weights_write(path, &t.net, t.values, NULL, NULL), 0);
    snprintf(want, sizeof want,
             "rename to best.safetensors\nfdatasync best.safetensors\nfsync data\nfsync %s\n",
             strrchr(f.root, '/') + 1);
    assert_string_equal(noted.data, want);
    folder_finish(&f);
}

static struct statvfs disk; /* what statvfs (of large files) says; f_blocks 0: what it is */

int __real_statvfs64(const char *path, struct statvfs *out);
int __wrap_statvfs64(const char *path, struct statvfs *out);
int __wrap_statvfs64(const char *path, struct statvfs *out)
{
    int rc = __real_statvfs64(path, out);
    if (disk.f_blocks > 0)
        *out = disk;
    return rc;
}

/* A checkpoint never takes the last of a disk; where it is refused there is nothing half written,
 * and the one before stays. */
static void test_checkpoint_leaves_room(void **state)
{
    const char identity[65] = "of this run";
    struct folder f;
    struct tiny_net t;
    struct settings settings;
    struct progress progress = {.epoch = 3}, read = {0};
    real moments[OPTIM_STATE_MAX][TINY_VALUES] = {{0}};
    char path[128];
    struct errbuf err;
    folder_init(&f);
    tiny_net_init(&t);
    settings_init(&settings);
    struct step step = {.net = t.net};
    optim_init(&step.optim, &settings);
    for (size_t i = 0; i < OPTIM_STATE_MAX; i++)
        step.optim.state[i] = moments[i];
    struct checkpointed c = {&step, NULL, &progress}, again = {&step, NULL, &read};
    snprintf(path, sizeof path, "%s/checkpoint", f.data);
    disk = (struct statvfs){.f_frsize = 1024, .f_blocks = 20 << 10, .f_bavail = 1 << 10};
    assert_int_equal(checkpoint_write(path, identity, &c, &err), ERR_IO);
    assert_non_null(strstr(err.message, "checkpoint: not written: of 1 MiB"));
    assert_int_equal(access(path, F_OK), -1);
    disk.f_bavail = 2 << 10;
    assert_int_equal(checkpoint_write(path, identity, &c, &err), 0);
    progress.epoch = 4;
    disk.f_bavail = 0;
    assert_int_equal(checkpoint_write(path, identity, &c, &err), ERR_IO);
    assert_int_equal(checkpoint_read(path, identity, &again, &err), 0);
    assert_int_equal(read.epoch, 3);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_checkpoint_leaves_room),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_finish(&noted);
    return rc;
}
