#include "sweep/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "engine"

/* stderr is a datagram socket's end: each write(2) is one record, so that a line written in two
 * parts shows. */
struct capture {
    int saved, read_end;
};

static int capture_stderr(void **state)
{
    static struct capture c;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
        return -1;
    c.saved = dup(STDERR_FILENO);
    c.read_end = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_set_level(LOG_INFO);
    *state = &c;
    return 0;
}

static int release_stderr(void **state)
{
    struct capture *c = *state;

    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    close(c->read_end);
    return 0;
}

/* One write; "" when there was none. */
static void next_write(const struct capture *c, char *out, size_t size)
{
    ssize_t n = recv(c->read_end, out, size - 1, MSG_DONTWAIT);

    out[n > 0 ? n : 0] = '\0';
}

static void test_one_line_in_one_write(void **state)
{
    char line[4096];
    regex_t form;

    log_warn("run %d: %s", 3, "late");
    next_write(*state, line, sizeof(line));
    assert_int_equal(regcomp(&form,
                             "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                             "warn  engine: run 3: late\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&form, line, 0, NULL, 0), 0);
    regfree(&form);
    next_write(*state, line, sizeof(line));
    assert_string_equal(line, "");
}

/* A peer's bytes in a message: no second line, no escape sequence for the terminal. */
static void test_control_characters_become_spaces(void **state)
{
    char line[4096];

    log_error("name %s", "a\nfake line\x1b[31m\r\x7f\xc2\x9b" "2J\xe2\x80\xae" "x\xe2\x81\xa6" "y\xe2\x80\x93\xc2\xa0\xc2");
    next_write(*state, line, sizeof(line));
    assert_non_null(strstr(line, "name a fake line [31m    2J   x   y\xe2\x80\x93\xc2\xa0\xc2\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_long_lines_are_cut(void **state)
{
    char text[5000], line[8192];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    next_write(*state, line, sizeof(line));
    assert_in_range(strlen(line), 1000, 2048);
    assert_string_equal(line + strlen(line) - 2, "x\n");
}

static void test_levels(void **state)
{
    char line[4096];

    log_debug("hidden");
    next_write(*state, line, sizeof(line));
    assert_string_equal(line, "");
    log_set_level(LOG_DEBUG);
    log_debug("shown");
    next_write(*state, line, sizeof(line));
    assert_non_null(strstr(line, "debug engine: shown\n"));
    assert_int_equal(log_level_from_name("error"), LOG_ERROR);
    assert_int_equal(log_level_from_name("debug"), LOG_DEBUG);
    assert_int_equal(log_level_from_name("loud"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_line_in_one_write, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(test_control_characters_become_spaces, capture_stderr,
                                        release_stderr),
        cmocka_unit_test_setup_teardown(test_long_lines_are_cut, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(test_levels, capture_stderr, release_stderr),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
