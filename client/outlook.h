/* What a person who has just submitted, or looks on, should know of what comes: why no run starts
 * at present, and what a logout would end. On stderr; nothing with --json. */
#ifndef SWEEPCTL_OUTLOOK_H
#define SWEEPCTL_OUTLOOK_H

#include <stdbool.h>

struct client;
struct json;

void outlook_say_waiting(struct client *c);
void outlook_say_logout(struct client *c);
/* The first reason of a `status` reply for which nothing goes on, as a sentence; NULL: none.
 * The caller frees. */
char *outlook_reason(const struct json *status);
/* Whether a sweep, a row of `list`, waits for its runs to start. */
bool outlook_concerns(const struct json *sweep);

#endif
