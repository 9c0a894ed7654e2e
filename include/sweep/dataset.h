/* Data sets found by name: folders below DIR/datasets for DIR in $XDG_DATA_HOME and
 * $XDG_DATA_DIRS that hold the four IDX files of the MNIST layout (plain or .gz). */
#ifndef SWEEP_DATASET_H
#define SWEEP_DATASET_H

#include <stddef.h>

#define DATASET_MAX 256

struct errbuf;

struct dataset {
    char name[128];
    char path[1024];  /* its folder */
    char format[16];  /* "idx" */
};

/* All that are found, by name; at most max are written. Returns the number written. */
size_t dataset_list(struct dataset *out, size_t max);
/* By name. ERR_NOT_FOUND with key "$.data.name", the names there are and a near miss. */
int dataset_find(const char *name, struct dataset *out, struct errbuf *err);

#endif
