#include "worker/data/zip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/memory.h"

#define END_SIGNATURE 0x06054b50u
#define END_BYTES 22
#define END64_SIGNATURE 0x06064b50u
#define END64_BYTES 56
#define LOCATOR_SIGNATURE 0x07064b50u
#define LOCATOR_BYTES 20
#define CENTRAL_SIGNATURE 0x02014b50u
#define CENTRAL_BYTES 46
#define LOCAL_SIGNATURE 0x04034b50u
#define LOCAL_BYTES 30
#define DESCRIPTOR_SIGNATURE 0x08074b50u
#define COMMENT_MAX 65535
#define ZIP64_EXTRA 0x0001
#define FLAG_ENCRYPTED 0x2041u /* bits 0, 6 (strong) and 13 (masked directory) */
#define FLAG_DESCRIPTOR 0x0008u
#define METHOD_STORED 0
#define METHOD_DEFLATED 8
/* Deflate cannot make more than this of one byte (zlib, "Technical Details"). */
#define DEFLATE_RATIO_MAX 1032
#define CHUNK_BYTES ((size_t)1 << 30) /* zlib counts in unsigned int */

struct archive {
    const unsigned char *bytes;
    size_t len;
};

/* Where the central directory is. */
struct directory {
    uint64_t count, offset, size;
    size_t end; /* it lies before this */
};

static unsigned le16(const unsigned char *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
    return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const unsigned char *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* The end record is the last thing but a comment, whose length it tells. */
static int find_end(const struct archive *a, size_t *out, struct errbuf *err)
{
    for (size_t comment = 0; comment <= COMMENT_MAX && comment + END_BYTES <= a->len; comment++) {
        size_t at = a->len - END_BYTES - comment;
        if (le32(a->bytes + at) == END_SIGNATURE && le16(a->bytes + at + 20) == comment) {
            *out = at;
            return 0;
        }
    }
    if (a->len >= 4 && le32(a->bytes) == LOCAL_SIGNATURE)
        return err_set(err, ERR_DATA, "the zip archive is cut short: its directory is missing");
    return err_set(err, ERR_DATA, "not a zip archive");
}

static int several_disks(struct errbuf *err)
{
    return err_set(err, ERR_DATA, "the zip archive is split over several files");
}

/* The zip64 end record, which the locator before the end record points to. */
static int read_end64(const struct archive *a, size_t end, struct directory *d,
                      struct errbuf *err)
{
    const unsigned char *locator = a->bytes + end - LOCATOR_BYTES;
    if (le32(locator + 4) != 0 || le32(locator + 16) != 1)
        return several_disks(err);
    uint64_t at = le64(locator + 8);
    size_t before = end - LOCATOR_BYTES;
    if (before < END64_BYTES || at > before - END64_BYTES ||
        le32(a->bytes + at) != END64_SIGNATURE)
        return err_set(err, ERR_DATA, "damaged zip archive: no zip64 record where it should be");
    const unsigned char *p = a->bytes + at;
    if (le32(p + 16) != 0 || le32(p + 20) != 0 || le64(p + 24) != le64(p + 32))
        return several_disks(err);
    d->count = le64(p + 32);
    d->size = le64(p + 40);
    d->offset = le64(p + 48);
    d->end = at;
    return 0;
}

static int find_directory(const struct archive *a, struct directory *d, struct errbuf *err)
{
    size_t end = 0;
    int rc = find_end(a, &end, err);
    if (rc != 0)
        return rc;
    const unsigned char *p = a->bytes + end;
    *d = (struct directory){le16(p + 10), le32(p + 16), le32(p + 12), end};
    if (end >= LOCATOR_BYTES && le32(p - LOCATOR_BYTES) == LOCATOR_SIGNATURE)
        rc = read_end64(a, end, d, err);
    else if (le16(p + 4) != 0 || le16(p + 6) != 0 || le16(p + 8) != d->count)
        rc = several_disks(err);
    if (rc != 0)
        return rc;
    if (d->offset > d->end || d->size > d->end - d->offset || d->count > d->size / CENTRAL_BYTES)
        return err_set(err, ERR_DATA, "damaged zip archive: its directory does not fit into it");
    return 0;
}

/* The fields of the zip64 extra that replace those of 0xffffffff, in their order. */
static bool read_extra64(const unsigned char *extra, size_t len, uint64_t *const *fields,
                         size_t count)
{
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++)
        wanted += *fields[i] == UINT32_MAX;
    while (len >= 4) {
        size_t size = le16(extra + 2);
        if (size > len - 4)
            return false;
        if (le16(extra) == ZIP64_EXTRA) {
            if (size < 8 * wanted)
                return false;
            const unsigned char *p = extra + 4;
            for (size_t i = 0; i < count; i++) {
                if (*fields[i] == UINT32_MAX) {
                    *fields[i] = le64(p);
                    p += 8;
                }
            }
            return true;
        }
        extra += 4 + size;
        len -= 4 + size;
    }
    return wanted == 0;
}

