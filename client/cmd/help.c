#include "client/client.h"

#include <string.h>

#include "sweep/require.h"

int cmd_help(struct client *c)
{
    const char *names[64];
    REQUIRE(client_verb_count <= ARRAY_LEN(names));
    if (c->opts.arg == NULL) {
        client_help(c->out);
        return CLIENT_DONE;
    }
    for (size_t i = 0; i < client_verb_count; i++) {
        names[i] = client_verbs[i].name;
        if (strcmp(names[i], c->opts.arg) == 0) {
            client_help_verb(c->out, &client_verbs[i]);
            return CLIENT_DONE;
        }
    }
    const char *near = err_nearest(c->opts.arg, names, client_verb_count);
    return client_usage(c, "unknown verb '%s'%s%s%s", c->opts.arg,
                        near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                        near != NULL ? "'?" : "");
}
