/* The worker's side of the run folder's protocol: record lines on stdout, each in one write(2),
 * so that a reader of the file never sees the halves of two lines mixed. */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stdbool.h>

#include "sweep/buf.h"
#include "sweep/record.h"

struct link {
    int fd;
    struct buf line; /* reused */
    bool broken;     /* a line could not be written */
    bool identity_synced;
};

void link_init(struct link *l, int fd);
void link_finish(struct link *l);
/* 0 or ERR_IO (nobody can be told but stderr). */
int link_send(struct link *l, const struct record *r);
/* Waits until the lines are on the disk, where stdout is a file: a checkpoint that is there after
 * a power failure must not know of points that are not. And, once, what says whose folder it is:
 * without that nobody goes on from a checkpoint in it. 0 or ERR_IO. */
int link_sync(struct link *l);

#endif
