#include "sweep/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sweep/require.h"

#define BUF_MIN_BYTES 64
#define ARRAY_MIN 8 /* elements */

/* Exits rather than aborts: a worker without memory did not crash, and its parent must be able to
 * tell the two apart (run error out_of_memory). */
static _Noreturn void out_of_memory(size_t bytes)
{
    fprintf(stderr, "out of memory: %zu bytes\n", bytes);
    _exit(EX_OSERR);
}

void *xmalloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);

    if (!p)
        out_of_memory(bytes);
    return p;
}

void *xcalloc(size_t count, size_t bytes)
{
    void *p = calloc(count ? count : 1, bytes ? bytes : 1);

    if (!p)
        out_of_memory(bytes && count > SIZE_MAX / bytes ? SIZE_MAX : count * bytes);
    return p;
}

void *xrealloc(void *p, size_t bytes)
{
    void *grown = realloc(p, bytes ? bytes : 1);

    if (!grown)
        out_of_memory(bytes);
    return grown;
}

void *array_room(void *items, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? 2 * *cap : ARRAY_MIN;
    if (*cap > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    return xrealloc(items, *cap * size);
}

char *xstrdup(const char *s)
{
    size_t bytes = strlen(s) + 1;

    return memcpy(xmalloc(bytes), s, bytes);
}

char *xasprintf(const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    return buf_take(&b);
}

void buf_finish(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : BUF_MIN_BYTES;

    if (b->data && more < b->cap - b->len)
        return;
    if (more >= SIZE_MAX / 2 - b->len)
        out_of_memory(SIZE_MAX);
    while (cap < b->len + more + 1)
        cap *= 2;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
    b->data[b->len] = '\0';
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
    buf_reserve(b, len);
    if (len)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->data[b->len++] = c;
    b->data[b->len] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int len;

    buf_reserve(b, BUF_MIN_BYTES);
    va_copy(again, ap);
    len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
    REQUIRE(len >= 0);
    if ((size_t)len >= b->cap - b->len) {
        buf_reserve(b, (size_t)len);
        vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
    }
    va_end(again);
    b->len += (size_t)len;
}

void buf_consume(struct buf *b, size_t n)
{
    REQUIRE(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

char *buf_take(struct buf *b)
{
    char *data;

    buf_reserve(b, 0);
    data = b->data;
    *b = (struct buf){0};
    return data;
}

void str_copy(char *dst, size_t size, const char *src)
{
    size_t len = strnlen(src, size);

    REQUIRE(size > 0);
    if (len == size) {
        len = size - 1;
        /* A UTF-8 character has at most three continuation bytes; more are not UTF-8. */
        for (int i = 0; i < 3 && len > 0 && ((unsigned char)src[len] & 0xC0) == 0x80; i++)
            len--;
    }
    memmove(dst, src, len);
    dst[len] = '\0';
}
