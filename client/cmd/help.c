#include "client/client.h"

#include <string.h>

#include "client/verb_help.h"
#include "client/verb_words.h"
#include "sweep/require.h"

int cmd_help(struct client *c)
{
    const char *word = c->opts.arg, *names[64];
    REQUIRE(client_verb_count <= ARRAY_LEN(names));
    if (word == NULL) {
        client_help(c->out);
        return CLIENT_DONE;
    }
    if (verb_alias(word) != NULL)
        word = verb_alias(word);
    for (size_t i = 0; i < client_verb_count; i++) {
        names[i] = client_verbs[i].name;
        if (strcmp(names[i], word) == 0) {
            client_help_verb(c->out, &client_verbs[i]);
            verb_help_more(c->out, names[i]);
            return CLIENT_DONE;
        }
    }
    const char *hint = verb_hint(word), *near = err_nearest(word, names, client_verb_count);
    if (hint != NULL)
        return client_usage(c, "unknown verb '%s'; did you mean %s?", word, hint);
    if (near != NULL)
        return client_usage(c, "unknown verb '%s'; did you mean '%s'?", word, near);
    return client_usage(c, "unknown verb '%s'; `sweepctl help` lists them", word);
}
