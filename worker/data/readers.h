/* A part of a source, in whichever format: a new one is its reader and a row in readers.c. */
#ifndef WORKER_DATA_READERS_H
#define WORKER_DATA_READERS_H

#include "worker/data/samples.h"
#include "worker/data/source.h"
#include "worker/data/table.h"

struct reading {
    const struct source *source;
    const struct spec_data *data;
    struct table_columns *columns; /* of the training part's file: the others have them too */
};

/* Count 0 where the source has no such part. Errors as decode_source (decode.h). */
int read_part(struct reading *r, enum samples_part part, struct table *out, struct errbuf *err);

#endif
