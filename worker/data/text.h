/* Text files of numbers and names, read whole. */
#ifndef WORKER_DATA_TEXT_H
#define WORKER_DATA_TEXT_H

#include "sweep/text.h"

/* Reads a regular file, plain or gzip, told apart by its first bytes, as UTF-8 (sweep/encoding.h).
 * ERR_IO, ERR_LIMIT when it does not fit into memory, or ERR_DATA: damaged gzip data or a NUL
 * byte. */
int text_read(const char *path, struct text *out, struct errbuf *err);
/* The same from memory; bytes are copied. path and values_max_bytes are set by text_read's rule:
 * the path as given, half of this machine's memory. */
int text_decode(const char *path, const void *bytes, size_t len, struct text *out,
                struct errbuf *err);
void text_finish(struct text *t);

#endif
