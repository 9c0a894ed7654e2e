#include "array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

static void add(struct buf *out, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buf_putc(out, i < 8 ? (char)(unsigned char)(v >> 8 * i) : 0);
}

void array_put(char *p, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++)
        p[i] = (char)(unsigned char)(v >> 8 * i);
}

void array_npy_header(struct buf *out, int version, const char *header)
{
    buf_append(out, "\x93NUMPY", 6);
    add(out, (uint64_t)version, 2);
    add(out, strlen(header), version == 1 ? 2 : 4);
    buf_puts(out, header);
}

void array_npy(struct buf *out, const char *descr, bool fortran, const char *shape,
               const void *data, size_t len)
{
    char *header = xasprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }      \n", descr,
                             fortran ? "True" : "False", shape);
    array_npy_header(out, 1, header);
    buf_append(out, data, len);
    free(header);
}

static void deflate_to(struct buf *out, const void *data, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    unsigned char *packed = xmalloc(len + 1024);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)len;
    z.next_out = packed;
    z.avail_out = (uInt)(len + 1024);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_append(out, packed, len + 1024 - z.avail_out);
    deflateEnd(&z);
    free(packed);
}

struct member {
    const char *name;
    unsigned flags;
    uint64_t crc, packed, size;
};

/* What local header and directory row have in common: version to the length of the name. */
static void add_common(struct buf *out, const struct member *m, bool known)
{
    bool zip64 = m->flags & ARRAY_ZIP64;
    add(out, zip64 ? 45 : 20, 2);
    add(out, m->flags & ARRAY_DESCRIPTOR ? 8 : 0, 2);
    add(out, m->flags & ARRAY_DEFLATED ? 8 : 0, 2);
    add(out, 0, 4); /* time */
    add(out, known ? m->crc : 0, 4);
    add(out, zip64 ? UINT32_MAX : known ? m->packed : 0, 4);
    add(out, zip64 ? UINT32_MAX : known ? m->size : 0, 4);
    add(out, strlen(m->name), 2);
}

static void add_local(struct buf *out, const struct member *m)
{
    bool known = !(m->flags & ARRAY_DESCRIPTOR), zip64 = m->flags & ARRAY_ZIP64;
    add(out, 0x04034b50, 4);
    add_common(out, m, known);
    add(out, zip64 ? 20 : 0, 2);
    buf_puts(out, m->name);
    if (zip64) {
        add(out, 1, 2);
        add(out, 16, 2);
        add(out, known ? m->size : 0, 8);
        add(out, known ? m->packed : 0, 8);
    }
}

static void add_central(struct buf *out, const struct member *m, uint64_t offset)
{
    bool zip64 = m->flags & ARRAY_ZIP64;
    add(out, 0x02014b50, 4);
    add(out, 45, 2);
    add_common(out, m, true);
    add(out, zip64 ? 28 : 0, 2);
    add(out, 0, 10); /* comment, disk, attributes */
    add(out, zip64 ? UINT32_MAX : offset, 4);
    buf_puts(out, m->name);
    if (zip64) {
        add(out, 1, 2);
        add(out, 24, 2);
        add(out, m->size, 8);
        add(out, m->packed, 8);
        add(out, offset, 8);
    }
}

void array_zip_add(struct array_zip *z, const char *name, const void *data, size_t len,
                   unsigned flags)
{
    struct buf body = {0};
    if (flags & ARRAY_DEFLATED)
        deflate_to(&body, data, len);
    else
        buf_append(&body, data, len);
    struct member m = {name, flags, crc32(0, data, (uInt)len), body.len, len};
    z->local = z->bytes.len;
    z->central = z->directory.len;
    add_local(&z->bytes, &m);
    buf_append(&z->bytes, body.data, body.len);
    if (flags & ARRAY_DESCRIPTOR) {
        if (!(flags & ARRAY_NO_SIGNATURE))
            add(&z->bytes, 0x08074b50, 4);
        add(&z->bytes, m.crc, 4);
        add(&z->bytes, m.packed, flags & ARRAY_ZIP64 ? 8 : 4);
        add(&z->bytes, m.size, flags & ARRAY_ZIP64 ? 8 : 4);
    }
    add_central(&z->directory, &m, z->local);
    z->count++;
    z->zip64 |= (flags & ARRAY_ZIP64) != 0;
    buf_finish(&body);
}

void array_zip_end(struct array_zip *z)
{
    struct buf *out = &z->bytes;
    uint64_t offset = out->len, size = z->directory.len;
    buf_append(out, z->directory.data, z->directory.len);
    if (z->zip64) {
        uint64_t at = out->len;
        add(out, 0x06064b50, 4);
        add(out, 44, 8);
        add(out, 45 | 45 << 16, 4);
        add(out, 0, 8); /* disks */
        add(out, z->count, 8);
        add(out, z->count, 8);
        add(out, size, 8);
        add(out, offset, 8);
        add(out, 0x07064b50, 4);
        add(out, 0, 4);
        add(out, at, 8);
        add(out, 1, 4);
    }
    add(out, 0x06054b50, 4);
    add(out, 0, 4);
    add(out, z->zip64 ? 0xffff : z->count, 2);
    add(out, z->zip64 ? 0xffff : z->count, 2);
    add(out, z->zip64 ? UINT32_MAX : size, 4);
    add(out, z->zip64 ? UINT32_MAX : offset, 4);
    add(out, 0, 2);
}

void array_zip_finish(struct array_zip *z)
{
    buf_finish(&z->bytes);
    buf_finish(&z->directory);
    *z = (struct array_zip){0};
}
