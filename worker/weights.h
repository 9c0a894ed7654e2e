/* Weights of a network as a safetensors file (github.com/huggingface/safetensors): 8 bytes
 * little-endian header length, a JSON header, the numbers. Tensors carry the names that a
 * torch.nn.Sequential of the same layers gives them: "0.weight" [out,in], "0.bias" [out],
 * "2.weight" … */
#ifndef WORKER_WEIGHTS_H
#define WORKER_WEIGHTS_H

#include "worker/nn/net.h"

struct errbuf;
struct buf;

/* The first part: length and JSON header, padded with blanks so that the numbers lie on 8 bytes. */
void weights_header(const struct net *n, struct buf *out);
/* parameters: n->parameters or a copy of it. The file appears complete or not at all. */
int weights_write(const char *path, const struct net *n, const real *parameters,
                  struct errbuf *err);

#endif
