/* What this machine has that runs can be given. */
#ifndef SWEEPD_MACHINE_H
#define SWEEPD_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

struct resource_pool;
struct resources;

struct machine_wish {
    size_t workers;               /* there are at least so many cpus */
    const char *gpus;             /* names with commas between */
    bool finds_gpus;              /* where none is named */
    const struct resources *said; /* wins over what is found */
};
/* Waits for nvidia-smi where there is one, at most 20 s. */
void machine_resources(const struct machine_wish *wish, struct resource_pool *out);

#endif
