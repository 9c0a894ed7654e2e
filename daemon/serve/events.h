/* Watchers: which client wants to hear of which sweep. One that does not keep up hears less: what
 * it missed is counted, and told with a fresh snapshot once it reads again (catch_up.h). */
#ifndef SWEEPD_EVENTS_H
#define SWEEPD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct daemon;
struct events;

#define WATCHES_PER_CLIENT_MAX 64

struct events *events_create(void);
void events_destroy(struct events *e);

/* sweep_id 0: all sweeps. Twice is once. False: the client watches too many. */
bool events_subscribe(struct events *e, struct conn *conn, int64_t sweep_id);
/* All of a client's. */
void events_unsubscribe(struct events *e, struct conn *conn);
/* To everyone who watches the sweep; of none (0): to those who watch all. params: JSON text. */
void events_notify(struct events *e, int64_t sweep_id, const char *method, const char *params);
/* No notification waits for the client any more. */
void events_relieved(struct daemon *d, struct conn *conn);

#endif
