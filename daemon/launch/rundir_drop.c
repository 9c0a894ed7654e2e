/* What goes from run folders: a checkpoint, weights, whole folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/launch/rundir_part.h"
#include "sweep/log.h"

#define LOG_MODULE "rundir"

/* Removes that file, and unfinished ones. */
static void drop_file(const char *runs_dir, int64_t run_id, const char *name)
{
    int folder = rundir_folder(runs_dir, run_id, false);
    if (folder < 0)
        return;
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        log_warn("run %" PRId64 ": %s stays: %s", run_id, name, strerror(errno));
    rundir_remove_unfinished(folder);
    close(folder);
}

void rundir_drop_weights(const char *runs_dir, int64_t run_id)
{
    drop_file(runs_dir, run_id, run_file_name(RUN_FILE_WEIGHTS));
}

void rundir_drop_checkpoint(const char *runs_dir, int64_t run_id)
{
    drop_file(runs_dir, run_id, run_file_name(RUN_FILE_CHECKPOINT));
}

struct removal {
    uv_work_t work;
    char runs_dir[PATHS_MAX];
    char *database;
    size_t count;
    int64_t run_ids[];
};

#define DEPTH_MAX 64 /* of folders that a program has made in its run's */

/* All in a folder: what a program has left there too. Links are removed, not followed. Takes the
 * stream over. */
static void remove_all(DIR *dir, int depth)
{
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            unlinkat(dirfd(dir), e->d_name, 0) == 0 || depth == DEPTH_MAX)
            continue;
        int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *inner = fd < 0 ? NULL : fdopendir(fd);
        if (inner) {
            remove_all(inner, depth + 1);
            unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
        } else if (fd >= 0) {
            close(fd);
        }
    }
    closedir(dir);
}

/* What cannot be removed stays, and so does the folder. */
static void remove_folder(const struct removal *r, int64_t run_id)
{
    int folder = rundir_folder(r->runs_dir, run_id, false);
    if (folder < 0)
        return;
    DIR *dir = rundir_is_anothers(folder, r->database) ? NULL : fdopendir(folder);
    if (!dir) {
        close(folder);
        return;
    }
    remove_all(dir, 0);
    char path[PATHS_MAX];
    (void)paths_run(path, sizeof(path), r->runs_dir, run_id); /* it was opened by that name */
    if (rmdir(path) != 0)
        log_warn("%s stays: %s", path, strerror(errno));
}

/* On a thread of libuv's pool; touches nothing but files that no run uses any more. */
static void removal_work(uv_work_t *work)
{
    struct removal *r = work->data;
    for (size_t i = 0; i < r->count; i++)
        remove_folder(r, r->run_ids[i]);
}

static void removal_finish(struct removal *r)
{
    free(r->database);
    free(r);
}

static void removal_done(uv_work_t *work, int status)
{
    removal_finish(work->data);
}

void rundir_remove(struct uv_loop_s *loop, const struct rundir_removal *what)
{
    if (what->count == 0)
        return;
    struct removal *r = xcalloc(1, sizeof(*r) + what->count * sizeof(r->run_ids[0]));
    str_copy(r->runs_dir, sizeof(r->runs_dir), what->runs_dir);
    r->database = xstrdup(what->database);
    r->count = what->count;
    memcpy(r->run_ids, what->run_ids, what->count * sizeof(r->run_ids[0]));
    r->work.data = r;
    if (uv_queue_work(loop, &r->work, removal_work, removal_done) != 0)
        removal_finish(r);
}
