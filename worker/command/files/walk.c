#include "worker/command/files/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"

struct walk {
    const char *skip;
    walk_found *found;
    void *context;
    size_t entries;
    struct buf path;
};

static void walk_folder(struct walk *w, int folder, int depth);

static void take_entry(struct walk *w, int folder, const char *name, int depth)
{
    size_t len = w->path.len;
    struct stat st;

    if (name[0] == '.' || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    buf_printf(&w->path, "/%s", name);
    if (S_ISREG(st.st_mode)) {
        w->found(w->context, w->path.data, &st);
    } else if (S_ISDIR(st.st_mode) && depth < WALK_DEPTH_MAX &&
               !(depth == 0 && w->skip && strcmp(name, w->skip) == 0)) {
        int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            walk_folder(w, inner, depth + 1);
    }
    w->path.len = len;
    w->path.data[len] = '\0';
}

/* Takes the descriptor over. */
static void walk_folder(struct walk *w, int folder, int depth)
{
    DIR *dir = fdopendir(folder);

    if (!dir) {
        close(folder);
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL && w->entries < WALK_ENTRIES_MAX;) {
        w->entries++;
        take_entry(w, dirfd(dir), e->d_name, depth);
    }
    closedir(dir);
}

void walk_files(const char *folder, const char *skip, walk_found *found, void *context)
{
    struct walk w = {.skip = skip, .found = found, .context = context};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    buf_puts(&w.path, folder);
    walk_folder(&w, fd, 0);
    buf_finish(&w.path);
}
