#include "daemon/serve/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

void outbox_finish(struct outbox *o)
{
    for (size_t i = 0; i < o->count; i++)
        message_release(o->items[o->first + i].message);
    free(o->items);
    *o = (struct outbox){0};
}

void outbox_push(struct outbox *o, struct message *m, bool note)
{
    if (o->first > 0 && o->first + o->count == o->cap) {
        memmove(o->items, o->items + o->first, o->count * sizeof(*o->items));
        o->first = 0;
    }
    o->items = array_room(o->items, &o->cap, o->first + o->count, sizeof(*o->items));
    o->items[o->first + o->count++] = (struct outgoing){m, note};
    o->bytes += m->len;
    o->notes += note;
    o->note_bytes += note ? m->len : 0;
}

bool outbox_takes_notes(const struct outbox *o)
{
    return o->notes < OUTBOX_NOTES_MAX && o->note_bytes < OUTBOX_NOTE_BYTES_MAX;
}

size_t outbox_at(const struct outbox *o, size_t i, char **data)
{
    REQUIRE(i < o->count);
    struct message *m = o->items[o->first + i].message;
    size_t gone = i == 0 ? o->sent : 0;
    *data = m->data + gone;
    return m->len - gone;
}

static void drop_first(struct outbox *o)
{
    struct outgoing *done = &o->items[o->first++];
    o->notes -= done->note;
    o->note_bytes -= done->note ? done->message->len : 0;
    message_release(done->message);
    if (--o->count > 0)
        return;
    free(o->items); /* what a burst needed is given back */
    o->items = NULL;
    o->first = o->cap = 0;
}

void outbox_sent(struct outbox *o, size_t bytes)
{
    REQUIRE(bytes <= o->bytes);
    o->bytes -= bytes;
    o->sent += bytes;
    while (o->count > 0 && o->sent >= o->items[o->first].message->len) {
        o->sent -= o->items[o->first].message->len;
        drop_first(o);
    }
}
