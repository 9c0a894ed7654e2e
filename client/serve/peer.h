/* Who is at the other end of a connection within this machine: what SO_PEERCRED tells of a Unix
 * socket, the kernel tells of TCP by inet_diag. */
#ifndef SWEEPCTL_SERVE_PEER_H
#define SWEEPCTL_SERVE_PEER_H

#include <stdbool.h>

/* Does the other end of fd belong to this user or to root, on this machine? false also where that
 * cannot be found out. */
bool peer_is_own(int fd);

#endif
