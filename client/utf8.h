/* Just enough of UTF-8 to align columns. */
#ifndef SWEEPCTL_UTF8_H
#define SWEEPCTL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at p (NUL-terminated) and its code point; 0 when it is not UTF-8. */
size_t utf8_decode(const char *p, uint32_t *out);
/* Columns it takes on a terminal: 0, 1 or 2. */
size_t utf8_width(uint32_t c);

#endif
