#include "worker/nn/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/require.h"

#define LINE_BYTES 64
#define HUGE_PAGE_BYTES (2u << 20)

size_t arena_piece(size_t bytes)
{
    return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

/* Overcommit would let the map succeed and kill the run later. */
static size_t machine_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

int arena_init(struct arena *a, size_t bytes, const char *what, struct errbuf *err)
{
    if (bytes > machine_bytes())
        return err_set(err, ERR_LIMIT, "%s needs %.1f GiB; this machine has %.1f GiB", what,
                       (double)bytes / 0x1p30, (double)machine_bytes() / 0x1p30);
    size_t size = bytes ? bytes : LINE_BYTES;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return err_set(err, ERR_LIMIT, "%s needs %.1f GiB: no memory", what,
                       (double)bytes / 0x1p30);
    /* Large nets sweep through their memory every step: fewer, larger pages. */
    if (size >= 2 * HUGE_PAGE_BYTES)
        (void)madvise(base, size, MADV_HUGEPAGE);
    *a = (struct arena){base, size, 0};
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
    if (a->base)
        munmap(a->base, a->bytes);
    memset(a, 0, sizeof *a);
}
