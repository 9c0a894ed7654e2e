/* Watchers: which client wants to hear of which sweep. */
#ifndef SWEEPD_EVENTS_H
#define SWEEPD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct events;

struct events *events_create(void);
void events_destroy(struct events *e);

/* sweep_id 0: all sweeps. Twice is once. False: the client watches too many. */
bool events_subscribe(struct events *e, struct conn *conn, int64_t sweep_id);
/* All of a client's. */
void events_unsubscribe(struct events *e, const struct conn *conn);
bool events_watches(const struct events *e, const struct conn *conn);
/* To everyone who watches the sweep. params: JSON text. */
void events_notify(struct events *e, int64_t sweep_id, const char *method, const char *params);

#endif
