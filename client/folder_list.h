/* What lies in a folder, in the order of names. */
#ifndef SWEEPCTL_FOLDER_LIST_H
#define SWEEPCTL_FOLDER_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;

struct folder_entry {
    char *name;
    bool folder; /* else a regular file, or a link to one */
};

struct folder_list {
    struct folder_entry *entries;
    size_t count, cap;
    bool more; /* there are others, beyond max */
};

bool folder_is(const char *path);
/* Files and folders, at most max; no hidden ones, no pipes or devices, and no folders behind links,
 * which may go in a circle. 0 or ERR_IO. Release with folder_list_finish. */
int folder_list_read(const char *path, size_t max, struct folder_list *out, struct errbuf *err);
void folder_list_finish(struct folder_list *l);

#endif
