#include "daemon/serve/night_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/rows.h"
#include "daemon/launch/hook.h"
#include "sweep/buf.h"
#include "sweep/log.h"

#define LOG_MODULE "events"

struct happened {
    struct event_row *events;
    size_t count, cap;
};

static void add(struct happened *h, const struct event_row *e)
{
    h->events = array_room(h->events, &h->cap, h->count, sizeof(*h->events));
    struct event_row *copy = &h->events[h->count++];
    *copy = *e;
    copy->detail = e->detail ? xstrdup(e->detail) : NULL;
}

struct happened *happened_in(const struct store_batch *b)
{
    struct happened *h = NULL;
    for (size_t i = 0; i < b->count; i++) {
        if (b->ops[i].type != STORE_ADD_EVENT)
            continue;
        if (!h)
            h = xcalloc(1, sizeof(*h));
        add(h, b->ops[i].u.event);
    }
    return h;
}

static void put_id(struct buf *out, const char *key, int64_t id)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, id);
    if (id)
        log_field(out, key, text);
}

static void log_event(const struct event_row *e)
{
    struct buf line = {0};
    log_field(&line, "event", e->kind);
    put_id(&line, "sweep", e->sweep_id);
    put_id(&line, "run", e->run_id);
    if (e->detail && e->detail[0])
        log_field(&line, "detail", e->detail);
    log_info("%s", line.data);
    buf_finish(&line);
}

void happened_tell(struct happened *h, struct hook *hook)
{
    for (size_t i = 0; h && i < h->count; i++) {
        const struct event_row *e = &h->events[i];
        log_event(e);
        if (hook)
            hook_tell(hook, &(struct hook_event){.kind = e->kind,
                                                 .detail = e->detail,
                                                 .sweep_id = e->sweep_id,
                                                 .run_id = e->run_id,
                                                 .time_us = e->created});
        free(e->detail);
    }
    if (h)
        free(h->events);
    free(h);
}
