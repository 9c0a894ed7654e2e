/* A watcher that fell behind: what it missed, and its way back. When it has read what waited for it
 * it is told `lagged` for each sweep it missed something of, then `snapshot`: the sweep as it is
 * now. What happens meanwhile is held back, so that nothing older follows a snapshot. */
#ifndef SWEEPD_CATCH_UP_H
#define SWEEPD_CATCH_UP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAG_SWEEPS_MAX 64 /* counted one by one; further ones together */
#define HELD_MAX 256      /* notifications while a snapshot is made */

struct conn;
struct daemon;
struct message;

/* What one watcher missed. Zeroed: nothing. */
struct lag {
    struct missed {
        int64_t sweep_id, count;
    } * sweeps;
    size_t sweep_count, sweep_cap;
    int64_t others;
    bool catching_up;
    struct held {
        int64_t sweep_id;
        struct message *message;
    } * held;
    size_t held_count, held_cap;
};

void lag_finish(struct lag *lag);
bool lag_is_behind(const struct lag *lag);
/* A notification of that sweep that the client gets, later, or not at all. */
void lag_tell(struct lag *lag, struct conn *conn, int64_t sweep_id, struct message *m);
/* The client has read what waited for it. What it missed is told and asked for; done follows once,
 * and calls lag_caught_up. */
void lag_catch_up(struct lag *lag, struct daemon *d, struct conn *conn,
                  void (*done)(struct daemon *d, struct conn *conn));
/* The snapshots are sent: what was held back follows. */
void lag_caught_up(struct lag *lag, struct conn *conn);

#endif
