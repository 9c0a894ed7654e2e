/* The terminal that the screen has for itself: its own page, keys at once, no cursor. */
#ifndef SWEEPCTL_TERMINAL_H
#define SWEEPCTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
    int in, out;
    bool open;
    struct termios before;
};

/* out is one, keys can be read, and TERM names one that obeys escape sequences. */
bool terminal_serves(int out);
/* The locale's characters are UTF-8, and the terminal is one that has more than a few of them. */
bool terminal_has_unicode(void);
/* Keys come from standard input, or from the terminal itself where that is something else. */
void terminal_open(struct terminal *t, int out);
/* As it was. */
void terminal_close(struct terminal *t);
/* All of it, however long the terminal takes. False: it is gone. */
bool terminal_write(struct terminal *t, const char *bytes, size_t len);
/* What was written has not left yet: a slow line. */
bool terminal_is_behind(const struct terminal *t);

#endif
