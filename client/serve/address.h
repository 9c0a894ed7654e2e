/* Where the page listens, and which names of itself it answers to. */
#ifndef SWEEPCTL_SERVE_ADDRESS_H
#define SWEEPCTL_SERVE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct errbuf;

#define ADDRESS_TEXT_MAX 80
#define ADDRESS_PORT 8478

struct address {
    struct sockaddr_storage at;
    socklen_t size;
    bool loopback;               /* nobody but this machine reaches it */
    char text[ADDRESS_TEXT_MAX]; /* "127.0.0.1:8478", "[::1]:8478" */
};

/* "ADDRESS:PORT", "[IPv6]:PORT", "localhost:PORT"; NULL: the loopback's. 0 or ERR_VALUE. */
int address_parse(const char *text, struct address *out, struct errbuf *err);
/* Listens: 0 and a descriptor, or ERR_IO. The port that the system chose is taken over. */
int address_listen(struct address *a, int *fd, struct errbuf *err);
/* May a request say that it is for that Host? A name that a stranger's DNS can give to our address
 * (rebinding) is none of ours: addresses are, "localhost", and beyond the loopback the name of this
 * machine. host: as the header has it; NULL: none. */
bool address_is_ours(const struct address *a, const char *host);
/* The port in use. */
unsigned address_port(const struct address *a);

#endif
