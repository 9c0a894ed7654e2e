/* The folder of a new attempt. That of the one before it is taken over by rename: a worker that
 * still writes there, because its machine was only thought to be gone, finds its place no more,
 * and its lines go into a file that nobody reads. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/rundir_part.h"
#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define LINES_NEW "run.jsonl.new"

static int fail_at(struct errbuf *err, const char *path)
{
    return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* --- configuration --------------------------------------------------------------------------- */

/* The path as it stands in a JSON text behind its opening quote. */
static char *escaped(const char *path)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_string(&w, path);
    char *out = xstrdup(text.data + 1);
    out[strlen(out) - 1] = '\0';
    buf_finish(&text);
    return out;
}

/* Weights of another run: where the worker is they do not lie. */
static int bring_weights(const struct room *r, int64_t run_id, const char *folder,
                         struct errbuf *err)
{
    char from[PATHS_MAX + 64];
    char *to = xasprintf("%s/" ROOM_START_WEIGHTS, folder);
    (void)paths_run_file(from, sizeof(from), r->place.runs_dir, run_id, RUN_FILE_WEIGHTS);
    int rc = room_copy_file(from, to, err);
    free(to);
    return rc;
}

/* Paths in the runs' own folders become paths in the attempt's. */
static int move_paths(const struct room *r, int64_t run_id, const char *config, const char *folder,
                      struct buf *out, struct errbuf *err)
{
    char *dir = escaped(r->place.runs_dir), *to = escaped(folder);
    char *from = xasprintf("\"%s/", dir);
    size_t len = strlen(from);
    int rc = 0;
    for (const char *at; rc == 0 && (at = strstr(config, from)); ) {
        char *end;
        int64_t id = strtoll(at + len, &end, 10);
        bool is_path = end > at + len && (*end == '/' || *end == '"');
        buf_append(out, config, (size_t)(at - config));
        if (is_path && id == run_id) {
            buf_printf(out, "\"%s", to);
        } else if (is_path && strncmp(end, "/best.safetensors\"", 18) == 0) {
            rc = bring_weights(r, id, folder, err);
            buf_printf(out, "\"%s/" ROOM_START_WEIGHTS, to);
            end += strlen("/best.safetensors");
        } else {
            buf_append(out, at, (size_t)(end - at));
        }
        config = end;
    }
    buf_puts(out, config);
    free(from);
    free(dir);
    free(to);
    return rc;
}

/* --- the folder ------------------------------------------------------------------------------ */

/* A new file with what a resumed worker goes on from: whoever has the old one open writes to that
 * alone. */
static int renew_lines(int folder, bool resumes)
{
    int64_t kept = resumes ? rundir_kept_bytes(folder) : 0;
    if (kept < 0)
        kept = 0; /* there are none */
    (void)unlinkat(folder, LINES_NEW, 0);
    int to = openat(folder, LINES_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int from = kept > 0 ? rundir_file(folder, RUN_FILE_LINES, O_RDONLY) : -1;
    int rc = to < 0 || (kept > 0 && from < 0) ? -1 : 0;
    char block[65536];
    for (int64_t at = 0; rc == 0 && at < kept;) {
        size_t want = kept - at < (int64_t)sizeof(block) ? (size_t)(kept - at) : sizeof(block);
        ssize_t n = pread(from, block, want, at);
        if (n <= 0 || write(to, block, (size_t)n) != n)
            rc = -1;
        at += n;
    }
    if (rc == 0)
        rc = fsync(to);
    if (from >= 0)
        close(from);
    if (to >= 0 && close(to) != 0)
        rc = -1;
    return rc == 0 ? renameat(folder, LINES_NEW, folder, run_file_name(RUN_FILE_LINES)) : rc;
}

static int fill(int folder, const char *path, const char *config, struct errbuf *err)
{
    bool resumes = faccessat(folder, run_file_name(RUN_FILE_CHECKPOINT), F_OK, 0) == 0;
    if (renew_lines(folder, resumes) != 0)
        return fail_at(err, path);
    rundir_remove_unfinished(folder);
    if (unlinkat(folder, run_file_name(RUN_FILE_WEIGHTS), 0) != 0 && errno != ENOENT)
        return fail_at(err, path);
    if (rundir_put(folder, RUN_FILE_CONFIG, config) != 0)
        return fail_at(err, path);
    int words = resumes ? rundir_file(folder, RUN_FILE_STDERR, O_WRONLY | O_CREAT | O_APPEND)
                        : rundir_new_file(folder, RUN_FILE_STDERR);
    if (words < 0)
        return fail_at(err, path);
    close(words);
    return fsync(folder) == 0 || errno == EINVAL ? 0 : fail_at(err, path);
}

/* The folder of the attempt before, under the new name, or an empty one; as a descriptor. */
static int take_over(const struct room *r, const struct spool_attempt *at, const char *path)
{
    struct spool_attempt before = {at->run_id, at->number};
    while (--before.number > 0) {
        char *old = room_run_path(r, &before, "");
        int rc = rename(old, path), why = errno;
        free(old);
        errno = why;
        if (rc == 0)
            break;
        if (why != ENOENT)
            return -1;
    }
    if (before.number == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int room_prepare_folder(struct room *r, const struct spool_attempt *at, const char *config,
                        struct errbuf *err)
{
    char *path = room_run_path(r, at, NULL);
    struct buf text = {0};
    int folder = take_over(r, at, path);
    int rc = folder < 0 ? fail_at(err, path) : 0;
    if (rc == 0)
        rc = move_paths(r, at->run_id, config, path, &text, err);
    if (rc == 0)
        rc = fill(folder, path, text.data, err);
    if (folder >= 0)
        close(folder);
    buf_finish(&text);
    free(path);
    return rc;
}
