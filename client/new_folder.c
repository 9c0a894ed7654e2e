#include "client/new_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

#define FOLDER_MODE 0777 /* what the umask leaves of it */
#define OPEN_FOLDERS 16  /* at a time, while one is removed */

static int fail(const char *path, const char *what, struct errbuf *err)
{
    return err_set(err, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;
    bool empty = dir != NULL;
    while (empty && (d = readdir(dir)) != NULL)
        empty = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
    if (dir != NULL)
        closedir(dir);
    return empty;
}

static int check_place(const char *path, struct errbuf *err)
{
    struct stat there;
    if (lstat(path, &there) != 0)
        return 0;
    if (!S_ISDIR(there.st_mode))
        return err_set(err, ERR_STATE, "%s is there and is no folder; name a new folder", path);
    if (!is_empty(path))
        return err_set(err, ERR_STATE, "%s is a folder that is not empty; name a new one", path);
    return 0;
}

int new_folder_begin(struct new_folder *f, const char *path, struct errbuf *err)
{
    *f = (struct new_folder){0};
    str_copy(f->path, sizeof f->path, path);
    for (size_t n = strlen(f->path); n > 1 && f->path[n - 1] == '/';)
        f->path[--n] = '\0';
    int rc = check_place(f->path, err);
    if (rc != 0)
        return rc;
    int length =
        snprintf(f->temporary, sizeof f->temporary, "%s.%ld.tmp", f->path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof f->temporary)
        errno = ENAMETOOLONG;
    else if (mkdir(f->temporary, FOLDER_MODE) == 0)
        return 0;
    f->temporary[0] = '\0';
    return fail(f->path, "create", err);
}

/* The folders that lead to the file, where they are not there. */
static int make_way(char *path, size_t from, struct errbuf *err)
{
    for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST ? fail(path, "create", err) : 0;
        *slash = '/';
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int path_in(const struct new_folder *f, const char *name, char out[PATHS_MAX],
                   struct errbuf *err)
{
    int length = snprintf(out, PATHS_MAX, "%s/%s", f->temporary, name);
    if (length >= 0 && length < PATHS_MAX)
        return make_way(out, strlen(f->temporary) + 1, err);
    errno = ENAMETOOLONG;
    return fail(name, "create", err);
}

int new_folder_make(struct new_folder *f, const char *name, struct errbuf *err)
{
    char path[PATHS_MAX];
    int rc = path_in(f, name, path, err);
    if (rc == 0 && mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
        rc = fail(path, "create", err);
    return rc;
}

FILE *new_folder_open(struct new_folder *f, const char *name, struct errbuf *err)
{
    char path[PATHS_MAX];
    if (path_in(f, name, path, err) != 0)
        return NULL;
    FILE *file = fopen(path, "wxe");
    if (file == NULL)
        fail(path, "create", err);
    return file;
}

int new_folder_close(const struct new_folder *f, FILE *file, struct errbuf *err)
{
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    return failed ? fail(f->path, "write", err) : 0;
}

int new_folder_write(struct new_folder *f, const char *name, struct buf *bytes,
                     struct errbuf *err)
{
    FILE *file = new_folder_open(f, name, err);
    if (file != NULL && bytes->len > 0)
        fwrite(bytes->data, 1, bytes->len, file);
    buf_finish(bytes);
    return file != NULL ? new_folder_close(f, file, err) : ERR_IO;
}

/* An empty folder of that name is replaced by rename itself, nothing else is. */
int new_folder_commit(struct new_folder *f, struct errbuf *err)
{
    if (rename(f->temporary, f->path) != 0) {
        int rc = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                     ? check_place(f->path, err)
                     : 0;
        return rc != 0 ? rc : fail(f->path, "write", err);
    }
    f->temporary[0] = '\0';
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st, (void)kind, (void)where;
    return remove(path) != 0 && errno != ENOENT;
}

void new_folder_abandon(struct new_folder *f)
{
    if (f->temporary[0] != '\0')
        nftw(f->temporary, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    f->temporary[0] = '\0';
}
