/* A temporary data set folder and cache for the tests of worker/data. */
#ifndef TESTS_UNIT_WORKER_FOLDER_H
#define TESTS_UNIT_WORKER_FOLDER_H

#include <stddef.h>

struct folder {
    char root[64];  /* removed by folder_finish */
    char data[80];  /* root/data */
};

/* Makes it and points XDG_CACHE_HOME below it. */
void folder_init(struct folder *f);
void folder_finish(struct folder *f);
/* Writes data/NAME, as it is or as gzip. */
void folder_write(const struct folder *f, const char *name, const void *bytes, size_t len);
void folder_write_gzip(const struct folder *f, const char *name, const void *bytes, size_t len);
/* gzip of bytes into out[cap]; returns its length. */
size_t folder_gzip(const void *bytes, size_t len, unsigned char *out, size_t cap);
/* An IDX file into out; returns its length. dims ends with 0. */
size_t folder_idx(unsigned char *out, int type, const unsigned *dims, const void *body,
                  size_t body_len);

#endif
