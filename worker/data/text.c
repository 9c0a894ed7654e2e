#include "worker/data/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/encoding.h"
#include "sweep/err.h"
#include "sweep/foreign.h"
#include "worker/data/unpack.h"
#include "worker/memory.h"

#define GROW_BYTES ((size_t)1 << 16)

static int fail_io(const char *path, struct errbuf *err)
{
    return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

static int fail_size(const struct text *t, size_t max, struct errbuf *err)
{
    return text_fail(t, 0, err, ERR_LIMIT, "longer than %.1f GiB, half of this machine's memory",
                     (double)max / 0x1p30);
}

/* Room for one byte more than there are, at most max and the closing NUL; *cap grows with it. */
static int reserve(struct text *t, size_t *cap, size_t max, struct errbuf *err)
{
    if (t->len < *cap)
        return 0;
    if (*cap >= max)
        return fail_size(t, max, err);
    size_t more = *cap + *cap / 2 + GROW_BYTES;
    *cap = more < max ? more : max;
    t->data = xrealloc(t->data, *cap + 1);
    return 0;
}

static int read_all(struct text *t, int fd, size_t size, size_t max, struct errbuf *err)
{
    size_t cap = size < max ? size : max;
    t->data = xmalloc(cap + 1);
    memory_expect(t->data, cap);
    for (;;) {
        /* One byte more than the size: the read that finds the end. */
        ssize_t n = read(fd, t->data + t->len, cap + 1 - t->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_io(t->path, err);
        if (n == 0)
            return 0;
        t->len += (size_t)n;
        int rc = t->len > cap ? reserve(t, &cap, max, err) : 0;
        if (rc != 0)
            return rc;
    }
}

/* The bytes of a regular file; anything else (a pipe could block for ever) is refused. */
static int read_file(struct text *t, size_t max, struct errbuf *err)
{
    struct stat st;
    int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_io(t->path, err);
    int rc;
    if (fstat(fd, &st) != 0)
        rc = fail_io(t->path, err);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ERR_IO, "%s: not a regular file", t->path);
    else if ((uintmax_t)st.st_size > max)
        rc = fail_size(t, max, err);
    else
        rc = read_all(t, fd, (size_t)st.st_size, max, err);
    close(fd);
    return rc;
}

static int check_nul(const struct text *t, struct errbuf *err)
{
    const char *nul = t->len > 0 ? memchr(t->data, 0, t->len) : NULL;
    size_t line = 1;
    if (!nul)
        return 0;
    for (const char *p = t->data; p < nul; p++)
        line += *p == '\n';
    return text_fail(t, line, err, ERR_DATA, "a NUL byte; allowed: text in UTF-8, UTF-16 "
                     "or Windows-1252");
}

static int check_foreign(const struct text *t, struct errbuf *err)
{
    const struct foreign *f = foreign_find(t->data, t->len);
    return f == NULL ? 0
                     : text_fail(t, 0, err, ERR_DATA, "%s; allowed: text. To go on: %s", f->what,
                                 f->advice);
}

static void fail_encoding(const struct text *t, const char *encoding, int rc,
                          const struct errbuf *why, struct errbuf *err)
{
    if (rc == ERR_VALUE)
        err_bad(err, rc, "$.data.encoding", encoding, "%s", why->allowed);
    else
        text_fail(t, 0, err, rc, "%s", why->message);
}

/* Of bytes that are in memory: unpacks them, checks and closes them. */
static int finish_reading(struct text *t, const char *encoding, size_t max, struct errbuf *err)
{
    struct errbuf why = {0};
    int rc = unpack(&t->data, &t->len, max, &why);
    if (rc != 0)
        text_fail(t, 0, err, rc, "%s", why.message);
    if (rc == 0)
        rc = check_foreign(t, err);
    if (rc == 0 &&
        (rc = text_from_encoding(encoding, &t->data, &t->len, &t->origin, &why)) != 0)
        fail_encoding(t, encoding, rc, &why, err);
    if (rc == 0)
        rc = check_nul(t, err);
    if (rc == 0)
        t->data[t->len] = '\0';
    return rc;
}

int text_read(const char *path, const char *encoding, struct text *out, struct errbuf *err)
{
    size_t max = memory_physical_bytes() / 2;
    struct text t = {.path = path, .values_max_bytes = max};
    int rc = read_file(&t, max, err);
    if (rc == 0)
        rc = finish_reading(&t, encoding, max, err);
    if (rc == 0)
        *out = t;
    else
        text_finish(&t);
    return rc;
}

int text_decode(const char *path, const void *bytes, size_t len, struct text *out,
                struct errbuf *err)
{
    size_t max = memory_physical_bytes() / 2;
    struct text t = {.data = xmalloc(len + 1), .len = len, .path = path, .values_max_bytes = max};
    if (len > 0)
        memcpy(t.data, bytes, len);
    int rc = finish_reading(&t, "", max, err);
    if (rc == 0)
        *out = t;
    else
        text_finish(&t);
    return rc;
}

void text_finish(struct text *t)
{
    free(t->data);
    t->data = NULL;
    t->len = 0;
}
