#include "daemon/store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <uv.h>

#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/buf.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/process.h"
#include "sweep/require.h"

#define LOCK_WAIT_NS (5 * UINT64_C(1000000000))
#define LOCK_POLL_MS 5

/* --- the place ----------------------------------------------------------------------------- */

/* File systems where locks or the WAL's shared memory do not work between machines: statfs(2). */
static const struct {
    unsigned long magic;
    const char *name;
} network_magics[] = {
    {0x6969, "NFS"},     {0x517b, "SMB"},      {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
    {0x5346414f, "AFS"}, {0x73757245, "Coda"}, {0x00c36400, "Ceph"}, {0x0bd00bd0, "Lustre"},
};

/* All FUSE file systems share one magic, local ones too: these types are the remote ones. */
static const char *const network_fuse_types[] = {
    "fuse.sshfs",     "fuse.s3fs",  "fuse.rclone",  "fuse.glusterfs",
    "fuse.ceph-fuse", "fuse.davfs", "fuse.gcsfuse", "fuse.curlftpfs",
};

/* The type that /proc/self/mountinfo gives for the device, e.g. "fuse.sshfs"; "" if none. */
static void mount_type(dev_t device, char *out, size_t size)
{
    char line[4096], wanted[32];
    FILE *f = fopen("/proc/self/mountinfo", "re");

    out[0] = '\0';
    if (!f)
        return;
    snprintf(wanted, sizeof(wanted), "%u:%u", major(device), minor(device));
    while (fgets(line, sizeof(line), f)) {
        char numbers[32], type[64];
        const char *dash = strstr(line, " - ");
        if (dash && sscanf(line, "%*s %*s %31s", numbers) == 1 &&
            sscanf(dash + 3, "%63s", type) == 1 && strcmp(numbers, wanted) == 0)
            str_copy(out, size, type);
    }
    fclose(f);
}

static int check_file_system(const char *folder, bool forced, struct errbuf *err)
{
    struct statfs fs;
    struct stat st;
    char type[64];
    const char *found = NULL;

    if (statfs(folder, &fs) < 0 || stat(folder, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < ARRAY_LEN(network_magics); i++) {
        if (((unsigned long)fs.f_type & 0xffffffffUL) == network_magics[i].magic)
            found = network_magics[i].name;
    }
    mount_type(st.st_dev, type, sizeof(type));
    for (size_t i = 0; i < ARRAY_LEN(network_fuse_types); i++) {
        if (strcmp(type, network_fuse_types[i]) == 0)
            found = network_fuse_types[i];
    }
    if (!found)
        return 0;
    if (forced) {
        log_warn("%s lies on a network file system (%s): that nobody opens the database from "
                 "another machine is yours to see to (--force-network)",
                 folder, found);
        return 0;
    }
    return err_set(
        err, ERR_VALUE,
        "%s lies on a network file system (%s), where the database's locks do not hold; "
        "choose a local folder with --db or SWEEPD_DB, or --force-network where no other "
        "machine ever opens it",
        folder, found);
}

/* The one name of the file, whatever symbolic links lead to it: two names, one lock. */
static int real_path(const char *path, char *out, struct errbuf *err)
{
    char copy[PATHS_MAX], folder[PATH_MAX];
    int written;

    if (realpath(path, folder)) {
        written = snprintf(out, PATHS_MAX, "%s", folder);
    } else if (errno == ENOENT) {
        str_copy(copy, sizeof(copy), path);
        if (!realpath(dirname(copy), folder))
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        str_copy(copy, sizeof(copy), path);
        written = snprintf(out, PATHS_MAX, "%s/%s", folder, basename(copy));
    } else {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (written >= PATHS_MAX)
        return err_set(err, ERR_VALUE, "the path of the database is too long");
    return 0;
}

/* Of hard links each has a lock and a write-ahead log of its own: two daemons would not see each
 * other, and SQLite would lose what the other one wrote. */
static int check_names(const char *path, struct errbuf *err)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink < 2)
        return 0;
    return err_set(err, ERR_VALUE,
                   "%s has %lu names (hard links), and a database may have one: remove the others",
                   path, (unsigned long)st.st_nlink);
}

/* --- the lock ------------------------------------------------------------------------------ */

/* The lock is of the kind that fork() does not hand on (fcntl(2), F_SETLK), unlike flock's: a
 * child that the holder was starting when it was killed keeps the holder's descriptors until its
 * exec, but does no work on the database. And the kernel itself names the process that holds it. */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int refuse_locked(const char *path, int64_t pid, struct errbuf *err)
{
    char name[64];

    if (pid <= 0) /* of another namespace */
        return err_set(err, ERR_BUSY, "%s is held by another process", path);
    process_name(pid, name, sizeof(name));
    return err_set(err, ERR_BUSY, "%s is held by process %" PRId64 " (%s)", path, pid, name);
}

/* A holder that was killed has the lock until the last of its threads is gone, which may wait for
 * the disk: that is waited for, and nothing else. 0, ERR_BUSY, ERR_IO. */
static int take_lock(const char *path, int fd, struct errbuf *err)
{
    uint64_t deadline = uv_hrtime() + LOCK_WAIT_NS;
    struct flock ours = whole_file();
    bool said = false;

    while (fcntl(fd, F_SETLK, &ours) < 0) {
        struct flock held = whole_file();
        if ((errno != EAGAIN && errno != EACCES) || fcntl(fd, F_GETLK, &held) < 0)
            return err_set(err, ERR_IO, "%s.lock: %s", path, strerror(errno));
        if (held.l_type == F_UNLCK) /* let go since */
            continue;
        if (!process_is_ending(held.l_pid) || uv_hrtime() > deadline)
            return refuse_locked(path, held.l_pid, err);
        if (!said)
            log_warn("%s is still held by process %ld, which was killed: waiting for its end", path,
                     (long)held.l_pid);
        said = true;
        uv_sleep(LOCK_POLL_MS);
    }
    return 0;
}

static int lock_file(const char *path, int *lock_fd, struct errbuf *err)
{
    char name[PATHS_MAX + 8];
    int code;

    snprintf(name, sizeof(name), "%s.lock", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
    if ((code = take_lock(path, fd, err)) < 0)
        goto fail;
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        code = err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
        goto fail;
    }
    *lock_fd = fd;
    return 0;
fail:
    close(fd);
    return code;
}

int store_lock(const char *path, bool force_network, int *lock_fd, struct errbuf *err)
{
    char folder[PATHS_MAX], real[PATHS_MAX];
    int code;

    if (path[0] != '/' || strlen(path) >= PATHS_MAX)
        return err_bad(err, ERR_VALUE, "--db", path, "an absolute path of at most %d bytes",
                       PATHS_MAX - 1);
    if ((code = paths_make_parent(path, 0700, err)) < 0 || (code = real_path(path, real, err)) < 0)
        return code;
    if ((code = check_names(real, err)) < 0)
        return code;
    str_copy(folder, sizeof(folder), real);
    if ((code = check_file_system(dirname(folder), force_network, err)) < 0)
        return code;
    return lock_file(real, lock_fd, err);
}
