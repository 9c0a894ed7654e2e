#include "worker/data/idx.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/table.h"
#include "worker/memory.h"

#define HEADER_BYTES 4
_Static_assert(IDX_RANK_MAX - 1 == SHAPE_RANK_MAX, "the first dimension counts the samples");
/* Deflate cannot make more than this of one byte (zlib, "Technical Details"). */
#define DEFLATE_RATIO_MAX 1032
#define CHUNK_BYTES ((size_t)1 << 30) /* zlib counts in unsigned int */

/* The file's bytes, inflated on the way where they are gzip. */
struct reader {
    const unsigned char *next;
    size_t left;
    bool gzip, ended; /* ended: the last gzip member was read to its checksum */
    z_stream z;
};

static int reader_init(struct reader *r, const unsigned char *bytes, size_t len,
                       struct errbuf *err)
{
    memset(r, 0, sizeof *r);
    r->next = bytes;
    r->left = len;
    r->gzip = len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    if (r->gzip && inflateInit2(&r->z, 15 + 16) != Z_OK)
        return err_set(err, ERR_INTERNAL, "zlib cannot start");
    return 0;
}

static void reader_finish(struct reader *r)
{
    if (r->gzip)
        inflateEnd(&r->z);
}

/* One call of inflate. 0, or an error for broken or missing input. */
static int reader_inflate(struct reader *r, struct errbuf *err)
{
    size_t chunk = r->left < CHUNK_BYTES ? r->left : CHUNK_BYTES;
    uInt before = (uInt)chunk;
    r->z.next_in = (Bytef *)(uintptr_t)r->next;
    r->z.avail_in = before;
    int rc = inflate(&r->z, Z_NO_FLUSH);
    r->next += before - r->z.avail_in;
    r->left -= before - r->z.avail_in;
    if (rc == Z_STREAM_END) {
        r->ended = r->left == 0;
        if (!r->ended && (r->next[0] != 0x1f || inflateReset(&r->z) != Z_OK))
            return err_set(err, ERR_DATA, "%zu bytes after the end of the gzip data", r->left);
        return 0;
    }
    if (rc == Z_BUF_ERROR || (rc == Z_OK && r->left == 0 && r->z.avail_out > 0))
        return err_set(err, ERR_DATA, "the gzip data ends too early (truncated file)");
    if (rc != Z_OK)
        return err_set(err, ERR_DATA, "damaged gzip data: %s", r->z.msg ? r->z.msg : zError(rc));
    return 0;
}

/* Up to n bytes; *got < n only at the end of the file. */
static int reader_read(struct reader *r, void *out, size_t n, size_t *got, struct errbuf *err)
{
    *got = 0;
    if (!r->gzip) {
        *got = n < r->left ? n : r->left;
        if (*got > 0)
            memcpy(out, r->next, *got);
        r->next += *got;
        r->left -= *got;
        return 0;
    }
    while (*got < n && !r->ended) {
        size_t want = n - *got < CHUNK_BYTES ? n - *got : CHUNK_BYTES;
        r->z.next_out = (unsigned char *)out + *got;
        r->z.avail_out = (uInt)want;
        int rc = reader_inflate(r, err);
        if (rc != 0)
            return rc;
        *got += want - r->z.avail_out;
    }
    return 0;
}

/* Exactly n bytes. */
static int reader_need(struct reader *r, void *out, size_t n, const char *what,
                       struct errbuf *err)
{
    size_t got;
    int rc = reader_read(r, out, n, &got, err);
    if (rc == 0 && got < n)
        rc = err_set(err, ERR_DATA, "the file ends within %s: %zu of %zu bytes", what, got, n);
    return rc;
}

/* Nothing may follow; reading on also makes zlib check the sum at the end of its data. */
static int reader_need_end(struct reader *r, struct errbuf *err)
{
    unsigned char extra;
    size_t got;
    int rc = reader_read(r, &extra, 1, &got, err);
    if (rc == 0 && got > 0)
        rc = err_set(err, ERR_DATA, "the file is longer than its header says");
    return rc;
}

size_t idx_type_bytes(enum idx_type type)
{
    return type == IDX_U8 ? 1 : type == IDX_F32 ? 4 : 8;
}

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int read_magic(struct reader *r, struct idx *x, struct errbuf *err)
{
    unsigned char magic[HEADER_BYTES];
    int rc = reader_need(r, magic, sizeof magic, "the IDX header", err);
    if (rc != 0)
        return rc;
    if (magic[0] != 0 || magic[1] != 0)
        return err_set(err, ERR_DATA,
                       "not an IDX file: its magic number is %02x %02x %02x %02x instead of 00 00, "
                       "a type and a number of dimensions",
                       magic[0], magic[1], magic[2], magic[3]);
    if (magic[2] != IDX_U8 && magic[2] != IDX_F32 && magic[2] != IDX_F64)
        return err_set(err, ERR_DATA,
                       "IDX type 0x%02x; allowed: 0x08 (unsigned byte), 0x0d (float), 0x0e "
                       "(double)", magic[2]);
    if (magic[3] < 1 || magic[3] > IDX_RANK_MAX)
        return err_set(err, ERR_DATA, "IDX file of %d dimensions; allowed: 1..%d", magic[3],
                       IDX_RANK_MAX);
    x->type = (enum idx_type)magic[2];
    x->rank = magic[3];
    return 0;
}

