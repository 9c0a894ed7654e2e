/* Where the daemon answers, for a client that was not told. */
#ifndef SWEEPCTL_FIND_SOCKET_H
#define SWEEPCTL_FIND_SOCKET_H

#include "sweep/paths.h"

struct errbuf;

/* The usual place (paths_socket); where no socket is there, the one that the daemon of the usual
 * database has noted beside it: it may have been started in another environment. */
int find_socket(char out[PATHS_MAX], struct errbuf *err);

#endif
