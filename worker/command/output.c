#include "worker/command/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_init(struct output *o, int fd)
{
    struct stat st;

    memset(o, 0, sizeof(*o));
    o->fd = fd;
    o->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    o->base = o->is_file ? st.st_size : 0;
}

void output_finish(struct output *o)
{
    buf_finish(&o->last);
}

/* What cannot be written is lost: the run does not depend on it. */
static void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static const char *tail_of(const struct output *o, size_t *len)
{
    *len = o->last.len < OUTPUT_TAIL_BYTES ? o->last.len : OUTPUT_TAIL_BYTES;
    return o->last.len > 0 ? o->last.data + o->last.len - *len : "";
}

/* Head, a line that says what is missing, tail. */
static void shrink(struct output *o)
{
    struct buf note = {0};
    size_t len;
    const char *tail = tail_of(o, &len);

    if (ftruncate(o->fd, o->base + OUTPUT_HEAD_BYTES) != 0)
        return;
    lseek(o->fd, 0, SEEK_END); /* where it is not opened for appending */
    buf_printf(&note, "\n[… %" PRIu64 " bytes left out …]\n", o->total - OUTPUT_HEAD_BYTES - len);
    write_all(o->fd, note.data, note.len);
    write_all(o->fd, tail, len);
    o->in_file = OUTPUT_HEAD_BYTES + note.len + len;
    buf_finish(&note);
}

void output_put(struct output *o, const char *bytes, size_t len)
{
    write_all(o->fd, bytes, len);
    o->total += len;
    o->in_file += len;
    buf_append(&o->last, bytes, len);
    if (o->last.len >= 2 * OUTPUT_TAIL_BYTES)
        buf_consume(&o->last, o->last.len - OUTPUT_TAIL_BYTES);
    if (o->is_file && o->in_file > OUTPUT_HEAD_BYTES + 3 * OUTPUT_TAIL_BYTES)
        shrink(o);
}

void output_end(struct output *o)
{
    if (o->is_file && o->in_file > OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES &&
        o->total > OUTPUT_HEAD_BYTES + OUTPUT_TAIL_BYTES)
        shrink(o);
}

/* Runs of blanks, line ends and control characters become one blank; UTF-8 is mended by whoever
 * writes it as JSON. */
static void put_plain(const char *text, size_t len, struct buf *out)
{
    bool blank = true; /* none at the beginning */

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool was = blank;
        blank = c <= 0x20 || c == 0x7f;
        if (!blank || !was)
            buf_putc(out, blank ? ' ' : text[i]);
    }
}

static bool is_blank(char c)
{
    return (unsigned char)c <= 0x20;
}

/* Where the text that ends there may begin, so that it has at most max bytes: with a whole line,
 * where one does. */
static size_t first_within(const char *text, size_t end, size_t max)
{
    size_t begin = end > max ? end - max : 0, line = begin;

    if (begin == 0)
        return 0;
    while (line < end && text[line - 1] != '\n')
        line++;
    while (begin < end && ((unsigned char)text[begin] & 0xc0) == 0x80)
        begin++; /* not in the middle of a character */
    return line < end ? line : begin;
}

/* The last line first: it says what was wrong, and what comes before leads to it (a traceback, the
 * usage of a command line). */
void output_last_words(const struct output *o, size_t max, struct buf *out)
{
    static const char before[] = "; before it: ";
    const char *text = o->last.data;
    size_t end = o->last.len, line, rest;

    while (end > 0 && is_blank(text[end - 1]))
        end--;
    for (line = end; line > 0 && text[line - 1] != '\n' && text[line - 1] != '\r';)
        line--;
    for (rest = line; rest > 0 && is_blank(text[rest - 1]);)
        rest--;
    if (end - line + sizeof(before) > max || rest == 0) {
        size_t begin = first_within(text, end, max);
        put_plain(text + begin, end - begin, out);
        return;
    }
    put_plain(text + line, end - line, out);
    buf_puts(out, before);
    size_t begin = first_within(text, rest, max - (end - line) - sizeof(before));
    put_plain(text + begin, rest - begin, out);
}
