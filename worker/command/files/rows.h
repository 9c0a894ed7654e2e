/* A file that a library writes while its program runs, as the rows of a training log. */
#ifndef WORKER_COMMAND_FILES_ROWS_H
#define WORKER_COMMAND_FILES_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/command.h"
#include "sweep/training_log.h"
#include "worker/command/metrics_line.h"

struct errbuf;

#define ROWS_BYTES_MAX ((size_t)64 << 20) /* of a file */

struct file_rows {
    struct training_log *log;
    size_t step, epoch, run; /* columns; SIZE_MAX: there is none */
    size_t other_step;       /* that counts in another unit: Keras's batches beside its epochs */
    const char *epoch_name;  /* under which epochs are counted; borrowed from the configuration */
    bool uncounted;          /* its count says nothing: set by who has seen that */
    bool has_metric;         /* that the sweep ranks by, or one of its curves */
    bool wanted;             /* that, or another measure beside a count of epochs or steps */
};

/* ended: nobody writes it any more; else a last line that has no end yet is left. 0, or an error of
 * its reader; out is empty then. */
int file_rows_read(const char *path, bool ended, const struct command_config *c,
                   struct file_rows *out, struct errbuf *err);
void file_rows_finish(struct file_rows *r);

/* What the row's points are in order of: its step, else its epoch; NaN: it says neither. */
double file_row_axis(const struct file_rows *r, size_t row);
/* Is the row of the training that was begun last, and counted as the others are? One file may have
 * those of earlier attempts. */
bool file_row_is_ours(const struct file_rows *r, size_t row);
/* Adds the row's numbers; of a name that is there the later value counts. */
void file_row_add(const struct file_rows *r, size_t row, struct metrics_line *out);

#endif
