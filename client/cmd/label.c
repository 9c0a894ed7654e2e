#include "client/client.h"
#include "client/label_folder.h"

int cmd_label(struct client *c)
{
    struct errbuf err;
    struct label_request q = {.path = c->opts.arg, .json = c->json,
                              .width = c->width, .colour = c->colour};
    if (opts_has(&c->opts, OPTION_VAL))
        q.val_path = c->opts.text[OPTION_VAL];
    if (opts_has(&c->opts, OPTION_RUN))
        q.run = c->opts.text[OPTION_RUN];
    if (opts_has(&c->opts, OPTION_AT))
        q.at = (size_t)c->opts.number[OPTION_AT];
    int rc = label_path(&q, c->out, &err);
    if (rc == 0)
        return CLIENT_DONE;
    /* No daemon is asked: a file that cannot be read is a wrong argument, a bad one is refused. */
    return client_fail(c, rc == ERR_IO ? CLIENT_USAGE : CLIENT_REFUSED, &err);
}
