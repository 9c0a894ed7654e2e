/* Rows that a trained network is asked about: a file as those it was trained on, read by what is
 * known of their columns (schema.h). */
#ifndef WORKER_DATA_NEW_ROWS_H
#define WORKER_DATA_NEW_ROWS_H

#include "worker/data/table.h"

struct errbuf;
struct json;

/* Features in out->values; targets, where the file has any, mean nothing. A table's columns are
 * found by name, in any order, others and the target may be missing or there; without a header by
 * their places. schema: of the weights, or NULL. Errors as a training file's, which name path and
 * line. */
int new_rows_read(const char *path, const struct spec_data *d, const struct json *schema,
                  struct table *out, struct errbuf *err);

#endif
