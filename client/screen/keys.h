/* Keys from the bytes that a terminal sends. Pure. */
#ifndef SWEEPCTL_KEYS_H
#define SWEEPCTL_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* A character stands for itself. */
enum key {
    KEY_NONE = 0x110000, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_PAGE_UP, KEY_PAGE_DOWN,
    KEY_HOME, KEY_END, KEY_ENTER, KEY_ESCAPE, KEY_TAB, KEY_BACK_TAB, KEY_BACKSPACE,
};

/* The first key of bytes[0..len): how many bytes it takes, 0 where it is not whole yet. ended: no
 * more will come, so that a lone escape is the key. What is not known is KEY_NONE. */
size_t keys_take(const char *bytes, size_t len, bool ended, int *key);

#endif
