/* Databases that other programs left: read by a worker, so that a stranger's file meets SQLite in
 * a process of its own, and this program does without. */
#ifndef SWEEPCTL_DATABASE_H
#define SWEEPCTL_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/buf.h"

struct errbuf;

/* By the first bytes of a file. */
bool database_is(const char *bytes, size_t len);
/* The training log in it as JSON lines, at most max bytes. 0, ERR_NOT_FOUND (no sweep-worker),
 * ERR_IO, ERR_LIMIT or ERR_DATA with what the worker said. */
int database_lines(const char *path, size_t max, struct buf *out, struct errbuf *err);

#endif
