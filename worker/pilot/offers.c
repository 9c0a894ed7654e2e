#include "worker/pilot/offers.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"

void offers_drop(struct offers *o, const struct spool_attempt *at)
{
    for (size_t i = 0; i < o->count; i++) {
        if (!spool_same(&o->open[i], at))
            continue;
        memmove(&o->open[i], &o->open[i + 1], (--o->count - i) * sizeof(*o->open));
        return;
    }
}

void offers_took(struct offers *o, const struct spool_attempt *at)
{
    o->had = array_room(o->had, &o->had_cap, o->had_count, sizeof(*o->had));
    o->had[o->had_count++] = *at;
}

static bool is_known(const struct offers *o, const struct spool_attempt *at)
{
    for (size_t i = 0; i < o->had_count; i++)
        if (spool_same(&o->had[i], at))
            return true;
    for (size_t i = 0; i < o->count; i++)
        if (spool_same(&o->open[i], at))
            return true;
    return false;
}

static void add_offer(struct offers *o, const struct spool_attempt *at)
{
    if (is_known(o, at))
        return;
    o->open = array_room(o->open, &o->cap, o->count, sizeof(*o->open));
    o->open[o->count++] = *at;
}

static void take(struct offers *o, const struct spool_order *order,
                 const struct spool_attempt *mine)
{
    bool ours = mine && spool_same(mine, &order->at);
    switch (order->type) {
    case SPOOL_ORDER_OFFER:
        add_offer(o, &order->at);
        break;
    case SPOOL_ORDER_GONE:
        offers_drop(o, &order->at);
        o->gone |= ours;
        break;
    case SPOOL_ORDER_TERM:
        o->term |= ours;
        break;
    case SPOOL_ORDER_KILL:
        o->kill |= ours;
        break;
    case SPOOL_ORDER_END:
    case SPOOL_ORDER_OPEN:
        o->end = order->type == SPOOL_ORDER_END;
        break;
    case SPOOL_ORDER_BEAT:
    case SPOOL_ORDER_COUNT:
        break;
    }
}

bool offers_read(struct offers *o, const struct spool_attempt *mine, struct errbuf *err)
{
    struct spool_order order;
    const char *line;
    size_t len;
    bool any = false;
    int n;
    err->code = 0;
    while ((n = spool_read(&o->reader, err)) > 0) {
        any = true;
        while (spool_line(&o->reader, &line, &len))
            if (spool_order_read(line, len, &order))
                take(o, &order, mine);
    }
    return any && n == 0;
}

void offers_finish(struct offers *o)
{
    spool_reader_finish(&o->reader);
    free(o->open);
    free(o->had);
}
