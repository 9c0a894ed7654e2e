/* From a configuration's "data" to the files that hold it. */
#ifndef WORKER_DATA_SOURCE_H
#define WORKER_DATA_SOURCE_H

#include <stdbool.h>

#include "sweep/record.h"
#include "sweep/trainer.h"
#include "worker/data/samples.h"

/* A part's samples are in one file, or its features and its targets in one each. */
#define SOURCE_FILE_COUNT (2 * (size_t)PART_COUNT)
#define SOURCE_SAMPLES(part) (2 * (size_t)(part))
#define SOURCE_TARGETS(part) (2 * (size_t)(part) + 1)
_Static_assert(2 * PART_COUNT <= RECORD_SOURCES_MAX, "a prepared line has room for all");

struct source {
    enum format format;
    struct record_source files[SOURCE_FILE_COUNT]; /* path "" where there is none */
};

/* Finds and stats the files: those that are named, or with IDX those in the folders of the MNIST
 * layout that are named, where the first one's t10k files are the test part unless there is a
 * folder of its own for that. ERR_NOT_FOUND, ERR_IO or ERR_DATA; err names key and value
 * of the configuration. */
int source_find(const struct spec_data *d, struct source *out, struct errbuf *err);
/* The files that exist, without gaps, are exactly known[0..count): same paths, sizes, times. */
bool source_same(const struct source *s, const struct record_source *known, size_t count);
/* SHA-256 of all that decides what decoding makes of unchanged files: paths, format, task,
 * target, and how a table is written. Names the cache's link; no setting can change it. */
void source_hash(const struct source *s, const struct spec_data *d, char out[65]);

/* Gives an error about a file the key ("$.data.test_path") and value that the configuration has
 * for it, unless err has such a key already. file is a place in source.files. Returns rc. */
int source_blame(const struct source *s, const struct spec_data *d, size_t file, int rc,
                 struct errbuf *err);

#endif
