/* One client of the daemon at a time: what it may cost, and when it is given up. The other end of a
 * socket pair is the client; the loop runs by hand. */
#include "daemon/serve/conn.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/serve/message.h"
#include "sweep/buf.h"
#include "sweep/rpc.h"

#define LINE "{\"reply\":1}\n"

struct world {
    uv_loop_t loop;
    struct conn_owner owner;
    struct conn *conn;
    int client; /* its end */
    size_t lines, relieved, closed, room;
    size_t reply_bytes; /* of the answer to each line; 0: none */
    char scratch[65536];
};

static void on_line(void *arg, struct conn *c, const char *line, size_t len)
{
    struct world *w = arg;
    w->lines++;
    if (w->reply_bytes == 0)
        return;
    char *reply = xmalloc(w->reply_bytes);
    memset(reply, 'r', w->reply_bytes);
    reply[w->reply_bytes - 1] = '\n';
    conn_request_begins(c, false);
    conn_send(c, reply, w->reply_bytes);
    conn_request_ended(c, false);
    free(reply);
}

static void on_relieved(void *arg, struct conn *c)
{
    ((struct world *)arg)->relieved++;
}

static void on_room(void *arg)
{
    ((struct world *)arg)->room++;
}

static void on_closed(void *arg, struct conn *c)
{
    struct world *w = arg;
    w->closed++;
    w->conn = NULL;
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    int ends[2];
    uv_loop_init(&w->loop);
    w->owner = (struct conn_owner){.line = on_line,
                                   .relieved = on_relieved,
                                   .room = on_room,
                                   .closed = on_closed,
                                   .arg = w,
                                   .patience = {UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                   .scratch = w->scratch,
                                   .scratch_bytes = sizeof(w->scratch)};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        return -1;
    w->client = ends[0];
    w->conn = conn_create(&w->owner, &w->loop, ends[1]);
    *state = w;
    return 0;
}

static void turn(struct world *w)
{
    uv_run(&w->loop, UV_RUN_NOWAIT);
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->conn)
        conn_close(w->conn);
    while (w->conn)
        turn(w);
    turn(w);
    bool even = w->owner.output == 0;
    close(w->client);
    even &= uv_loop_close(&w->loop) == 0;
    free(w);
    return even ? 0 : -1;
}

static void ask(struct world *w, size_t lines)
{
    for (size_t i = 0; i < lines; i++)
        assert_int_equal(write(w->client, "{}\n", 3), 3);
}

/* Reads what is there; returns how much. */
static size_t hear(struct world *w, struct buf *out)
{
    char bytes[65536];
    ssize_t n;
    size_t all = 0;
    while ((n = read(w->client, bytes, sizeof(bytes))) > 0) {
        all += (size_t)n;
        if (out)
            buf_append(out, bytes, (size_t)n);
    }
    return all;
}

/* A client asks 256 times for a page of 700 kB and reads later: it gets them all, and what waits
 * for it meanwhile stays small. */
static void test_replies_wait_for_a_slow_reader(void **state)
{
    struct world *w = *state;
    size_t heard = 0;
    w->reply_bytes = 700000;
    ask(w, 256);
    for (int i = 0; i < 100; i++)
        turn(w);
    assert_in_range(w->owner.output, 1, CONN_OUTPUT_PAUSE_BYTES + w->reply_bytes);
    assert_in_range(w->lines, 1, 8);
    while (w->conn && heard < 256 * w->reply_bytes) {
        heard += hear(w, NULL);
        turn(w);
    }
    assert_int_equal(heard, 256 * w->reply_bytes);
    assert_int_equal(w->lines, 256);
    assert_int_equal(w->closed, 0);
}

/* Requests under way count as what they may answer. */
static void test_requests_under_way_have_a_share(void **state)
{
    struct world *w = *state;
    size_t share = CONN_OUTPUT_PAUSE_BYTES / CONN_REPLY_SHARE_BYTES;
    for (size_t i = 0; i < share; i++)
        conn_request_begins(w->conn, false);
    ask(w, 1);
    turn(w);
    assert_int_equal(w->lines, 0);
    for (size_t i = 0; i < share; i++)
        conn_request_ended(w->conn, false);
    turn(w);
    assert_int_equal(w->lines, 1);
    for (size_t i = 0; i < CONN_REQUESTS_MAX - 1; i++)
        conn_request_begins(w->conn, true);
    ask(w, 1);
    turn(w);
    assert_int_equal(w->lines, 2); /* those that last have none, up to so many */
    conn_request_begins(w->conn, true);
    ask(w, 1);
    turn(w);
    assert_int_equal(w->lines, 2);
}

