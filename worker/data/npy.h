/* NPY, versions 1.0 to 3.0 (numpy.lib.format): magic, version, length of the header, a Python
 * dict literal, the numbers. Readers of bytes in memory, so that NPZ members and tests use them
 * too; npy_read is in worker/data/table.h. */
#ifndef WORKER_DATA_NPY_H
#define WORKER_DATA_NPY_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;
struct table;

#define NPY_RANK_MAX 4
#define NPY_FILE_MAX ((size_t)64 << 30) /* bytes on disk; and half the machine's memory */

struct npy {
    const struct npy_type *type;
    bool big_endian, fortran;
    unsigned rank;
    size_t dims[NPY_RANK_MAX]; /* each >= 1 */
    size_t count;              /* product of dims */
    const unsigned char *data; /* count numbers, within the bytes that were parsed */
};

/* All of bytes[0..len) must be one array; out points into it. What the header claims is compared
 * with len; nothing is allocated. ERR_DATA says what is there and what is allowed. */
int npy_parse(const unsigned char *bytes, size_t len, struct npy *out, struct errbuf *err);
/* type, count, shape and values of out. ERR_DATA, ERR_LIMIT; out untouched then. */
int npy_features(const struct npy *a, struct table *out, struct errbuf *err);
/* outputs and targets of out, which has its features already: one row for each sample. */
int npy_targets(const struct npy *a, struct table *out, struct errbuf *err);

#endif
