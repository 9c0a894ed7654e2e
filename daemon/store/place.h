/* Where the database may lie, and that nobody else works on it: a local file system, one name, one
 * daemon. Loop thread, before the store's threads exist. */
#ifndef SWEEPD_STORE_PLACE_H
#define SWEEPD_STORE_PLACE_H

#include <stdbool.h>

struct errbuf;

/* Makes the folder (0700), refuses network file systems (forced: warns), and takes the lock
 * "<real path>.lock", which names our process. It is ours until *lock_fd, or any other descriptor
 * of that file in this process, is closed; children do not hold it, and a second call in one
 * process is not refused: a process has one store. A holder that was killed is waited for, at most
 * 5 s. 0, ERR_VALUE, ERR_IO, ERR_BUSY (the message names the process that holds it). */
int store_lock(const char *path, bool force_network, int *lock_fd, struct errbuf *err);

#endif
