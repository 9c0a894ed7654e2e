/* sweepctl: the client of sweepd. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/complete.h"
#include "client/find_socket.h"

/* A socket or a log file must never become descriptor 0, 1 or 2. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int prepare(struct client *c, struct errbuf *err)
{
    if (opts_has(&c->opts, OPTION_SOCKET)) {
        if (strlen(c->opts.text[OPTION_SOCKET]) >= sizeof c->socket)
            return err_set(err, ERR_VALUE, "--socket: the path is too long");
        str_copy(c->socket, sizeof c->socket, c->opts.text[OPTION_SOCKET]);
        return 0;
    }
    return find_socket(c->socket, err);
}

/* Each returns enum client_exit. */
static int (*const commands[VERB_COUNT])(struct client *) = {
#define X(id, name, arg, kind, required, options, summary) [VERB_##id] = cmd_##id,
    VERB_MAP(X)
#undef X
};

/* Verbs that never need the socket. */
static bool offline(const struct verb *v)
{
    return v == &client_verbs[VERB_label] || v == &client_verbs[VERB_help];
}

static int run(struct client *c)
{
    struct errbuf err;
    const struct verb *v = c->opts.verb;
    if (opts_has(&c->opts, OPTION_VERSION)) {
        fputs("sweepctl " SWEEPD_VERSION "\n", c->out);
        return CLIENT_DONE;
    }
    if (opts_has(&c->opts, OPTION_HELP)) {
        if (v != NULL)
            client_help_verb(c->out, v);
        else
            client_help(c->out);
        return CLIENT_DONE;
    }
    if (!offline(v) && prepare(c, &err) != 0)
        return client_fail(c, CLIENT_USAGE, &err);
    return commands[v - client_verbs](c);
}

int main(int argc, char **argv)
{
    struct client c = {.out = stdout};
    struct errbuf err;
    open_standard_streams();
    const struct verb_table table = {client_verbs, client_verb_count};
    if (argc > 1 && strcmp(argv[1], COMPLETE_WORD) == 0) {
        rpc_client_init(&c.rpc);
        complete_main(&c, (size_t)argc - 2, argv + 2);
        rpc_client_close(&c.rpc);
        return client_flush(&c);
    }
    int rc = opts_parse(argc, argv, &table, &c.opts, &err);
    c.json = opts_has(&c.opts, OPTION_JSON);
    c.terminal = isatty(STDOUT_FILENO);
    c.width = c.terminal ? render_terminal(stdout, NULL) : 0;
    c.colour = render_wants_colour(stdout);
    rpc_client_init(&c.rpc);
    int status = rc != 0 ? client_fail(&c, CLIENT_USAGE, &err) : run(&c);
    rpc_client_close(&c.rpc);
    int flushed = client_flush(&c);
    return status != CLIENT_DONE ? status : flushed;
}
