/* Workers by fork(): include/sweep/fork_server.h. Nothing of a run is done in the server itself;
 * its children begin where main() does. */
#ifndef WORKER_FORK_SERVER_H
#define WORKER_FORK_SERVER_H

/* Returns in each child: its config.json, which is room from then on, with stdin, stdout and stderr
 * as a worker finds them, in a session of its own. NULL: in the server, at its end. */
const char *fork_server_run(char *room);

#endif
