/* What must be true of the database file before the store works on it: it lies on a local file
 * system, no other daemon holds it, it is ours, not newer than we are, and migrated. Loop
 * thread, before the store's thread exists. */
#ifndef SWEEPD_STORE_MIGRATE_H
#define SWEEPD_STORE_MIGRATE_H

struct errbuf;
struct sqlite3;

/* Makes the folder (0700), refuses network file systems, and takes the lock "<real path>.lock",
 * which names our process. It is ours until *lock_fd, or any other descriptor of that file in this
 * process, is closed; children do not hold it, and a second call in one process is not refused: a
 * process has one store. A holder that was killed is waited for, at most 5 s. 0, ERR_VALUE, ERR_IO,
 * ERR_BUSY (the message names the process that holds it). */
int store_lock(const char *path, int *lock_fd, struct errbuf *err);

/* Opens the database (made with 0600 if it is not there), recovers its WAL and migrates it.
 * 0, ERR_IO, ERR_DATA (not a database, not ours, newer). A refused file is left as it was. */
int store_database_open(const char *path, struct sqlite3 **out, struct errbuf *err);

#endif
