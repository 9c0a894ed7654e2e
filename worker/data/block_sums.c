#include "worker/data/block_sums.h"

#include <stdlib.h>
#include <zlib.h>

#include "sweep/buf.h"

size_t block_count(size_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

void block_sums_init(struct block_sums *s, size_t bytes)
{
    *s = (struct block_sums){.sum = xcalloc(block_count(bytes) + 1, sizeof *s->sum)};
}

void block_sums_finish(struct block_sums *s)
{
    free(s->sum);
    *s = (struct block_sums){0};
}

/* crc32 of nothing is 0, as the sums are at first. */
void block_sums_add(struct block_sums *s, const void *data, size_t len)
{
    const unsigned char *p = data;
    while (len > 0) {
        size_t room = BLOCK_BYTES - s->bytes % BLOCK_BYTES, n = len < room ? len : room;
        uint32_t *sum = &s->sum[s->bytes / BLOCK_BYTES];
        *sum = (uint32_t)crc32_z(*sum, p, n);
        s->bytes += n;
        p += n;
        len -= n;
    }
}

size_t block_sums_differ(const void *data, size_t bytes, const uint32_t *sum)
{
    const unsigned char *p = data;
    size_t blocks = block_count(bytes);
    for (size_t i = 0; i < blocks; i++) {
        size_t from = i * BLOCK_BYTES, n = bytes - from < BLOCK_BYTES ? bytes - from : BLOCK_BYTES;
        if ((uint32_t)crc32_z(0, p + from, n) != sum[i])
            return i;
    }
    return blocks;
}
