/* A growing byte buffer, always NUL-terminated behind its last byte, and the allocation calls
 * that end the process when memory is gone (sizes that come from outside are capped first). */
#ifndef SWEEP_BUF_H
#define SWEEP_BUF_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t bytes);
void *xrealloc(void *p, size_t bytes);
char *xstrdup(const char *s);
/* The array with room for one element of that size behind the first count: moved to twice the
 * room where *cap, which counts elements, is full. items is NULL and *cap 0 at first. */
void *array_room(void *items, size_t *cap, size_t count, size_t size);
/* printf into fresh memory; the caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct buf {
    char *data; /* NULL until the first byte */
    size_t len; /* bytes in use, without the closing NUL */
    size_t cap; /* bytes allocated */
};

/* A zeroed struct buf is a valid, empty one. */
void buf_finish(struct buf *b);
void buf_clear(struct buf *b);
void buf_reserve(struct buf *b, size_t more);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Hands the bytes over (never NULL); the buffer is empty afterwards. The caller frees. */
char *buf_take(struct buf *b);

/* Copies src into dst[size], cut at a UTF-8 boundary, always NUL-terminated. */
void str_copy(char *dst, size_t size, const char *src);

/* Reads a whole file of at most max bytes. 0, ERR_IO or ERR_LIMIT; err names path and reason. */
struct errbuf;
int buf_read_file(struct buf *b, const char *path, size_t max, struct errbuf *err);

#endif
