#include "worker/data/unpack.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define CHUNK_BYTES ((size_t)1 << 30) /* the libraries count in unsigned int */
#define GROW_BYTES ((size_t)1 << 16)
#define LZMA_MEMORY ((uint64_t)1 << 30)

/* What is still to read, and where to write. */
struct flow {
    const unsigned char *in;
    size_t in_left;
    unsigned char *out;
    size_t out_left;
};

enum step { STEP_MORE, STEP_END, STEP_BAD };

/* One way of packing. Streams may follow each other in a file. */
struct packing {
    const char *name, *magic;
    size_t magic_len;
    bool (*start)(void **state); /* NULL: the library is not there */
    enum step (*step)(void *state, struct flow *f);
    void (*stop)(void *state);
};

#define SPAN(left) ((unsigned)((left) < CHUNK_BYTES ? (left) : CHUNK_BYTES))

/* After a library's call: what it has taken and given. */
static void advance(struct flow *f, size_t taken, size_t given)
{
    f->in += taken;
    f->in_left -= taken;
    f->out += given;
    f->out_left -= given;
}

/* --- gzip ----------------------------------------------------------------------------------- */

static bool gzip_start(void **state)
{
    z_stream *z = xcalloc(1, sizeof *z);
    *state = z;
    return inflateInit2(z, 15 + 16) == Z_OK;
}

static enum step gzip_step(void *state, struct flow *f)
{
    z_stream *z = state;
    unsigned in = SPAN(f->in_left), out = SPAN(f->out_left);
    z->next_in = (Bytef *)(uintptr_t)f->in;
    z->avail_in = in;
    z->next_out = f->out;
    z->avail_out = out;
    int rc = inflate(z, Z_NO_FLUSH);
    advance(f, in - z->avail_in, out - z->avail_out);
    return rc == Z_STREAM_END ? STEP_END : rc == Z_OK || rc == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void gzip_stop(void *state)
{
    inflateEnd(state);
    free(state);
}

/* --- bzip2 ---------------------------------------------------------------------------------- */

#ifdef HAVE_BZIP2
static bool bzip2_start(void **state)
{
    bz_stream *z = xcalloc(1, sizeof *z);
    *state = z;
    return BZ2_bzDecompressInit(z, 0, 0) == BZ_OK;
}

static enum step bzip2_step(void *state, struct flow *f)
{
    bz_stream *z = state;
    unsigned in = SPAN(f->in_left), out = SPAN(f->out_left);
    z->next_in = (char *)(uintptr_t)f->in;
    z->avail_in = in;
    z->next_out = (char *)f->out;
    z->avail_out = out;
    int rc = BZ2_bzDecompress(z);
    advance(f, in - z->avail_in, out - z->avail_out);
    return rc == BZ_STREAM_END ? STEP_END : rc == BZ_OK ? STEP_MORE : STEP_BAD;
}

static void bzip2_stop(void *state)
{
    BZ2_bzDecompressEnd(state);
    free(state);
}
#define BZIP2 bzip2_start, bzip2_step, bzip2_stop
#else
#define BZIP2 NULL, NULL, NULL
#endif

/* --- xz ------------------------------------------------------------------------------------- */

#ifdef HAVE_LZMA
static bool xz_start(void **state)
{
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    lzma_stream *z = xmalloc(sizeof *z);
    *z = fresh;
    *state = z;
    return lzma_stream_decoder(z, LZMA_MEMORY, 0) == LZMA_OK;
}

static enum step xz_step(void *state, struct flow *f)
{
    lzma_stream *z = state;
    size_t in = f->in_left, out = f->out_left;
    z->next_in = f->in;
    z->avail_in = in;
    z->next_out = f->out;
    z->avail_out = out;
    lzma_ret rc = lzma_code(z, LZMA_RUN);
    advance(f, in - z->avail_in, out - z->avail_out);
    return rc == LZMA_STREAM_END                  ? STEP_END
           : rc == LZMA_OK || rc == LZMA_BUF_ERROR ? STEP_MORE
                                                  : STEP_BAD;
}

static void xz_stop(void *state)
{
    lzma_end(state);
    free(state);
}
#define XZ xz_start, xz_step, xz_stop
#else
#define XZ NULL, NULL, NULL
#endif

/* --- Zstandard ------------------------------------------------------------------------------ */

#ifdef HAVE_ZSTD
static bool zstd_start(void **state)
{
    *state = ZSTD_createDStream();
    return *state != NULL;
}

static enum step zstd_step(void *state, struct flow *f)
{
    ZSTD_inBuffer in = {f->in, f->in_left, 0};
    ZSTD_outBuffer out = {f->out, f->out_left, 0};
    size_t rc = ZSTD_decompressStream(state, &out, &in);
    advance(f, in.pos, out.pos);
    return ZSTD_isError(rc) ? STEP_BAD : rc == 0 ? STEP_END : STEP_MORE;
}

static void zstd_stop(void *state)
{
    ZSTD_freeDStream(state);
}
#define ZSTANDARD zstd_start, zstd_step, zstd_stop
#else
#define ZSTANDARD NULL, NULL, NULL
#endif

/* --- all of them ---------------------------------------------------------------------------- */

static const struct packing packings[] = {
    {"gzip", "\x1f\x8b", 2, gzip_start, gzip_step, gzip_stop},
    {"bzip2", "BZh", 3, BZIP2},
    {"xz", "\xFD" "7zXZ\0", 6, XZ},
    {"Zstandard", "\x28\xB5\x2F\xFD", 4, ZSTANDARD},
};

static bool begins(const struct packing *p, const void *bytes, size_t len)
{
    return len >= p->magic_len && memcmp(bytes, p->magic, p->magic_len) == 0;
}

static const struct packing *find(const void *bytes, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(packings); i++)
        if (begins(&packings[i], bytes, len))
            return &packings[i];
    return NULL;
}