/* What others hold counts too, but one request of each is always served. */
static void test_all_clients_share_a_bound(void **state)
{
    struct world *w = *state;
    w->owner.output = CONN_OUTPUT_ALL_BYTES;
    ask(w, 2);
    turn(w);
    assert_int_equal(w->lines, 2);
    conn_request_begins(w->conn, false);
    ask(w, 1);
    turn(w);
    assert_int_equal(w->lines, 2);
    assert_true(w->owner.starved);
    w->owner.output = CONN_REPLY_SHARE_BYTES;
    conn_request_ended(w->conn, false);
    assert_int_equal(w->room, 1);
    turn(w);
    assert_int_equal(w->lines, 3);
}

static void test_notifications_are_left_out_and_relief_is_told(void **state)
{
    struct world *w = *state;
    char text[1024];
    size_t taken = 0;
    memset(text, 'n', sizeof(text));
    struct message *m = message_create(text, sizeof(text));
    while (conn_notify(w->conn, m))
        taken++;
    assert_in_range(conn_notes(w->conn), 1, 1024);
    assert_int_equal(w->relieved, 0);
    conn_send(w->conn, LINE, strlen(LINE)); /* a reply still has its place */
    struct buf heard = {0};
    while (w->relieved == 0 || heard.len < taken * sizeof(text) + strlen(LINE)) {
        hear(w, &heard);
        turn(w);
    }
    assert_int_equal(w->relieved, 1);
    assert_string_equal(heard.data + heard.len - strlen(LINE), LINE);
    message_release(m);
    buf_finish(&heard);
}

static void test_a_client_that_does_not_read_its_replies_is_dropped(void **state)
{
    struct world *w = *state;
    w->reply_bytes = 1000000;
    ask(w, 1);
    turn(w);
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 0);
    w->owner.patience.unread = 0;
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 1);
}

/* Notifications alone are no reason: they cost little, and a terminal may be stopped for hours. */
static void test_a_watcher_that_does_not_read_stays(void **state)
{
    struct world *w = *state;
    char text[1024] = "";
    struct message *m = message_create(text, sizeof(text));
    conn_set_watching(w->conn, true);
    while (conn_notify(w->conn, m))
        ;
    message_release(m);
    w->owner.patience = (struct conn_patience){0, 0, 0};
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 0);
}

static void test_an_idle_client_is_closed(void **state)
{
    struct world *w = *state;
    w->owner.patience.idle = 0;
    conn_request_begins(w->conn, true);
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 0);
    conn_request_ended(w->conn, true);
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 1);
}

/* It is still sending, and yet hears why it is refused: before its socket is closed under it. */
static void test_the_refusal_of_a_long_line_is_heard(void **state)
{
    struct world *w = *state;
    char chunk[65536];
    size_t sent = 0;
    memset(chunk, 'x', sizeof(chunk));
    while (sent < 4 * RPC_LINE_MAX) {
        ssize_t n = send(w->client, chunk, sizeof(chunk), MSG_NOSIGNAL);
        assert_true(n > 0 || sent < 4 * RPC_LINE_MAX);
        sent += n > 0 ? (size_t)n : 0;
        turn(w);
    }
    struct buf heard = {0};
    while (hear(w, &heard) == 0)
        turn(w);
    assert_non_null(strstr(heard.data, "invalid_request"));
    buf_finish(&heard);
    char byte;
    turn(w);
    assert_int_equal(read(w->client, &byte, 1), 0); /* our side has ended */
    assert_int_equal(w->closed, 0);
    w->owner.patience.ending = 0;
    conn_check(w->conn);
    turn(w);
    assert_int_equal(w->closed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_replies_wait_for_a_slow_reader),
        TEST(test_requests_under_way_have_a_share),
        TEST(test_all_clients_share_a_bound),
        TEST(test_notifications_are_left_out_and_relief_is_told),
        TEST(test_a_client_that_does_not_read_its_replies_is_dropped),
        TEST(test_a_watcher_that_does_not_read_stays),
        TEST(test_an_idle_client_is_closed),
        TEST(test_the_refusal_of_a_long_line_is_heard),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
