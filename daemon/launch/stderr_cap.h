/* A worker's stderr is kept, but not all that it may say: the beginning and the end of it. */
#ifndef SWEEPD_STDERR_CAP_H
#define SWEEPD_STDERR_CAP_H

#include <stdint.h>

#define STDERR_CAP_BYTES (4 << 20)  /* a file beyond this is cut … */
#define STDERR_KEPT_BYTES (1 << 20) /* … to its first and last so many */

/* While the worker writes on: it appends, wherever the end is. */
void stderr_cap(const char *runs_dir, int64_t run_id);

#endif
