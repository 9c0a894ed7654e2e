/* The page over HTTP, by libmicrohttpd: the only file that sees it. */
#ifndef SWEEPCTL_SERVE_SERVER_H
#define SWEEPCTL_SERVE_SERVER_H

#include <stdbool.h>

#include "client/serve/address.h"
#include "client/serve/desk.h"

struct errbuf;
struct server;

#define SERVER_SEATS_MAX 512

/* Built with libmicrohttpd? */
bool server_is_there(void);
/* listening: a descriptor, the server's from here on. NULL and err where it cannot be. */
struct server *server_open(int listening, const struct site *site, struct errbuf *err);
/* Ends what is under way. */
void server_close(struct server *s);

#endif
