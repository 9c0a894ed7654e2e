#include "common/curves/protobuf.h"

#include <string.h>

bool pb_varint(struct pb_bytes *in, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < in->len && i < 10; i++) {
        value |= (uint64_t)(in->at[i] & 0x7F) << (7 * i);
        if (in->at[i] & 0x80)
            continue;
        in->at += i + 1;
        in->len -= i + 1;
        *out = value;
        return true;
    }
    return false;
}

static bool take(struct pb_bytes *in, uint64_t len, struct pb_bytes *out)
{
    if (len > in->len)
        return false;
    *out = (struct pb_bytes){in->at, (size_t)len};
    in->at += len;
    in->len -= (size_t)len;
    return true;
}

int pb_next(struct pb_bytes *message, struct pb_field *out)
{
    uint64_t key = 0, len = 0;
    struct pb_bytes fixed = {0};
    if (message->len == 0)
        return 0;
    if (!pb_varint(message, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
        return -1;
    *out = (struct pb_field){.number = (uint32_t)(key >> 3), .wire = key & 7};
    switch (key & 7) {
    case PB_VARINT:
        return pb_varint(message, &out->value) ? 1 : -1;
    case PB_BYTES:
        return pb_varint(message, &len) && take(message, len, &out->bytes) ? 1 : -1;
    case PB_FIXED64:
    case PB_FIXED32:
        if (!take(message, (key & 7) == PB_FIXED64 ? 8 : 4, &fixed))
            return -1;
        out->value = little_endian(fixed.at, fixed.len);
        return 1;
    default: /* groups are of no use since 2008 */
        return -1;
    }
}

uint64_t little_endian(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

double float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}
