/* The client against a daemon that says anything: the other end of a socket pair is filled before
 * the call, so no thread and no clock is needed. */
#include "client/rpc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/launch.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct pair {
    struct rpc_client client;
    int daemon; /* its end */
};

static void pair_open(struct pair *p)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    rpc_client_init(&p->client);
    p->client.fd = fds[0];
    p->client.timeout_ms = 200;
    p->daemon = fds[1];
}

static void pair_close(struct pair *p)
{
    rpc_client_close(&p->client);
    if (p->daemon >= 0)
        close(p->daemon);
}

static void say(struct pair *p, const char *text)
{
    assert_int_equal(write(p->daemon, text, strlen(text)), (ssize_t)strlen(text));
}

static void hang_up(struct pair *p)
{
    /* Only the sending side: what the client sends must not fail first. */
    shutdown(p->daemon, SHUT_WR);
}

static void test_request_and_reply(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    char sent[256] = "";
    pair_open(&p);
    say(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"sweep\":7}}\n");
    assert_int_equal(rpc_client_call(&p.client, "submit", "{\"spec\":{}}", &reply, &err), 0);
    int64_t sweep = 0;
    assert_int_equal(json_int64(json_get(reply.result, "sweep"), &sweep), 0);
    assert_int_equal(sweep, 7);
    rpc_reply_finish(&reply);
    assert_true(read(p.daemon, sent, sizeof sent - 1) > 0);
    assert_string_equal(
        sent, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"submit\",\"params\":{\"spec\":{}}}\n");
    pair_close(&p);
}

static void count_note(void *arg, const struct rpc_reply *n)
{
    assert_string_equal(n->method, "point");
    ++*(int *)arg;
}

static void test_notifications_before_the_reply_and_behind(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    int notes = 0;
    pair_open(&p);
    p.client.on_notification = count_note;
    p.client.arg = &notes;
    say(&p, "{\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":{}}\n"
            "{\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":{}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"
            "{\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":{}}\n{\"jsonrpc\"");
    assert_int_equal(rpc_client_call(&p.client, "watch", "{}", &reply, &err), 0);
    rpc_reply_finish(&reply);
    assert_int_equal(notes, 2);
    assert_int_equal(rpc_client_take(&p.client, &reply, &err), 1);
    assert_true(reply.notification);
    rpc_reply_finish(&reply);
    assert_int_equal(rpc_client_take(&p.client, &reply, &err), 0); /* a partial line waits */
    say(&p, ":\"2.0\",\"method\":\"point\",\"params\":{}}\n");
    assert_int_equal(rpc_client_fill(&p.client, &err), 0);
    assert_int_equal(rpc_client_take(&p.client, &reply, &err), 1);
    rpc_reply_finish(&reply);
    pair_close(&p);
}

static void test_the_daemon_says_no(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    pair_open(&p);
    say(&p, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001,\"message\":\"no sweep 9\","
            "\"data\":{\"error\":\"not_found\",\"key\":\"$.sweep\"}}}\n");
    assert_int_equal(rpc_client_call(&p.client, "show", "{\"sweep\":9}", &reply, &err), 0);
    assert_int_equal(reply.error.code, ERR_NOT_FOUND);
    assert_string_equal(reply.error.message, "no sweep 9");
    rpc_reply_finish(&reply);
    pair_close(&p);
}

static void test_hostile_bytes_are_errors(void **state)
{
    static const struct {
        const char *bytes;
        bool hang_up;
        const char *says;
    } cases[] = {
        {"", true, "closed the connection"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,", true, "in the middle of a line"},
        {"", false, "does not answer"},
        {"nonsense\n", false, ""},
        {"\n", false, ""},
        {"\x01\xff\xfe\n", false, ""},
        {"[]\n", false, ""},
        {"{}\n", false, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n", false, "not asked"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}\n",
         false, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}\n", false, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"result\":{}}\n", false, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair p;
        struct rpc_reply reply;
        struct errbuf err = {0};
        pair_open(&p);
        say(&p, cases[i].bytes);
        if (cases[i].hang_up)
            hang_up(&p);
        if (rpc_client_call(&p.client, "status", "{}", &reply, &err) == 0)
            fail_msg("accepted: %s", cases[i].bytes);
        assert_true(err.message[0] != '\0');
        assert_non_null(strstr(err.message, cases[i].says));
        pair_close(&p);
    }
}

static void test_a_refusal_without_id_belongs_to_the_request(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    pair_open(&p);
    say(&p, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"too long\","
            "\"data\":{\"error\":\"invalid_request\"}}}\n");
    assert_int_equal(rpc_client_call(&p.client, "submit", "{}", &reply, &err), 0);
    assert_int_equal(reply.error.code, ERR_REQUEST);
    rpc_reply_finish(&reply);
    pair_close(&p);
}

static void test_a_request_too_long_is_not_sent(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    struct buf params = {0};
    char byte;
    pair_open(&p);
    buf_puts(&params, "{\"spec\":\"");
    for (size_t i = 0; i < RPC_LINE_MAX; i++)
        buf_putc(&params, 'x');
    buf_puts(&params, "\"}");
    assert_int_equal(rpc_client_call(&p.client, "submit", params.data, &reply, &err), ERR_LIMIT);
    assert_true(recv(p.daemon, &byte, 1, MSG_DONTWAIT) < 0);
    buf_finish(&params);
    pair_close(&p);
}

static void test_the_daemon_is_gone_before_the_request(void **state)
{
    struct pair p;
    struct rpc_reply reply;
    struct errbuf err;
    pair_open(&p);
    close(p.daemon);
    p.daemon = -1;
    /* An error, not a SIGPIPE. */
    assert_int_equal(rpc_client_call(&p.client, "status", "{}", &reply, &err), ERR_IO);
    pair_close(&p);
}

static void test_open(void **state)
{
    struct rpc_client c;
    struct errbuf err;
    struct rpc_reply reply;
    char dir[] = "/tmp/sweepctl-test-XXXXXX", long_path[200];
    assert_non_null(mkdtemp(dir));
    char *path = xasprintf("%s/sock", dir);
    rpc_client_init(&c);
    assert_int_equal(rpc_client_open(&c, path, &err), ERR_IO); /* no such file */
    assert_non_null(strstr(err.message, path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    str_copy(a.sun_path, sizeof a.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(rpc_client_open(&c, path, &err), ERR_IO); /* nobody listens */
    assert_int_equal(c.fd, -1);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(rpc_client_open(&c, path, &err), 0);
    rpc_client_close(&c);
    /* One that accepts and never answers is no daemon. */
    assert_int_equal(launch_ask(path, 50, &reply, &err), ERR_TIMEOUT);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(rpc_client_open(&c, long_path, &err), ERR_VALUE);
    close(fd);
    unlink(path);
    rmdir(dir);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_reply),
        cmocka_unit_test(test_notifications_before_the_reply_and_behind),
        cmocka_unit_test(test_the_daemon_says_no),
        cmocka_unit_test(test_hostile_bytes_are_errors),
        cmocka_unit_test(test_a_refusal_without_id_belongs_to_the_request),
        cmocka_unit_test(test_a_request_too_long_is_not_sent),
        cmocka_unit_test(test_the_daemon_is_gone_before_the_request),
        cmocka_unit_test(test_open),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
