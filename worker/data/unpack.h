/* Compressed files, told apart by their first bytes: gzip, bzip2, xz and Zstandard, the last three
 * where their libraries were there when this was built. */
#ifndef WORKER_DATA_UNPACK_H
#define WORKER_DATA_UNPACK_H

#include <stddef.h>

struct errbuf;

/* Name of what the bytes are packed by ("gzip"), NULL: they are not. */
const char *unpack_kind(const void *bytes, size_t len);
/* Replaces packed bytes (of xmalloc; freed) by what they hold, at most max bytes and room for one
 * more; leaves others alone. ERR_DATA: damaged, cut short, or a library is not there; ERR_LIMIT.
 * The bytes stay the caller's in any case. */
int unpack(char **bytes, size_t *len, size_t max, struct errbuf *err);

#endif
