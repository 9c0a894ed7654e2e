/* Which column of its file a number of a sample comes from. */
#ifndef WORKER_DATA_FEATURE_NAMES_H
#define WORKER_DATA_FEATURE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/data/columns.h"
#include "worker/data/samples.h"

#define FEATURE_PLACE_MAX 120

struct feature_names {
    struct table_columns *columns; /* NULL: the data is no table; owned */
    uint32_t *column;              /* [features] its column from 0; NULL likewise; owned */
};

/* From the schema of the samples; without one features are their own columns. */
void feature_names_init(struct feature_names *n, const struct samples *s);
void feature_names_finish(struct feature_names *n);
/* Number of the column from 1. */
int64_t feature_column(const struct feature_names *n, size_t feature);
/* `column 5 (c)`; returns out. */
const char *feature_place(const struct feature_names *n, size_t feature,
                          char out[FEATURE_PLACE_MAX]);
/* The feature before comes from the same column: both are categories of it. */
bool feature_goes_on(const struct feature_names *n, size_t feature);
/* Its column has more than one category. */
bool feature_is_category(const struct feature_names *n, size_t feature);

#endif
