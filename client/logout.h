/* Whether the daemon outlives the user's sessions. */
#ifndef SWEEPCTL_LOGOUT_H
#define SWEEPCTL_LOGOUT_H

struct client;

/* Says on stderr where logging out would end the daemon, and what helps. */
void warn_of_logout(struct client *c);

#endif
