/* From a configuration's "data" to the files that hold it. */
#ifndef WORKER_DATA_SOURCE_H
#define WORKER_DATA_SOURCE_H

#include <stdbool.h>

#include "sweep/record.h"
#include "sweep/spec.h"

/* Files of the MNIST layout, in this order in struct source. */
enum source_file {
    SOURCE_TRAIN_IMAGES,
    SOURCE_TRAIN_LABELS,
    SOURCE_TEST_IMAGES,
    SOURCE_TEST_LABELS,
    SOURCE_FILE_COUNT
};

struct source {
    char folder[SPEC_PATH_MAX];
    struct record_source files[SOURCE_FILE_COUNT]; /* path "" where the file is absent */
};

/* What a message about this data names: "$.data.name" or "$.data.path", and its value. */
const char *source_key(const struct spec_data *d);
const char *source_value(const struct spec_data *d);
/* Finds and stats the files. The training files must be there, the test files both or neither.
 * ERR_NOT_FOUND, ERR_IO or ERR_DATA; err names key and value of the configuration. */
int source_find(const struct spec_data *d, struct source *out, struct errbuf *err);
/* The files that exist, without gaps, are exactly known[0..count): same paths, sizes, times. */
bool source_same(const struct source *s, const struct record_source *known, size_t count);

#endif
