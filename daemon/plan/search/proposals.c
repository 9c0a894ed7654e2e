#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/search.h"
#include "sweep/buf.h"

void proposals_add(struct proposals *p, const struct assignment *at, const char *stage,
                   const char *reason_fmt, ...)
{
    p->items = array_room(p->items, &p->cap, p->count, sizeof(*p->items));
    struct proposal *item = &p->items[p->count++];
    char reason[512];
    va_list ap;
    va_start(ap, reason_fmt);
    vsnprintf(reason, sizeof(reason), reason_fmt, ap);
    va_end(ap);
    *item = (struct proposal){.at = *at};
    str_copy(item->stage, sizeof(item->stage), stage);
    str_copy(item->reason, sizeof(item->reason), reason);
}

void proposals_finish(struct proposals *p)
{
    free(p->items);
    *p = (struct proposals){0};
}
