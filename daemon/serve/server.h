/* The Unix socket and its clients. */
#ifndef SWEEPD_SERVER_H
#define SWEEPD_SERVER_H

struct daemon;
struct errbuf;
struct server;

struct server *server_create(struct daemon *d);
/* Makes the socket (daemon/serve/listener.h) and leaves a note of it beside the database. Once it
 * vanishes it is made again, if need be elsewhere. */
int server_listen(struct server *s, struct errbuf *err);
/* Removes the socket, closes every client. */
void server_close(struct server *s);
void server_destroy(struct server *s);

#endif
