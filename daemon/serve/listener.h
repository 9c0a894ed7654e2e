/* The Unix socket: its folder, its file, who may connect. */
#ifndef SWEEPD_LISTENER_H
#define SWEEPD_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/config.h"

struct errbuf;
struct listener;
struct uv_loop_s;

struct listener_place {
    const char *path; /* copied */
    gid_t group;      /* whose members may connect too; or CONFIG_NO_GROUP */
};

/* A client that may: its connected descriptor, which is the callee's. */
typedef void listener_cb(void *arg, int fd);

/* Makes the folder (0700) and the socket (0600; with a group 0750 and 0660) and listens. Refused: a
 * path that does not fit, a folder in which others could replace the socket, a socket on which
 * another daemon answers. */
int listener_open(struct uv_loop_s *loop, const struct listener_place *place, listener_cb *cb,
                  void *arg, struct listener **out, struct errbuf *err);
/* Is its file still there, and its own? */
bool listener_is_there(const struct listener *l);
/* Where it is. */
const char *listener_path(const struct listener *l);
/* Accepts again, where it had to stop. */
void listener_go_on(struct listener *l);
/* Removes the file where it is its own. l may be NULL. */
void listener_close(struct listener *l);
/* Tells a client that there is no place for it, as far as it reads that, and closes. */
void listener_turn_away(int fd, const char *why);

#endif
