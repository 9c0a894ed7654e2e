/* The socket that a service manager has opened for us (sd_listen_fds(3)). */
#ifndef SWEEPD_ACTIVATION_H
#define SWEEPD_ACTIVATION_H

/* A listening Unix stream socket, ours from now on; -1: none was given. */
int activation_take(void);

#endif
