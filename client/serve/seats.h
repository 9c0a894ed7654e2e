/* Connections have a seat each. Where there are none left, whoever has held up the place for
 * longest with nothing but waiting is shown out: a thousand slow ones keep nobody else from their
 * answer. */
#ifndef SWEEPCTL_SERVE_SEATS_H
#define SWEEPCTL_SERVE_SEATS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEATS_REQUEST_MS 30000 /* for a whole request, from its first byte or the last answer on */

/* From what is given up first to what is kept. */
enum seat_state { SEAT_FREE, SEAT_WAITING, SEAT_SENDING, SEAT_STREAM, SEAT_WORKING };

struct seat {
    enum seat_state state;
    bool shown_out;
    bool own; /* the other end is this user, or root */
    int fd;
    int64_t since_ms;
};

struct seats {
    pthread_mutex_t lock;
    struct seat *seats; /* twice as many as max: those that are being shown out have theirs yet */
    size_t count, max;
    size_t taken; /* without those that are being shown out */
};

/* How many there may be, by the descriptors that this process may have, at most `most`. */
void seats_init(struct seats *s, size_t most);
void seats_finish(struct seats *s);
/* NULL: even those that are being shown out fill the room. */
struct seat *seats_take(struct seats *s, int fd, bool own);
void seats_leave(struct seats *s, struct seat *seat);
void seats_set(struct seats *s, struct seat *seat, enum seat_state state);
/* Ends those that have not sent a whole request in time. */
void seats_expire(struct seats *s);

#endif