const char *unpack_kind(const void *bytes, size_t len)
{
    const struct packing *p = find(bytes, len);
    return p ? p->name : NULL;
}

/* Where the unpacked bytes go. */
struct output {
    char *bytes;
    size_t len, cap, max;
};

static int reserve(struct output *o, struct errbuf *err)
{
    if (o->len < o->cap)
        return 0;
    if (o->cap >= o->max)
        return err_set(err, ERR_LIMIT, "unpacked it is longer than %.1f GiB, half of this "
                       "machine's memory", (double)o->max / 0x1p30);
    size_t more = o->cap + o->cap / 2 + GROW_BYTES;
    o->cap = more < o->max ? more : o->max;
    o->bytes = xrealloc(o->bytes, o->cap + 1);
    return 0;
}

/* One stream, to its end. */
static int read_stream(const struct packing *p, struct flow *f, struct output *o,
                       struct errbuf *err)
{
    void *state;
    bool started = p->start(&state);
    enum step step = started ? STEP_MORE : STEP_BAD;
    int rc = started ? 0 : err_set(err, ERR_INTERNAL, "%s cannot start", p->name);
    while (rc == 0 && step == STEP_MORE) {
        rc = reserve(o, err);
        if (rc != 0)
            break;
        size_t in_left = f->in_left, room = o->cap - o->len;
        f->out = (unsigned char *)o->bytes + o->len;
        f->out_left = room;
        step = p->step(state, f);
        o->len += room - f->out_left;
        if (step == STEP_BAD)
            rc = err_set(err, ERR_DATA, "damaged %s data", p->name);
        else if (step == STEP_MORE && f->out_left > 0 && (f->in_left == 0 || in_left == f->in_left))
            rc = err_set(err, ERR_DATA, "the %s data ends too early (truncated file)", p->name);
    }
    if (state)
        p->stop(state);
    return rc;
}

int unpack(char **bytes, size_t *len, size_t max, struct errbuf *err)
{
    const struct packing *p = find(*bytes, *len);
    struct flow f = {.in = (const unsigned char *)*bytes, .in_left = *len};
    struct output o = {.max = max};
    int rc = 0;
    if (!p)
        return 0;
    if (!p->start)
        return err_set(err, ERR_DATA, "%s data, which this sweep-worker was built without; "
                       "allowed: plain, or gzip", p->name);
    do
        rc = read_stream(p, &f, &o, err);
    while (rc == 0 && begins(p, f.in, f.in_left));
    if (rc == 0 && f.in_left > 0)
        rc = err_set(err, ERR_DATA, "%zu bytes after the end of the %s data", f.in_left, p->name);
    if (rc != 0) {
        free(o.bytes);
        return rc;
    }
    free(*bytes);
    *bytes = o.bytes;
    *len = o.len;
    return 0;
}
