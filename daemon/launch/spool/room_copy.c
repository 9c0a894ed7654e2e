/* What workers have left in the spool, brought to the runs' own folders; and the removal of what
 * is not needed there any more. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/record.h"
#include "sweep/require.h"
#include "sweep/run.h"

#define BLOCK_BYTES 65536

char *room_run_path(const struct room *r, const struct spool_attempt *at, const char *file)
{
    char name[SPOOL_ATTEMPT_MAX];
    bool is_folder = file == NULL || file[0] == '\0';
    spool_attempt_name(at, name);
    return xasprintf("%s/" SPOOL_RUNS "/%s%s%s", r->place.path, name, is_folder ? "" : "/",
                     is_folder ? "" : file);
}

static int64_t fail_at(struct errbuf *err, const char *path)
{
    return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int64_t room_copy_on(const char *path, int fd, int64_t *from, int64_t max, struct errbuf *err)
{
    char block[BLOCK_BYTES];
    int64_t total = 0;
    int source = spool_open_plain(path, O_RDONLY);
    if (source < 0)
        return errno == ENOENT ? 0 : fail_at(err, path);
    while (total < max) {
        ssize_t n = pread(source, block, sizeof(block), *from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            total = fail_at(err, path);
        if (n > 0 && write_all(fd, block, (size_t)n) != 0) {
            /* A part may be there: it is cut away, to be brought again. */
            int64_t rc = err_set(err, ERR_IO, "%s: cannot be brought here: %s", path,
                                 strerror(errno));
            total = ftruncate(fd, *from) == 0 ? rc : rc;
            n = -1;
        }
        if (n <= 0)
            break;
        *from += n;
        total += n;
    }
    close(source);
    return total;
}

int room_copy_file(const char *from, const char *to, struct errbuf *err)
{
    int64_t at = 0, n = 1;
    char *unfinished = xasprintf("%s.tmp", to);
    (void)unlink(unfinished);
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int source = fd < 0 ? -1 : spool_open_plain(from, O_RDONLY);
    if (fd < 0 || source < 0)
        n = fail_at(err, fd < 0 ? unfinished : from);
    if (source >= 0)
        close(source);
    while (n > 0)
        n = room_copy_on(from, fd, &at, INT64_C(1) << 30, err);
    if (n == 0 && (fsync(fd) != 0 || rename(unfinished, to) != 0))
        n = fail_at(err, to);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        (void)unlink(unfinished);
    free(unfinished);
    return n < 0 ? (int)n : 0;
}

/* --- what a run has left --------------------------------------------------------------------- */

int room_bring_home(struct room *r, struct attempt *a, struct errbuf *err)
{
    const char *weights = run_file_name(RUN_FILE_WEIGHTS);
    char *from = room_run_path(r, &a->at, weights), *to = xasprintf("%s/%s", a->folder, weights);
    int rc = access(from, F_OK) == 0 ? room_copy_file(from, to, err) : 0;
    free(from);
    free(to);
    return rc;
}

/* The last whole line of the file, at most a block long. */
static bool read_last_line(const char *path, char block[BLOCK_BYTES], char **line, size_t *len)
{
    struct stat st;
    int fd = spool_open_plain(path, O_RDONLY);
    int64_t from = 0;
    ssize_t n = -1;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        from = st.st_size > BLOCK_BYTES ? st.st_size - BLOCK_BYTES : 0;
        n = pread(fd, block, BLOCK_BYTES, from);
    }
    if (fd >= 0)
        close(fd);
    char *end = n > 0 ? memrchr(block, '\n', (size_t)n) : NULL;
    if (!end)
        return false;
    char *before = end > block ? memrchr(block, '\n', (size_t)(end - block)) : NULL;
    *line = before ? before + 1 : block;
    *len = (size_t)(end - *line);
    return before || from == 0;
}

/* It has ended for good: it does not go on from what lies there. */
bool room_has_final_result(const char *lines)
{
    char block[BLOCK_BYTES], *line;
    struct record record;
    size_t len;
    if (!read_last_line(lines, block, &line, &len) || record_parse(line, len, &record, NULL) != 0)
        return false;
    bool final = record.type == RECORD_RESULT && (record.u.result.status == RUN_COMPLETED ||
                                                  record.u.result.status == RUN_STOPPED);
    record_finish(&record);
    return final;
}

/* --- removal ---------------------------------------------------------------------------------- */

/* What a program has made stays, in its folder for checkpoints too. */
void room_drop_folder(const struct room *r, const struct spool_attempt *at)
{
    static const char *const ours[] = {ROOM_START_WEIGHTS,  COMMAND_PARAMS_FILE,
                                       COMMAND_WANDB_FILE,  COMMAND_LOGGED_FILE,
                                       COMMAND_OPENED_FILE, COMMAND_METRICS_FILE,
                                       COMMAND_STOP_FILE};
    char *path = room_run_path(r, at, NULL);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (int f = 0; folder >= 0 && f < RUN_FILE_COUNT; f++)
        (void)unlinkat(folder, run_file_name((enum run_file)f), 0);
    for (size_t i = 0; folder >= 0 && i < ARRAY_LEN(ours); i++)
        (void)unlinkat(folder, ours[i], 0);
    if (folder >= 0) {
        (void)unlinkat(folder, COMMAND_CHECKPOINT_DIR, AT_REMOVEDIR);
        close(folder);
    }
    (void)rmdir(path);
    free(path);
}

void room_drop_claim(const struct room *r, const struct spool_attempt *at)
{
    char name[SPOOL_ATTEMPT_MAX];
    spool_attempt_name(at, name);
    char *path = xasprintf("%s/" SPOOL_CLAIMS "/%s", r->place.path, name);
    (void)unlink(path);
    free(path);
}

/* The entries of a folder that are plain files, or folders of such; not deeper than levels. */
static void remove_below(const char *path, int levels)
{
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            unlinkat(dirfd(dir), e->d_name, 0) == 0 || levels == 0)
            continue;
        char *inner = xasprintf("%s/%s", path, e->d_name);
        remove_below(inner, levels - 1);
        (void)rmdir(inner);
        free(inner);
    }
    if (dir)
        closedir(dir);
}

void room_remove_folder(const char *path, int levels)
{
    remove_below(path, levels);
    (void)rmdir(path);
}

static void remove_part(const struct room *r, const char *name, int levels)
{
    char *path = xasprintf("%s/%s", r->place.path, name);
    room_remove_folder(path, levels);
    free(path);
}

static void remove_run_folders(const struct room *r)
{
    struct spool_attempt at;
    char *path = xasprintf("%s/" SPOOL_RUNS, r->place.path);
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (spool_attempt_read(e->d_name, &at))
            room_drop_folder(r, &at);
    if (dir)
        closedir(dir);
    free(path);
    remove_part(r, SPOOL_RUNS, 0);
}

void room_remove(struct room *r)
{
    static const char *const files[] = {SPOOL_ROOM_FILE, SPOOL_ORDERS, SPOOL_CARD, SPOOL_SCRIPT};
    remove_run_folders(r);
    remove_part(r, SPOOL_CLAIMS, 0);
    remove_part(r, SPOOL_PILOTS, 1);
    remove_part(r, SPOOL_JOBS, 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = xasprintf("%s/%s", r->place.path, files[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(r->place.path);
}
