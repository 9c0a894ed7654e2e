#include "daemon/serve/message.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

struct message *message_create(const char *line, size_t len)
{
    struct message *m = xmalloc(sizeof(*m) + len);
    m->references = 1;
    m->len = len;
    memcpy(m->data, line, len);
    return m;
}

struct message *message_hold(struct message *m)
{
    m->references++;
    return m;
}

void message_release(struct message *m)
{
    REQUIRE(m->references > 0);
    if (--m->references == 0)
        free(m);
}
