/* Who keeps the write-ahead log from being emptied. */
#ifndef SWEEPD_STORE_HOLDER_H
#define SWEEPD_STORE_HOLDER_H

#include <stddef.h>

/* "process 4711 (sqlite3)": one that reads an old state of the database, as its locks on
 * "<path>-shm" in /proc/locks say; or words for one that cannot be named. */
void wal_holder(const char *path, char *out, size_t size);

#endif
