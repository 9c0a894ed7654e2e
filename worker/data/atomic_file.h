/* A file that appears under its name only when it is complete. */
#ifndef WORKER_DATA_ATOMIC_FILE_H
#define WORKER_DATA_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/paths.h"

struct errbuf;

struct atomic_file {
    int fd; /* -1 when closed */
    char path[PATHS_MAX], temporary[PATHS_MAX];
};

/* All return 0 or ERR_IO with the path in err; after an error the temporary file is gone. */
int atomic_file_open(struct atomic_file *f, const char *path, struct errbuf *err);
int atomic_file_write(struct atomic_file *f, const void *data, size_t len, struct errbuf *err);
/* durable: wait until the bytes are on the disk, so that a power failure cannot leave a file of
 * the right size without them. */
int atomic_file_commit(struct atomic_file *f, bool durable, struct errbuf *err);
/* Waits until the file and its name are on the disk. It has its name first, and all is synced at
 * once: for a file that nobody believes in before this returns, and that tells when it is torn. */
int atomic_file_publish(struct atomic_file *f, struct errbuf *err);

#endif
