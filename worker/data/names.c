#include "worker/data/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

#define SLOTS_MIN 8

void names_finish(struct names *n)
{
    buf_finish(&n->bytes);
    free(n->start);
    free(n->slot);
    memset(n, 0, sizeof *n);
}

const char *names_at(const struct names *n, uint32_t place)
{
    REQUIRE(place < n->count);
    return n->bytes.data + n->start[place];
}

/* FNV-1a (Fowler, Noll, Vo) */
static uint64_t hash(const char *text, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

/* The slot where the text is, or the free one where it would be. There is always a free one. */
static uint32_t *find_slot(const struct names *n, const char *text, size_t len)
{
    for (size_t i = hash(text, len);; i++) {
        uint32_t *slot = &n->slot[i & (n->slots - 1)];
        if (*slot == 0)
            return slot;
        const char *there = names_at(n, *slot - 1);
        if (strncmp(there, text, len) == 0 && there[len] == '\0')
            return slot;
    }
}

uint32_t names_find(const struct names *n, const char *text, size_t len)
{
    uint32_t found = n->slots > 0 ? *find_slot(n, text, len) : 0;
    return found > 0 ? found - 1 : NAMES_NONE;
}

uint32_t names_find_class(const struct names *classes, const char *text, size_t len)
{
    uint32_t class = names_find(classes, text, len);
    if (class == NAMES_NONE && len > 1 && text[len - 1] == '.')
        class = names_find(classes, text, len - 1);
    return class;
}

static void fill_slots(struct names *n)
{
    memset(n->slot, 0, n->slots * sizeof *n->slot);
    for (uint32_t i = 0; i < n->count; i++) {
        const char *text = names_at(n, i);
        *find_slot(n, text, strlen(text)) = i + 1;
    }
}

/* Room for one more, at most three quarters of the slots in use. */
static void grow(struct names *n)
{
    if ((n->count + 1) * (size_t)4 <= n->slots * 3)
        return;
    n->slots = n->slots > 0 ? n->slots * 2 : SLOTS_MIN;
    n->slot = xrealloc(n->slot, n->slots * sizeof *n->slot);
    n->start = xrealloc(n->start, n->slots * sizeof *n->start);
    fill_slots(n);
}

void names_add(struct names *n, const char *text, size_t len)
{
    grow(n);
    uint32_t *slot = find_slot(n, text, len);
    if (*slot != 0)
        return;
    n->start[n->count++] = n->bytes.len;
    *slot = n->count;
    buf_append(&n->bytes, text, len);
    buf_putc(&n->bytes, '\0');
}

static int compare(const void *a, const void *b, void *bytes)
{
    return strcmp((const char *)bytes + *(const size_t *)a,
                  (const char *)bytes + *(const size_t *)b);
}

void names_sort(struct names *n)
{
    if (n->count < 2)
        return;
    qsort_r(n->start, n->count, sizeof *n->start, compare, n->bytes.data);
    fill_slots(n);
}
