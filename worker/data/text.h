/* Text files of numbers and names, read whole. */
#ifndef WORKER_DATA_TEXT_H
#define WORKER_DATA_TEXT_H

#include "sweep/text.h"

/* Reads a regular file, plain or packed (unpack.h), as UTF-8; encoding: of one that is not, "" by
 * its content (sweep/encoding.h). ERR_IO, ERR_LIMIT when it does not fit into memory, ERR_VALUE: no
 * such encoding, or ERR_DATA: damaged data, or bytes that the encoding does not have, or a NUL
 * byte. */
int text_read(const char *path, const char *encoding, struct text *out, struct errbuf *err);
/* The same from memory; bytes are copied. path and values_max_bytes are set by text_read's rule:
 * the path as given, half of this machine's memory. */
int text_decode(const char *path, const void *bytes, size_t len, struct text *out,
                struct errbuf *err);
void text_finish(struct text *t);

#endif
