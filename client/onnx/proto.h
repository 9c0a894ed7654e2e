/* Protocol buffers (protobuf.dev/programming-guides/encoding), as far as ONNX files need them:
 * fields of whole numbers, floats, bytes and messages within. */
#ifndef SWEEPCTL_ONNX_PROTO_H
#define SWEEPCTL_ONNX_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

void proto_int(struct buf *out, unsigned field, int64_t v);
void proto_float(struct buf *out, unsigned field, float v);
void proto_bytes(struct buf *out, unsigned field, const void *bytes, size_t len);
void proto_text(struct buf *out, unsigned field, const char *text);
/* A message within, whose bytes are in m; m is emptied. */
void proto_message(struct buf *out, unsigned field, struct buf *m);
/* Numbers of a repeated field, packed. */
void proto_ints(struct buf *out, unsigned field, const int64_t *v, size_t count);

#endif
