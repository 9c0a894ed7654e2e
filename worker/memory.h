/* What this machine has, for sizes that come from outside. */
#ifndef WORKER_MEMORY_H
#define WORKER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* Physical memory. Overcommit would let a larger request succeed and kill the process later. */
static inline size_t memory_physical_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

#endif
