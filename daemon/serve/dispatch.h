/* The methods of the protocol as rows of one table, and the way from a line to its command. */
#ifndef SWEEPD_DISPATCH_H
#define SWEEPD_DISPATCH_H

#include <stddef.h>

struct conn;
struct daemon;

/* Answers one line of a client, now or later. */
void dispatch_line(struct daemon *d, struct conn *conn, const char *line, size_t len);

#endif
