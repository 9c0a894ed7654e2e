/* From source files to samples in memory, checked against each other. */
#ifndef WORKER_DATA_DECODE_H
#define WORKER_DATA_DECODE_H

#include "worker/data/classes.h"
#include "worker/data/samples.h"
#include "worker/data/source.h"
#include "worker/data/table.h"

struct decoded {
    struct samples samples; /* all parts, in the memory below */
    void *values;
    uint16_t *labels;
    float *targets;
    char target[sizeof((struct table *)0)->target]; /* the file's own name for it */
    struct notes notes; /* what was inferred */
    struct classes *classes; /* what the labels were; owned */
    char *schema;       /* schema.h; owned; of decode_source alone */
};

/* Reads all files of the source and joins them. samples.hash is the SHA-256 of sizes, targets and
 * values. ERR_DATA, ERR_IO, ERR_LIMIT or ERR_MISSING; err has key and value of the configuration
 * and the message names the file. */
int decode_source(const struct source *s, const struct spec_data *d, struct decoded *out,
                  struct errbuf *err);
void decode_finish(struct decoded *d);

/* The second half of decode_source: the tables of the parts, count 0 where there is none, become
 * samples of one type (bytes beside floats become the 0..1 that they stand for). On success their
 * values are taken over; table_finish is the caller's in any case.
 *
 * The training file decides for all whether targets are classes (classes.h); labels of several
 * numbers a sample are one for each of its steps. The sorted labels become 0, 1, …; those of IDX
 * files stay as they are. */
int decode_tables(const struct source *s, const struct spec_data *d,
                  struct table tables[PART_COUNT], struct decoded *out, struct errbuf *err);

#endif
