/* NPY arrays and zip archives, made by hand. */
#ifndef TESTS_UNIT_WORKER_ARRAY_H
#define TESTS_UNIT_WORKER_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

/* Appends magic, version, length and the header's text. */
void array_npy_header(struct buf *out, int version, const char *header);
/* Appends a whole array of version 1.0; shape as Python writes it: "(2, 3)". */
void array_npy(struct buf *out, const char *descr, bool fortran, const char *shape,
               const void *data, size_t len);

enum array_zip_flag {
    ARRAY_DEFLATED = 1,
    ARRAY_DESCRIPTOR = 2, /* sizes and checksum only behind the data */
    ARRAY_ZIP64 = 4,
    ARRAY_NO_SIGNATURE = 8, /* of the descriptor */
};

/* An archive while it grows; zeroed is empty. */
struct array_zip {
    struct buf bytes, directory;
    unsigned count;
    bool zip64;
    size_t local, central; /* of the last member: offsets in bytes and in directory */
};
void array_zip_add(struct array_zip *z, const char *name, const void *data, size_t len,
                   unsigned flags);
/* Appends the directory and its end: bytes is the archive then. */
void array_zip_end(struct array_zip *z);
void array_zip_finish(struct array_zip *z);
/* Overwrites size bytes at p, little-endian. */
void array_put(char *p, uint64_t v, size_t size);

#endif
