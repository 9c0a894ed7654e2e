/* What a request is taken for, and who may come in: pure, and of hostile bytes. */
#include "client/serve/address.h"
#include "client/serve/door.h"
#include "client/serve/form.h"
#include "client/serve/request.h"
#include "client/serve/route.h"
#include "client/serve/seats.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

static void test_forms(void **state)
{
    struct form f;
    static const char text[] = "a=1&b=x%20y+z&&c&=v&a=2&%61b=%3d%26&run=17&bad=017x";
    assert_int_equal(form_parse(text, sizeof text - 1, &f), 0);
    assert_string_equal(form_get(&f, "a"), "1");
    assert_string_equal(form_get(&f, "b"), "x y z");
    assert_string_equal(form_get(&f, "c"), "");
    assert_string_equal(form_get(&f, ""), "v");
    assert_string_equal(form_get(&f, "ab"), "=&");
    assert_null(form_get(&f, "d"));
    assert_int_equal(form_id(&f, "run"), 17);
    assert_int_equal(form_id(&f, "bad"), 0);
    assert_int_equal(form_id(&f, "none"), 0);
    form_finish(&f);
    assert_int_equal(form_parse("", 0, &f), 0);
    assert_int_equal(f.count, 0);
}

static void test_bad_forms(void **state)
{
    static const char *const bad[] = {"%", "a=%", "a=%2", "a=%zz", "a=%00", "%00=1", "a=1&b=%g0"};
    struct form f;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(form_parse(bad[i], strlen(bad[i]), &f), ERR_VALUE);
        assert_int_equal(f.count, 0);
    }
    assert_int_equal(form_parse("a=\0b", 4, &f), ERR_VALUE);
    struct buf many = {0};
    for (int i = 0; i <= FORM_FIELDS_MAX; i++)
        buf_puts(&many, "a&");
    assert_int_equal(form_parse(many.data, many.len, &f), ERR_LIMIT);
    buf_finish(&many);
}

static void test_routes(void **state)
{
    static const struct {
        const char *path;
        bool post, found, other;
        int64_t id;
    } rows[] = {
        {"/", false, true, false, 0},
        {"/sweep/3", false, true, false, 3},
        {"/sweep/3/runs", false, true, false, 3},
        {"/sweep/3/pause", true, true, false, 3},
        {"/sweep/3/pause", false, false, true, 0},
        {"/", true, false, true, 0},
        {"/submit", true, true, false, 0},
        {"/sweep/", false, false, false, 0},
        {"/sweep/0", false, false, false, 0},
        {"/sweep/03", false, false, false, 0},
        {"/sweep/3/", false, false, false, 0},
        {"/sweep/3x", false, false, false, 0},
        {"/sweep/-3", false, false, false, 0},
        {"/sweep/99999999999999999", false, false, false, 0},
        {"/sweep/9999999999999999999999999999999", false, false, false, 0},
        {"", false, false, false, 0},
        {"//", false, false, false, 0},
        {"/../style.css", false, false, false, 0},
        {"/sweep/#", false, false, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t id;
        bool other;
        const struct route *r = route_find(rows[i].path, rows[i].post, &id, &other);
        assert_int_equal(r != NULL, rows[i].found);
        if (r == NULL)
            assert_int_equal(other, rows[i].other);
        else
            assert_int_equal(id, rows[i].id);
    }
}

static struct address address_of(const char *text)
{
    struct address a;
    struct errbuf err;
    assert_int_equal(address_parse(text, &a, &err), 0);
    return a;
}

static void test_addresses(void **state)
{
    static const char *const bad[] = {
        "",     "host:1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1",         "[::1]x",
        ":80",  "[]:80",  "1.2.3:4",    "127.0.0.1:1x",    "1:-1",   "localhost:999999"};
    struct address a;
    struct errbuf err;
    assert_string_equal(address_of(NULL).text, "127.0.0.1:8478");
    assert_string_equal(address_of("localhost:80").text, "127.0.0.1:80");
    assert_string_equal(address_of("[::1]:80").text, "[::1]:80");
    assert_string_equal(address_of("127.0.0.1").text, "127.0.0.1:8478");
    assert_true(address_of("127.1.2.3:1").loopback && address_of("[::1]:1").loopback);
    assert_false(address_of("0.0.0.0:1").loopback || address_of("[::]:1").loopback ||
                 address_of("10.0.0.1:1").loopback);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(address_parse(bad[i], &a, &err), ERR_VALUE);
        assert_string_equal(err.key, "--listen");
    }
}