/* Behind the data, where the sizes were not known before it: an optional signature, then the
 * checksum, which must be that of the directory. */
static bool descriptor_fits(const struct zip_entry *e, const unsigned char *limit)
{
    const unsigned char *p = e->data + e->packed;
    if (limit - p >= 16 && le32(p) == DESCRIPTOR_SIGNATURE && le32(p + 4) == e->crc)
        return true;
    return limit - p >= 12 && le32(p) == e->crc;
}

/* Sets e->data from the member's own header, which must agree with the directory. limit: where
 * the directory begins. */
static bool locate(const struct archive *a, size_t limit, uint64_t offset, struct zip_entry *e)
{
    if (limit < LOCAL_BYTES || offset > limit - LOCAL_BYTES)
        return false;
    const unsigned char *p = a->bytes + offset;
    size_t name_len = le16(p + 26), extra_len = le16(p + 28);
    size_t left = limit - (size_t)offset - LOCAL_BYTES;
    if (le32(p) != LOCAL_SIGNATURE || name_len + extra_len > left ||
        e->packed > left - name_len - extra_len)
        return false;
    if (name_len != e->name_len || memcmp(p + LOCAL_BYTES, e->name, name_len) != 0 ||
        le16(p + 8) != e->method)
        return false;
    e->data = p + LOCAL_BYTES + name_len + extra_len;
    if (le16(p + 6) & FLAG_DESCRIPTOR)
        return descriptor_fits(e, a->bytes + limit);
    uint64_t size = le32(p + 22), packed = le32(p + 18);
    uint64_t *const fields[] = {&size, &packed};
    return read_extra64(p + LOCAL_BYTES + name_len, extra_len, fields, 2) && size == e->size &&
           packed == e->packed && le32(p + 14) == e->crc;
}

