#include "client/proto.h"

#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };

static void put_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_putc(out, (char)(unsigned char)(v | 0x80));
    buf_putc(out, (char)(unsigned char)v);
}

static void put_tag(struct buf *out, unsigned field, enum wire wire)
{
    put_varint(out, (uint64_t)field << 3 | (unsigned)wire);
}

void proto_int(struct buf *out, unsigned field, int64_t v)
{
    put_tag(out, field, WIRE_VARINT);
    put_varint(out, (uint64_t)v);
}

void proto_little_endian(struct buf *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_putc(out, (char)(unsigned char)(v >> 8 * i));
}

void proto_float(struct buf *out, unsigned field, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_tag(out, field, WIRE_FIXED32);
    proto_little_endian(out, bits, 4);
}

void proto_double(struct buf *out, unsigned field, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_tag(out, field, WIRE_FIXED64);
    proto_little_endian(out, bits, 8);
}

void proto_bytes(struct buf *out, unsigned field, const void *bytes, size_t len)
{
    put_tag(out, field, WIRE_LENGTH);
    put_varint(out, len);
    if (len > 0)
        buf_append(out, bytes, len);
}

void proto_text(struct buf *out, unsigned field, const char *text)
{
    proto_bytes(out, field, text, strlen(text));
}

void proto_message(struct buf *out, unsigned field, struct buf *m)
{
    proto_bytes(out, field, m->data, m->len);
    buf_finish(m);
}

void proto_ints(struct buf *out, unsigned field, const int64_t *v, size_t count)
{
    struct buf packed = {0};
    for (size_t i = 0; i < count; i++)
        put_varint(&packed, (uint64_t)v[i]);
    proto_message(out, field, &packed);
}
