#include "worker/nn/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/memory.h"

#define LINE_BYTES 64
/* From half of this on, an arena lies on huge pages: one page fault instead of 512, which short
 * runs spend a quarter of their time in, and fewer address look-ups in each step of long ones. */
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

size_t arena_piece(size_t bytes)
{
    return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

int arena_check(double bytes, const char *what, struct errbuf *err)
{
    double most = (double)memory_physical_bytes();
    if (bytes <= most)
        return 0;
    return err_set(err, ERR_LIMIT, "%s needs %.1f GiB; this machine has %.1f GiB", what,
                   bytes / 0x1p30, most / 0x1p30);
}

int arena_init(struct arena *a, size_t bytes, const char *what, struct errbuf *err)
{
    int rc = arena_check((double)bytes, what, err);
    if (rc != 0)
        return rc;
    bool huge = bytes >= HUGE_PAGE_BYTES / 2;
    size_t size = bytes + (huge ? 2 * HUGE_PAGE_BYTES : LINE_BYTES);
    unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return err_set(err, ERR_LIMIT, "%s needs %.1f GiB: no memory", what,
                       (double)bytes / 0x1p30);
    size_t skip = huge ? -(uintptr_t)map % HUGE_PAGE_BYTES : 0;
    if (huge)
        (void)madvise(map + skip, size - skip, MADV_HUGEPAGE);
    *a = (struct arena){.map = map, .map_bytes = size, .base = map + skip, .bytes = bytes};
    return 0;
}

void *arena_take(struct arena *a, size_t bytes)
{
    size_t piece = arena_piece(bytes);
    REQUIRE(piece <= a->bytes - a->used);
    void *p = a->base + a->used;
    a->used += piece;
    return p;
}

void arena_finish(struct arena *a)
{
    if (a->map)
        munmap(a->map, a->map_bytes);
    memset(a, 0, sizeof *a);
}
