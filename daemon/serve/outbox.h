/* What waits for a client, in the order it is to hear it: replies, of which none is left out, and
 * notifications, of which there is room for some. Knows no sockets. */
#ifndef SWEEPD_OUTBOX_H
#define SWEEPD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/serve/message.h"

#define OUTBOX_NOTES_MAX 1024              /* notifications that wait for one client, */
#define OUTBOX_NOTE_BYTES_MAX (256 * 1024) /* and their bytes */

struct outgoing {
    struct message *message;
    bool note; /* a notification */
};

struct outbox {
    struct outgoing *items; /* items[first .. first+count) wait */
    size_t first, count, cap;
    size_t sent;  /* bytes of the first one that are gone */
    size_t bytes; /* of all, without those */
    size_t notes, note_bytes;
};

/* A zeroed struct outbox is a valid, empty one. */
void outbox_finish(struct outbox *o);
/* Takes over the caller's reference. */
void outbox_push(struct outbox *o, struct message *m, bool note);
/* Is there room for one more notification? */
bool outbox_takes_notes(const struct outbox *o);
/* The i-th that waits, without what is gone of it: its length. */
size_t outbox_at(const struct outbox *o, size_t i, char **data);
/* So many bytes are gone. */
void outbox_sent(struct outbox *o, size_t bytes);

#endif
