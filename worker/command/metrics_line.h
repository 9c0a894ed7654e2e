/* One line of metrics as programs write them: a JSON object, of which the numbers count. Beside
 * JSON's numbers: NaN, Infinity and -Infinity as Python writes them, and "nan", "inf", "+inf",
 * "-inf", "infinity" as text, in any case. */
#ifndef WORKER_COMMAND_METRICS_LINE_H
#define WORKER_COMMAND_METRICS_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/err.h"
#include "sweep/metrics.h"

#define METRICS_LINE_MAX 65536 /* bytes, without '\n' */
#define METRICS_LINE_VALUES 256

struct metrics_line {
    size_t count;
    size_t left_out; /* numbers past METRICS_LINE_VALUES, or with a name that is none */
    struct metric_value values[METRICS_LINE_VALUES];
};

/* False: not a line of metrics; why says what is wrong with it, and out is undefined then. */
bool metrics_line_read(const char *line, size_t len, struct metrics_line *out,
                       struct errbuf *why);
/* The value of that name, NULL: not in the line. */
const struct metric_value *metrics_line_find(const struct metrics_line *l, const char *name);

#endif
