/* Protocol buffers (protobuf.dev/programming-guides/encoding), as far as files of other programs
 * need them: fields of numbers, bytes and messages within. */
#ifndef SWEEPCTL_PROTO_H
#define SWEEPCTL_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

void proto_int(struct buf *out, unsigned field, int64_t v);
void proto_float(struct buf *out, unsigned field, float v);
void proto_double(struct buf *out, unsigned field, double v);
void proto_bytes(struct buf *out, unsigned field, const void *bytes, size_t len);
void proto_text(struct buf *out, unsigned field, const char *text);
/* A message within, whose bytes are in m; m is emptied. */
void proto_message(struct buf *out, unsigned field, struct buf *m);
/* Numbers of a repeated field, packed. */
void proto_ints(struct buf *out, unsigned field, const int64_t *v, size_t count);

/* The number's lowest bytes, without a field. */
void proto_little_endian(struct buf *out, uint64_t v, int bytes);

#endif