/* One row of the directory at bytes[at..end); returns its length, 0 when it is damaged. */
static size_t read_entry(const struct archive *a, size_t at, size_t end,
                         const struct directory *d, struct zip_entry *e)
{
    const unsigned char *p = a->bytes + at;
    if (end - at < CENTRAL_BYTES || le32(p) != CENTRAL_SIGNATURE)
        return 0;
    size_t name_len = le16(p + 28), extra_len = le16(p + 30), comment_len = le16(p + 32);
    size_t bytes = CENTRAL_BYTES + name_len + extra_len + comment_len;
    if (bytes > end - at)
        return 0;
    uint64_t size = le32(p + 24), packed = le32(p + 20), offset = le32(p + 42);
    uint64_t *const fields[] = {&size, &packed, &offset};
    if (!read_extra64(p + CENTRAL_BYTES + name_len, extra_len, fields, 3) || packed > a->len)
        return 0;
    *e = (struct zip_entry){
        .name = p + CENTRAL_BYTES,
        .name_len = name_len,
        .flags = le16(p + 8),
        .method = le16(p + 10),
        .crc = le32(p + 16),
        .packed = (size_t)packed,
        .size = (size_t)size,
    };
    return locate(a, (size_t)d->offset, offset, e) ? bytes : 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    size_t shorter = x->name_len < y->name_len ? x->name_len : y->name_len;
    int order = memcmp(x->name, y->name, shorter);
    return order != 0 ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static int read_entries(const struct archive *a, const struct directory *d, struct zip *z,
                        struct errbuf *err)
{
    size_t at = (size_t)d->offset, end = at + (size_t)d->size;
    for (size_t i = 0; i < z->count; i++) {
        size_t bytes = read_entry(a, at, end, d, &z->entries[i]);
        if (bytes == 0)
            return err_set(err, ERR_DATA,
                           "damaged zip archive: member %zu of %zu does not fit its directory",
                           i + 1, z->count);
        at += bytes;
    }
    if (at != end)
        return err_set(err, ERR_DATA, "damaged zip archive: %zu bytes more in its directory than "
                       "its members", end - at);
    qsort(z->entries, z->count, sizeof *z->entries, compare_names);
    for (size_t i = 1; i < z->count; i++) {
        char name[ZIP_NAME_TEXT_MAX];
        if (compare_names(&z->entries[i - 1], &z->entries[i]) == 0)
            return err_set(err, ERR_DATA, "the zip archive has two members '%s'",
                           zip_name(&z->entries[i], name));
    }
    return 0;
}

int zip_open(const unsigned char *bytes, size_t len, struct zip *z, struct errbuf *err)
{
    struct archive a = {bytes, len};
    struct directory d;
    int rc = find_directory(&a, &d, err);
    if (rc != 0)
        return rc;
    struct zip made = {(size_t)d.count, xcalloc((size_t)d.count + 1, sizeof *made.entries)};
    rc = read_entries(&a, &d, &made, err);
    if (rc == 0)
        *z = made;
    else
        zip_close(&made);
    return rc;
}

void zip_close(struct zip *z)
{
    free(z->entries);
    z->entries = NULL;
    z->count = 0;
}

const struct zip_entry *zip_find(const struct zip *z, const char *name)
{
    struct zip_entry key = {.name = (const unsigned char *)name, .name_len = strlen(name)};
    return bsearch(&key, z->entries, z->count, sizeof key, compare_names);
}

const char *zip_name(const struct zip_entry *e, char out[ZIP_NAME_TEXT_MAX])
{
    size_t len = e->name_len < ZIP_NAME_TEXT_MAX - 1 ? e->name_len : ZIP_NAME_TEXT_MAX - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = e->name[i] >= 0x20 && e->name[i] < 0x7f ? (char)e->name[i] : '?';
    out[len] = '\0';
    return out;
}

static int inflate_all(z_stream *z, const struct zip_entry *e, unsigned char *out,
                       struct errbuf *err)
{
    size_t in_left = e->packed, out_left = e->size;
    unsigned char beyond; /* where it should be full, so that zlib can say that it is not */
    int rc = Z_OK;
    z->next_in = (Bytef *)(uintptr_t)e->data;
    z->next_out = out;
    while (rc == Z_OK) {
        uInt in = (uInt)(in_left < CHUNK_BYTES ? in_left : CHUNK_BYTES);
        uInt room = (uInt)(out_left < CHUNK_BYTES ? out_left : CHUNK_BYTES);
        if (out_left == 0)
            z->next_out = &beyond;
        z->avail_in = in;
        z->avail_out = out_left == 0 ? 1 : room;
        rc = inflate(z, Z_NO_FLUSH);
        in_left -= in - z->avail_in;
        if (out_left == 0 && z->avail_out == 0)
            return err_set(err, ERR_DATA, "it unpacks to more than the %zu bytes it claims",
                           e->size);
        out_left -= out_left == 0 ? 0 : room - z->avail_out;
    }
    if (rc == Z_BUF_ERROR)
        return err_set(err, ERR_DATA, "its deflated data ends too early");
    if (rc != Z_STREAM_END)
        return err_set(err, ERR_DATA, "damaged deflated data: %s", z->msg ? z->msg : zError(rc));
    if (in_left > 0 || out_left > 0)
        return err_set(err, ERR_DATA, "its deflated data has not the length that it claims");
    return 0;
}

static int unpack(const struct zip_entry *e, unsigned char **owned, struct errbuf *err)
{
    if (e->size / DEFLATE_RATIO_MAX > e->packed)
        return err_set(err, ERR_DATA, "it claims to unpack to %zu bytes, more than %zu deflated "
                       "bytes can hold", e->size, e->packed);
    if (e->size > memory_physical_bytes() / 2)
        return err_set(err, ERR_LIMIT, "%.1f GiB do not fit into this machine's memory",
                       (double)e->size / 0x1p30);
    z_stream z = {0};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return err_set(err, ERR_INTERNAL, "zlib cannot start");
    unsigned char *bytes = xmalloc(e->size + 1);
    int rc = inflate_all(&z, e, bytes, err);
    inflateEnd(&z);
    if (rc == 0)
        *owned = bytes;
    else
        free(bytes);
    return rc;
}

int zip_extract(const struct zip_entry *e, const unsigned char **out, unsigned char **owned,
                struct errbuf *err)
{
    unsigned char *bytes = NULL;
    if (e->flags & FLAG_ENCRYPTED)
        return err_set(err, ERR_DATA, "it is encrypted; allowed: stored or deflated");
    if (e->method != METHOD_STORED && e->method != METHOD_DEFLATED)
        return err_set(err, ERR_DATA, "compression method %u; allowed: 0 (stored), 8 (deflated)",
                       e->method);
    if (e->method == METHOD_STORED && e->size != e->packed)
        return err_set(err, ERR_DATA, "stored with %zu bytes of %zu", e->packed, e->size);
    int rc = e->method == METHOD_DEFLATED ? unpack(e, &bytes, err) : 0;
    if (rc != 0)
        return rc;
    const unsigned char *data = bytes ? bytes : e->data;
    uint32_t crc = (uint32_t)crc32_z(0, data, e->size);
    if (crc != e->crc) {
        free(bytes);
        return err_set(err, ERR_DATA, "damaged: its CRC-32 is %08x instead of %08x", crc, e->crc);
    }
    *out = data;
    *owned = bytes;
    return 0;
}
