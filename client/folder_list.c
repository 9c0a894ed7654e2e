#include "client/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/err.h"

bool folder_is(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* Is that entry one to be looked at, and is it a folder? */
static bool is_wanted(int fd, const char *name, bool *folder)
{
    struct stat s;
    if (name[0] == '.' || fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *folder = S_ISDIR(s.st_mode);
    if (S_ISLNK(s.st_mode) && fstatat(fd, name, &s, 0) != 0)
        return false;
    return *folder || S_ISREG(s.st_mode);
}

static int compare(const void *a, const void *b)
{
    const struct folder_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int folder_list_read(const char *path, size_t max, struct folder_list *out, struct errbuf *err)
{
    DIR *dir = opendir(path);
    bool folder;
    *out = (struct folder_list){0};
    if (!dir)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (struct dirent *e; !out->more && (e = readdir(dir)) != NULL;) {
        if (!is_wanted(dirfd(dir), e->d_name, &folder))
            continue;
        if (out->count == max) {
            out->more = true;
            break;
        }
        out->entries = array_room(out->entries, &out->cap, out->count, sizeof(*out->entries));
        out->entries[out->count++] = (struct folder_entry){xstrdup(e->d_name), folder};
    }
    closedir(dir);
    if (out->count > 1)
        qsort(out->entries, out->count, sizeof(*out->entries), compare);
    return 0;
}

void folder_list_finish(struct folder_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->entries[i].name);
    free(l->entries);
    *l = (struct folder_list){0};
}
