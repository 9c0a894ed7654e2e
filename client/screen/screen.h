/* The full screen of `watch`: sweeps and runs while they go on. */
#ifndef SWEEPCTL_SCREEN_H
#define SWEEPCTL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

struct client;

enum screen_end { SCREEN_LEFT, SCREEN_OVER /* the watched sweep has ended or is held */ };

/* There is a terminal for it, and no --json. */
bool screen_serves(const struct client *c);
/* Until the person leaves or, where nobody has pressed a key, the sweep is over. select: the sweep
 * that is shown first. CLIENT_DONE and how it ended, or what client_call says. */
int screen_run(struct client *c, int64_t select, enum screen_end *end);

#endif
