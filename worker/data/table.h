/* What a reader makes of one file, before it is cached: features, targets, nothing scaled. */
#ifndef WORKER_DATA_TABLE_H
#define WORKER_DATA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/shape.h"
#include "sweep/trainer.h"
#include "worker/data/notes.h"
#include "worker/data/samples.h"

#define TABLE_NUMBERS_MAX ((size_t)1 << 36) /* features of all samples */

struct errbuf;

struct table {
    enum samples_type type;
    size_t count;           /* samples */
    struct shape shape;     /* of one */
    void *values;           /* [count, shape]: uint8_t or float; owned */
    char target[160];       /* the file's own name for what is predicted; "": it has none */
    size_t outputs;         /* targets of a sample; 0: the file has none (npy features) */
    double *targets;        /* [count, outputs]; class numbers or values; owned */
    size_t class_names;     /* text labels: how many; 0: targets are numbers */
    char (*class_name)[64]; /* owned; sorted, so that the number of a class is its place */
    struct notes notes;     /* of a training file */
};

void table_finish(struct table *t);

/* What the training file decided, for the files that are read after it: names, which columns are
 * categorical and what their categories are, the classes. Opaque but to its reader; owned. */
struct table_columns;
void table_columns_destroy(struct table_columns *c);

/* CSV (RFC 4180: quoted fields, CRLF) or TSV. Header: as told, or there is one when no field of
 * the first line is a number. The target column by name or number (from 1), "" the last. A column
 * with any text in it is categorical, one-hot encoded in the order of the sorted categories; empty
 * fields, nan and inf are holes (NaN, ±Inf) in numeric columns and an error in a target. Plain or
 * gzip.
 * columns: *columns NULL: decided from this file and given back; else followed. ERR_DATA names
 * path, line and column, what is there and what is allowed. */
int csv_read(const char *path, const struct spec_data *d, struct table_columns **columns,
             struct table *out, struct errbuf *err);
/* "label index:value …", indices from 1, ascending; as many features as the largest index of the
 * training file (a larger one elsewhere is an error). '#' starts a comment. */
int libsvm_read(const char *path, const struct spec_data *d, struct table_columns **columns,
                struct table *out, struct errbuf *err);
/* One array, features[count, …] of rank 2 to 4 (a rank of 1 is one feature); its targets are in
 * target_path (rank 1, or 2). Little- or big-endian, C or Fortran order, any integer, boolean or
 * float type; u1 stays bytes. [N,H,W] with values u1 is an image of one channel; else [N, steps,
 * features]; [N,C,H,W] an image. */
int npy_read(const char *path, const char *target_path, struct table *out, struct errbuf *err);
/* A zip of arrays, stored or deflated: x and y (or data and target, or `target` by name) in one
 * file; or x_train, y_train, x_val, y_val, x_test, y_test. part: "train", "val" or "test"; a
 * part that is not there is ERR_NOT_FOUND. */
int npz_read(const char *path, const struct spec_data *d, const char *part, struct table *out,
             struct errbuf *err);
/* Of new rows: no targets, whether or not the file has some; an only array has any name. */
int npz_read_features(const char *path, const struct spec_data *d, struct table *out,
                      struct errbuf *err);

#endif
