#include "client/screen/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Another page, no cursor, no wrapping at the last column; and back. */
static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
static const char leave[] = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/* A specification that is piped in leaves the keys to the terminal itself. -1: none. */
static int open_keys(void)
{
    return isatty(STDIN_FILENO) ? dup(STDIN_FILENO) : open("/dev/tty", O_RDWR | O_CLOEXEC);
}

bool terminal_serves(int out)
{
    const char *term = getenv("TERM");
    if (!isatty(out) || term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
        return false;
    int keys = open_keys();
    if (keys >= 0)
        close(keys);
    return keys >= 0;
}

bool terminal_has_unicode(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *term = getenv("TERM");
    if (term != NULL && strcmp(term, "linux") == 0) /* its fonts have 512 characters */
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v != NULL && *v != '\0')
            return strcasestr(v, "utf-8") != NULL || strcasestr(v, "utf8") != NULL;
    }
    return false;
}

void terminal_open(struct terminal *t, int out)
{
    *t = (struct terminal){.in = open_keys(), .out = out};
    t->open = tcgetattr(t->in, &t->before) == 0;
    if (t->open) {
        struct termios raw = t->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        tcsetattr(t->in, TCSAFLUSH, &raw);
    }
    terminal_write(t, enter, sizeof enter - 1);
}

void terminal_close(struct terminal *t)
{
    terminal_write(t, leave, sizeof leave - 1);
    if (t->open)
        tcsetattr(t->in, TCSAFLUSH, &t->before);
    t->open = false;
    if (t->in >= 0)
        close(t->in);
    t->in = -1;
}

bool terminal_write(struct terminal *t, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(t->out, bytes, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = t->out, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool terminal_is_behind(const struct terminal *t)
{
    int waiting = 0;
    return ioctl(t->out, TIOCOUTQ, &waiting) == 0 && waiting > 0;
}
