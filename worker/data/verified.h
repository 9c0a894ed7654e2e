/* A mark beside a file that says: its content was read and found whole. It holds for this very
 * file, unchanged since, and until the machine starts again; whoever finds it need not read all. */
#ifndef WORKER_DATA_VERIFIED_H
#define WORKER_DATA_VERIFIED_H

#include <stdbool.h>
#include <sys/stat.h>

/* st: of the open file. */
bool verified_holds(const char *path, const struct stat *st);
/* Before it is read: it is old enough that a change from now on gives it other times. A file of
 * this moment is not marked. */
bool verified_may(const struct stat *st);
/* Where it cannot be written, the next one reads all again. */
void verified_mark(const char *path, const struct stat *st);

#endif
