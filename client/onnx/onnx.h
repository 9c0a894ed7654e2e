/* A network as an ONNX file (opset 17), its scaling inside: `input` takes samples as the data's
 * file has them, `output` gives what the exported torch module gives, and `probabilities`, where a
 * cross-entropy taught them. The metadata hold what the weights file's do
 * (sweep/preprocessing.h). */
#ifndef SWEEPCTL_ONNX_H
#define SWEEPCTL_ONNX_H

#include <stddef.h>

#include "sweep/model.h"
#include "sweep/shape.h"

struct buf;
struct errbuf;
struct json;
struct preprocessing;

struct onnx_model {
    const struct model_plan *plan;
    struct shape input; /* of one sample */
    size_t outputs;     /* of the output layer */
    const struct preprocessing *preprocessing; /* NULL: the weights do not tell */
    const char *preprocessing_text;            /* the same as text, or NULL */
    const struct json *header; /* of the weights file, whose tensors lie whole in … */
    const char *data;          /* … these bytes */
    size_t data_len;
    const char *title;
};

/* Appends the file. ERR_DATA when the plan is not that of the weights; ERR_LIMIT when it is over 2
 * GiB, which protobuf does not allow. */
int onnx_write(const struct onnx_model *m, struct buf *out, struct errbuf *err);

#endif
