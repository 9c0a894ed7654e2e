/* NPZ archives in memory; npz_read is in worker/data/table.h. */
#ifndef WORKER_DATA_NPZ_H
#define WORKER_DATA_NPZ_H

#include <stddef.h>

struct errbuf;
struct table;

/* target: the targets' array as the spec names it, "" for the usual ones (y, target; with a part
 * y_train …). part: "train", "val" or "test". ERR_NOT_FOUND: that part is not there (of "train":
 * ERR_DATA); out untouched. Messages name the array. */
int npz_decode(const unsigned char *bytes, size_t len, const char *target, const char *part,
               struct table *out, struct errbuf *err);

#endif
