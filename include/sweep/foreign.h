/* Files that are neither text nor of a format that is read here, told by how they begin: an error
 * names what the file is, and what can be done with it. */
#ifndef SWEEP_FOREIGN_H
#define SWEEP_FOREIGN_H

#include <stddef.h>

struct foreign {
    const char *what;   /* "a Parquet file" */
    const char *advice; /* "save it as CSV: pandas.read_parquet(FILE).to_csv(…)" */
};

/* NULL: nothing that is known. Files that are read here are among them too (NPY, IDX, …): ask only
 * where text is wanted. */
const struct foreign *foreign_find(const void *bytes, size_t len);

#endif
