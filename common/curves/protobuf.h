/* The wire format of protocol buffers: the fields of a message, one after the other. */
#ifndef COMMON_CURVES_PROTOBUF_H
#define COMMON_CURVES_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_bytes {
    const unsigned char *at;
    size_t len;
};

struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t value;        /* of PB_VARINT, PB_FIXED64 and PB_FIXED32 */
    struct pb_bytes bytes; /* of PB_BYTES, inside the message */
};

/* Takes the next field off the message's front. 1, 0 at its end, -1: these bytes are none. */
int pb_next(struct pb_bytes *message, struct pb_field *out);
/* Takes a varint off the front of packed ones; false: there is none. */
bool pb_varint(struct pb_bytes *in, uint64_t *out);

uint64_t little_endian(const unsigned char *at, size_t bytes); /* at most 8 */
double double_of_bits(uint64_t bits);
double float_of_bits(uint32_t bits);

#endif