static void test_hosts(void **state)
{
    const struct address loopback = address_of("127.0.0.1:80"), wide = address_of("0.0.0.0:80");
    static const char *const ours[] = {"127.0.0.1:80", "localhost", "LocalHost:9",
                                       "[::1]",        "[::1]:80",  "127.9.9.9:1"};
    static const char *const never[] = {
        NULL,           "",      "evil.example", "localhost.evil.example", "localhost.",
        "127.0.0.1:8o", "[::1",  "@",            "127.0.0.1:80:80",        "::1",
        "[127.0.0.1]x", "1.2.3", "127.0.0.1.evil.example:80"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        assert_true(address_is_ours(&loopback, ours[i]) && address_is_ours(&wide, ours[i]));
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        assert_false(address_is_ours(&loopback, never[i]) || address_is_ours(&wide, never[i]));
    assert_false(address_is_ours(&loopback, "192.0.2.1"));
    assert_true(address_is_ours(&wide, "192.0.2.1:8478"));
}

static void test_door(void **state)
{
    const struct address a = address_of("127.0.0.1:80");
    struct door d;
    struct errbuf err;
    assert_int_equal(door_init(&d, &a, NULL, &err), 0);
    char *cookie = door_cookie(&d), *bearer = xasprintf("Bearer %s", d.token);
    struct visitor v = {.host = "localhost", .hosts = 1, .own = true};
    assert_int_equal(door_entry(&d, &v), ENTRY_OPEN);
    v.own = false;
    assert_int_equal(door_entry(&d, &v), ENTRY_LOGIN);
    v.authorization = bearer;
    assert_int_equal(door_entry(&d, &v), ENTRY_OPEN);
    v.hosts = 2;
    assert_int_equal(door_entry(&d, &v), ENTRY_FOREIGN);
    v = (struct visitor){.host = "localhost", .hosts = 1, .cookie = cookie};
    assert_int_equal(door_entry(&d, &v), ENTRY_OPEN);
    v.cookie = "sweepctl_serve_80=";
    assert_int_equal(door_entry(&d, &v), ENTRY_LOGIN);
    v.host = "evil.example";
    v.own = true;
    assert_int_equal(door_entry(&d, &v), ENTRY_FOREIGN);
    assert_string_not_equal(d.token, d.session);
    free(cookie);
    free(bearer);
    door_finish(&d);
}

static void test_changes(void **state)
{
    const struct address a = address_of("127.0.0.1:80");
    struct door d;
    struct errbuf err;
    struct request r = {0};
    assert_int_equal(door_init(&d, &a, NULL, &err), 0);
    struct visitor v = {.host = "127.0.0.1:80", .hosts = 1, .own = true};
    assert_false(door_may_change(&d, &v, &r));
    char *body = xasprintf("token=%s", d.token);
    assert_int_equal(form_parse(body, strlen(body), &r.fields), 0);
    assert_true(door_may_change(&d, &v, &r));
    v.origin = "http://127.0.0.1:80";
    assert_true(door_may_change(&d, &v, &r));
    static const char *const foreign[] = {"null", "", "http://127.0.0.1", "http://evil.example",
                                          "http://127.0.0.1:80.evil.example"};
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        v.origin = foreign[i];
        assert_false(door_may_change(&d, &v, &r));
    }
    free(body);
    request_finish(&r);
    door_finish(&d);
}

static void test_logins(void **state)
{
    const struct address a = address_of("127.0.0.1:80");
    struct door d;
    struct errbuf err;
    assert_int_equal(door_init(&d, &a, NULL, &err), 0);
    assert_int_equal(door_login(&d, d.token), DOOR_RIGHT);
    assert_int_equal(door_login(&d, NULL), DOOR_WRONG);
    for (int i = 0; i < 9; i++)
        assert_int_equal(door_login(&d, "guess"), DOOR_WRONG);
    assert_int_equal(door_login(&d, d.token), DOOR_WAIT);
    door_finish(&d);
    const struct address wide = address_of("0.0.0.0:80");
    assert_int_equal(door_init(&d, &wide, NULL, &err), ERR_MISSING);
}

/* Those that wait are shown out for who comes, the longest waiting first; those that work never. */
static void test_seats(void **state)
{
    struct seats s;
    struct seat *taken[8];
    int ends[8][2];
    char byte;
    seats_init(&s, 4);
    s.max = 4;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
    for (size_t i = 0; i < 4; i++)
        assert_non_null(taken[i] = seats_take(&s, ends[i][0], true));
    seats_set(&s, taken[0], SEAT_WORKING);
    seats_set(&s, taken[2], SEAT_SENDING);
    assert_non_null(taken[4] = seats_take(&s, ends[4][0], true));
    assert_true(taken[1]->shown_out);
    assert_int_equal(read(ends[1][1], &byte, 1), 0); /* its other end sees it */
    assert_non_null(taken[5] = seats_take(&s, ends[5][0], true));
    assert_true(taken[3]->shown_out && !taken[0]->shown_out && !taken[2]->shown_out);
    assert_int_equal(s.taken, 4);
    seats_leave(&s, taken[1]);
    assert_int_equal(s.taken, 4);
    seats_leave(&s, taken[0]);
    assert_int_equal(s.taken, 3);
    assert_non_null(seats_take(&s, ends[6][0], false));
    assert_false(taken[4]->shown_out || taken[5]->shown_out);
    for (size_t i = 0; i < 8; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    seats_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),     cmocka_unit_test(test_bad_forms),
        cmocka_unit_test(test_routes),    cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_hosts),     cmocka_unit_test(test_door),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_logins),
        cmocka_unit_test(test_seats),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
