/* What this machine has, for sizes that come from outside. */
#ifndef WORKER_MEMORY_H
#define WORKER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Physical memory. Overcommit would let a larger request succeed and kill the process later. */
static inline size_t memory_physical_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

/* Says that all of `bytes` at p will be written soon: large pages, where the kernel has them, spare
 * the fault that each small one costs. */
static inline void memory_expect(void *p, size_t bytes)
{
    const uintptr_t large = (uintptr_t)2 << 20;
    uintptr_t from = ((uintptr_t)p + large - 1) / large * large;
    uintptr_t end = ((uintptr_t)p + bytes) / large * large;
    if (from < end)
        (void)madvise((void *)from, end - from, MADV_HUGEPAGE);
}

#endif
