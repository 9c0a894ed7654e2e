/* Weights of a network as a safetensors file (github.com/huggingface/safetensors): 8 bytes
 * little-endian header length, a JSON header, the numbers. Tensors carry the names that PyTorch
 * gives them in a torch.nn.Sequential of the same layers: "0.weight" [out,in], "0.bias" [out],
 * "2.body.1.running_mean" … Running means and variances are among them. The metadata tell the
 * input_shape ("[1, 28, 28]"), the number of outputs, and what both mean
 * (sweep/preprocessing.h). */
#ifndef WORKER_WEIGHTS_H
#define WORKER_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/nn/net.h"

struct errbuf;
struct buf;

/* The first part: length and JSON header with the hash of all (sweep/weights_hash.h), padded with
 * blanks so that the numbers lie on 8 bytes. values: n->values or a copy of them; preprocessing:
 * its text, or NULL. */
void weights_header(const struct net *n, const real *values, const char *preprocessing,
                    struct buf *out);
/* The file appears complete and durable, or not at all. ERR_IO. */
int weights_write(const char *path, const struct net *n, const real *values,
                  const char *preprocessing, struct errbuf *err);

/* Into values[n->value_count], from F32 or F64. Every tensor of the network must be in the file
 * with its shape, and no other but num_batches_tracked (PyTorch's, which we have no use for).
 * skip_output: unless all tensors of the output layer fit, it keeps what values has (G3.2). The
 * message names the tensor and both shapes. ERR_IO, ERR_DATA, ERR_LIMIT; values untouched then. */
int weights_read(const char *path, const struct net *n, bool skip_output, real *values,
                 struct errbuf *err);
/* What its metadata tell. ERR_IO, ERR_DATA, ERR_LIMIT. */
struct weights_told {
    struct shape input;  /* of one sample */
    size_t outputs;      /* numbers of the output layer */
    char *preprocessing; /* text (sweep/preprocessing.h), NULL: none; owned by the caller */
};
int weights_tell(const char *path, struct weights_told *out, struct errbuf *err);
/* Can it be read, and is it what was written? ERR_IO, ERR_DATA, ERR_LIMIT. */
int weights_check(const char *path, struct errbuf *err);
/* The same as weights_read from memory. */
int weights_decode(const unsigned char *bytes, size_t len, const struct net *n, bool skip_output,
                   real *values, struct errbuf *err);

#endif
