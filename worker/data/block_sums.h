/* CRC-32 of each block of a stream of bytes: a file that is read back again and again is checked
 * at a gigabyte a second, and what differs has a place. */
#ifndef WORKER_DATA_BLOCK_SUMS_H
#define WORKER_DATA_BLOCK_SUMS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_BYTES ((size_t)1 << 20)

struct block_sums {
    uint32_t *sum; /* [ceil(bytes / BLOCK_BYTES)], the last of what there is of its block */
    size_t bytes;
};

/* bytes: how many there will be at most. */
void block_sums_init(struct block_sums *s, size_t bytes);
void block_sums_finish(struct block_sums *s);
void block_sums_add(struct block_sums *s, const void *data, size_t len);
/* Blocks of a stream of that many bytes. */
size_t block_count(size_t bytes);

/* The first block of data[0..bytes) whose sum is not sum[block]; block_count(bytes): all are. */
size_t block_sums_differ(const void *data, size_t bytes, const uint32_t *sum);

#endif
