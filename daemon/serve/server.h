/* The Unix socket and its clients. */
#ifndef SWEEPD_SERVER_H
#define SWEEPD_SERVER_H

struct daemon;
struct errbuf;
struct server;

struct server *server_create(struct daemon *d);
/* Makes the folder (0700) and the socket (0600) and listens. Refused: a path that does not fit, a
 * folder that others could write to, a socket on which another daemon answers. */
int server_listen(struct server *s, struct errbuf *err);
/* From time to time: makes the socket again when it has vanished, closes clients that are gone. */
void server_check(struct server *s);
/* Removes the socket, closes every client. */
void server_close(struct server *s);
void server_destroy(struct server *s);

#endif
