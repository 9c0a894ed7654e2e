/* The IDX format (Y. LeCun, "The MNIST database"): 0, 0, type, rank, rank big-endian 32-bit
 * dimensions, then the numbers, big-endian, last dimension fastest. Plain or gzip, told apart by
 * their first bytes. */
#ifndef WORKER_DATA_IDX_H
#define WORKER_DATA_IDX_H

#include <stddef.h>

struct errbuf;
struct table;

#define IDX_RANK_MAX 4
#define IDX_FILE_MAX ((size_t)8 << 30) /* bytes on disk */

enum idx_type { IDX_U8 = 0x08, IDX_F32 = 0x0d, IDX_F64 = 0x0e };

struct idx {
    enum idx_type type;
    unsigned rank;              /* 1..IDX_RANK_MAX */
    size_t dims[IDX_RANK_MAX];  /* each >= 1 */
    size_t count;               /* product of dims */
    unsigned char *data;        /* count numbers as in the file (big-endian); owned */
};

/* All of bytes[0..len) must be one IDX file. ERR_DATA and a reason. What the header claims is
 * checked against len before anything is allocated. */
int idx_decode(const unsigned char *bytes, size_t len, struct idx *out, struct errbuf *err);
/* ERR_DATA or ERR_IO; the message starts with path. */
int idx_read(const char *path, struct idx *out, struct errbuf *err);
void idx_finish(struct idx *x);

size_t idx_type_bytes(enum idx_type type);
/* Numbers data[first..first+n) of an F32 or F64 file in this machine's float. */
void idx_floats(const struct idx *x, size_t first, size_t n, float *out);

/* The images alone. */
int idx_images(const char *path, struct table *out, struct errbuf *err);
/* Images (or other numbers, the first dimension counting the samples) and their labels, one
 * unsigned byte each. ERR_DATA, ERR_IO or ERR_LIMIT; the message names the file. */
int idx_table(const char *images_path, const char *labels_path, struct table *out,
              struct errbuf *err);

#endif
