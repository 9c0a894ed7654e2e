#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/label_folder.h"

/* Asked for a run, as other verbs are. */
static bool names_run(const char *path)
{
    return path != NULL && *path != '\0' && path[strspn(path, "0123456789")] == '\0' &&
           access(path, F_OK) != 0;
}

int cmd_label(struct client *c)
{
    struct errbuf err;
    struct label_request q = {.path = c->opts.arg, .json = c->json,
                              .width = c->width, .colour = c->colour};
    if (names_run(q.path))
        return client_usage(c, "no file %s: label reads a file of curves; what a run of the daemon "
                               "is labelled: sweepctl explain %s",
                            q.path, q.path);
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
