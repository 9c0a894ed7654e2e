#include "daemon/plan/search/memo.h"

#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/require.h"

struct memo {
    struct {
        void *data;
        void (*destroy)(void *data);
    } parts[MEMO_PART_COUNT];
};

struct memo *memo_create(void)
{
    return xcalloc(1, sizeof(struct memo));
}

void memo_destroy(struct memo *m)
{
    for (size_t i = 0; m != NULL && i < MEMO_PART_COUNT; i++)
        if (m->parts[i].data != NULL)
            m->parts[i].destroy(m->parts[i].data);
    free(m);
}

void *memo_get(const struct memo *m, enum memo_part part)
{
    return m->parts[part].data;
}

void memo_keep(struct memo *m, enum memo_part part, void *data, void (*destroy)(void *data))
{
    REQUIRE(m->parts[part].data == NULL && data != NULL);
    m->parts[part].data = data;
    m->parts[part].destroy = destroy;
}
