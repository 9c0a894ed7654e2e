/* One zeroed block of memory, cut into pieces that start on cache lines. */
#ifndef WORKER_NN_ARENA_H
#define WORKER_NN_ARENA_H

#include <stddef.h>

struct errbuf;

struct arena {
    unsigned char *map;      /* as the kernel gave it */
    size_t map_bytes;
    unsigned char *base;     /* the block within */
    size_t bytes, used;
};

/* Bytes a piece takes. */
size_t arena_piece(size_t bytes);
/* ERR_LIMIT when the machine has not that much memory; what says what it is for. bytes may be far
 * beyond what size_t holds. */
int arena_check(double bytes, const char *what, struct errbuf *err);
/* The same, and takes it. */
int arena_init(struct arena *a, size_t bytes, const char *what, struct errbuf *err);
void *arena_take(struct arena *a, size_t bytes);
void arena_finish(struct arena *a);

#endif
