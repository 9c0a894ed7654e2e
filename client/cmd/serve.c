/* The page for the browser: a process of its own, that ends with Ctrl-C. */
#include "client/client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client/serve/server.h"

static int absent(struct client *c)
{
    struct errbuf err;
    err_set(&err, ERR_STATE,
            "this sweepctl was built without libmicrohttpd, which serves the page: install it "
            "(Debian: apt install libmicrohttpd-dev) and build again (`./bootstrap build`); "
            "`sweepctl watch` and `sweepctl report` need none");
    return client_fail(c, CLIENT_REFUSED, &err);
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void say_where(struct client *c, const struct address *a, const struct door *door)
{
    struct buf text = {0};
    struct json_writer w;
    if (c->json) {
        char *url = xasprintf("http://%s/", a->text);
        jw_init(&w, &text);
        jw_begin_object(&w);
        jw_kv_string(&w, "url", url);
        jw_kv_string(&w, "token", door->token);
        jw_kv_bool(&w, "password", door->password != NULL);
        jw_end_object(&w);
        buf_putc(&text, '\n');
        free(url);
    } else {
        buf_printf(&text, "http://%s/\ntoken: %s\n", a->text, door->token);
    }
    client_print(c, &text);
    fflush(c->out);
    if (!a->loopback)
        client_say(c, "this address is not encrypted: the password and all pages can be read on "
                      "the way; `ssh -L` or a proxy with TLS is better");
}

static int wait_for_end(struct client *c, int listening, const struct site *site)
{
    struct errbuf err;
    sigset_t set;
    int got;
    block_signals(&set);
    struct server *s = server_open(listening, site, &err);
    if (s == NULL)
        return client_fail(c, CLIENT_REFUSED, &err);
    say_where(c, site->door->address, site->door);
    while (sigwait(&set, &got) == EINTR)
        continue;
    server_close(s);
    return CLIENT_DONE;
}

static int serve(struct client *c, struct address *a, enum language language)
{
    struct errbuf err;
    struct door door;
    int listening;
    if (door_init(&door, a, c->opts.text[OPTION_PASSWORD_FILE], &err) != 0)
        return client_fail(c, CLIENT_USAGE, &err);
    int status = client_connect(c);
    if (status == CLIENT_DONE && address_listen(a, &listening, &err) != 0)
        status = client_fail(c, CLIENT_REFUSED, &err);
    rpc_client_close(&c->rpc);
    if (status == CLIENT_DONE)
        status = wait_for_end(c, listening, &(struct site){language, c->socket, &door});
    door_finish(&door);
    return status;
}

int cmd_serve(struct client *c)
{
    const char *name = c->opts.text[OPTION_LANGUAGE];
    int language = name != NULL ? language_find(name) : LANGUAGE_EN;
    struct address address;
    struct errbuf err;
    if (!server_is_there())
        return absent(c);
    if (language < 0)
        return client_usage(c, "--language: got %s; allowed: en, zh", name);
    if (address_parse(c->opts.text[OPTION_LISTEN], &address, &err) != 0)
        return client_fail(c, CLIENT_USAGE, &err);
    return serve(c, &address, (enum language)language);
}