/* most: bytes that can still come. */
static int read_dimensions(struct reader *r, struct idx *x, size_t most, struct errbuf *err)
{
    unsigned char raw[4 * IDX_RANK_MAX];
    int rc = reader_need(r, raw, 4 * (size_t)x->rank, "the IDX header", err);
    if (rc != 0)
        return rc;
    x->count = 1;
    for (unsigned i = 0; i < x->rank; i++) {
        x->dims[i] = big32(raw + 4 * i);
        if (x->dims[i] == 0)
            return err_set(err, ERR_DATA, "dimension %u of the IDX header is 0", i + 1);
        if (x->dims[i] > most / idx_type_bytes(x->type) / x->count)
            return err_set(err, ERR_DATA,
                           "the IDX header claims more data than a file of this size can hold "
                           "(dimension %u is %zu)", i + 1, x->dims[i]);
        x->count *= x->dims[i];
    }
    return 0;
}

int idx_decode(const unsigned char *bytes, size_t len, struct idx *out, struct errbuf *err)
{
    struct idx x = {0};
    struct reader r;
    int rc = reader_init(&r, bytes, len, err);
    if (rc != 0)
        return rc;
    rc = read_magic(&r, &x, err);
    if (rc == 0)
        rc = read_dimensions(&r, &x, r.gzip ? len * DEFLATE_RATIO_MAX : len, err);
    if (rc != 0)
        goto out;
    size_t size = x.count * idx_type_bytes(x.type);
    if (size > memory_physical_bytes() / 2) {
        rc = err_set(err, ERR_LIMIT, "%.1f GiB of data do not fit into this machine's memory",
                     (double)size / 0x1p30);
        goto out;
    }
    x.data = xmalloc(size);
    rc = reader_need(&r, x.data, size, "its data", err);
    if (rc == 0)
        rc = reader_need_end(&r, err);
out:
    reader_finish(&r);
    if (rc == 0)
        *out = x;
    else
        free(x.data);
    return rc;
}

int idx_read(const char *path, struct idx *out, struct errbuf *err)
{
    struct buf file = {0};
    int rc = buf_read_file(&file, path, IDX_FILE_MAX, err);
    if (rc == 0) {
        struct errbuf why = {0};
        rc = idx_decode((const unsigned char *)file.data, file.len, out, &why);
        if (rc != 0)
            err_set(err, rc, "%s: %s", path, why.message);
    }
    buf_finish(&file);
    return rc;
}

void idx_finish(struct idx *x)
{
    free(x->data);
    x->data = NULL;
}

void idx_floats(const struct idx *x, size_t first, size_t n, float *out)
{
    REQUIRE(x->type != IDX_U8 && first <= x->count && n <= x->count - first);
    size_t size = idx_type_bytes(x->type);
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = x->data + (first + i) * size;
        if (x->type == IDX_F32) {
            uint32_t bits = big32(p);
            memcpy(&out[i], &bits, sizeof out[i]);
        } else {
            uint64_t bits = (uint64_t)big32(p) << 32 | big32(p + 4);
            double value;
            memcpy(&value, &bits, sizeof value);
            out[i] = (float)value;
        }
    }
}

static int check_pair(const char *images_path, const struct idx *images, const char *labels_path,
                      const struct idx *labels, struct errbuf *err)
{
    if (labels->rank != 1 || labels->type != IDX_U8)
        return err_set(err, ERR_DATA,
                       "%s: labels must be one dimension of unsigned bytes, this file has %u "
                       "dimensions of type 0x%02x", labels_path, labels->rank,
                       (unsigned)labels->type);
    if (images->rank < 2)
        return err_set(err, ERR_DATA, "%s: images must have at least 2 dimensions, this file has 1",
                       images_path);
    if (images->dims[0] != labels->count)
        return err_set(err, ERR_DATA, "%s holds %zu samples but %s holds %zu labels", images_path,
                       images->dims[0], labels_path, labels->count);
    return 0;
}

/* Bytes are handed over as they are; floats get this machine's byte order. */
static void take_images(struct idx *images, struct table *t)
{
    t->type = images->type == IDX_U8 ? SAMPLES_U8 : SAMPLES_F32;
    t->count = images->dims[0];
    t->shape.rank = images->rank - 1;
    for (size_t i = 0; i < t->shape.rank; i++)
        t->shape.dim[i] = images->dims[i + 1];
    if (images->type == IDX_U8) {
        t->values = images->data;
        images->data = NULL;
        return;
    }
    t->values = xmalloc(images->count * sizeof(float));
    idx_floats(images, 0, images->count, t->values);
}

static void take_labels(const struct idx *labels, struct table *t)
{
    t->outputs = 1;
    t->targets = xmalloc(labels->count * sizeof *t->targets);
    for (size_t i = 0; i < labels->count; i++)
        t->targets[i] = labels->data[i];
}

int idx_images(const char *path, struct table *out, struct errbuf *err)
{
    struct idx images = {0};
    int rc = idx_read(path, &images, err);
    if (rc == 0 && images.rank < 2)
        rc = err_set(err, ERR_DATA, "%s: one number a sample: labels; allowed: images", path);
    if (rc == 0) {
        memset(out, 0, sizeof *out);
        take_images(&images, out);
    }
    idx_finish(&images);
    return rc;
}

int idx_table(const char *images_path, const char *labels_path, struct table *out,
              struct errbuf *err)
{
    struct idx images = {0}, labels = {0};
    int rc = idx_read(images_path, &images, err);
    if (rc == 0)
        rc = idx_read(labels_path, &labels, err);
    if (rc == 0)
        rc = check_pair(images_path, &images, labels_path, &labels, err);
    if (rc == 0) {
        memset(out, 0, sizeof *out);
        take_images(&images, out);
        take_labels(&labels, out);
    }
    idx_finish(&images);
    idx_finish(&labels);
    return rc;
}
