/* A line on its way to clients: encoded once, and kept while one of them has it to come. */
#ifndef SWEEPD_MESSAGE_H
#define SWEEPD_MESSAGE_H

#include <stddef.h>

struct message {
    size_t references;
    size_t len;
    char data[];
};

/* A copy of the line, with one reference. */
struct message *message_create(const char *line, size_t len);
/* One reference more; the same message. */
struct message *message_hold(struct message *m);
void message_release(struct message *m);

#endif
