/* NPZ archives in memory; npz_read is in worker/data/table.h. */
#ifndef WORKER_DATA_NPZ_H
#define WORKER_DATA_NPZ_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;
struct table;

struct npz_names {
    const char *features, *target;
    bool features_alone; /* targets are not read, and an only array is the features */
};

/* features, target: the arrays as the spec names them, "" for the usual ones; where one of these
 * has "train" in it, that stands for the part. part: "train", "val" or "test". ERR_NOT_FOUND: that
 * part is not there (of "train": ERR_DATA); out untouched. Messages name the array. */
int npz_decode(const unsigned char *bytes, size_t len, const struct npz_names *told,
               const char *part, struct table *out, struct errbuf *err);

#endif
