/* From source files to samples in memory, checked against each other. */
#ifndef WORKER_DATA_DECODE_H
#define WORKER_DATA_DECODE_H

#include "worker/data/samples.h"
#include "worker/data/source.h"

struct decoded {
    struct samples samples; /* the training files, in the memory below */
    void *values;
    uint16_t *labels;
};

/* Reads all files of the source; the test files are checked and hashed, not kept. samples.hash is
 * the SHA-256 of type, shapes, values and labels of both. ERR_DATA, ERR_IO or ERR_LIMIT, the
 * message names the file. */
int decode_source(const struct source *s, struct decoded *out, struct errbuf *err);
void decode_finish(struct decoded *d);

#endif
