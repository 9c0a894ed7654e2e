/* Values of a point under names that the program chose, beside the known columns of a curve: any
 * number a program reports, so any name can rank a sweep. They travel in the line of their point:
 * "metrics":{"val/loss":0.41,"perplexity":"+inf"}, and are rows of table metrics. */
#ifndef SWEEP_METRICS_H
#define SWEEP_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"

#define METRICS_MAX 64 /* of one point */

struct metric_value {
    char name[METRIC_NAME_MAX + 1];
    double value; /* may be NaN, ±Inf; what was not measured is not there */
};

struct point_metrics {
    struct point at;  /* the point they belong to, with its known columns */
    size_t count;
    struct metric_value values[]; /* in the order of the line; each name once */
};

struct errbuf;
struct json;
struct json_writer;

/* Room for count values, none of them set; free(). */
struct point_metrics *metrics_create(const struct point *at, size_t count);
/* 1 to METRIC_NAME_MAX bytes of UTF-8 without control characters. */
bool metric_name_valid(const char *name);
/* The object {"name": value, …}; nothing else may come from values[] than valid names. */
void metrics_write(const struct point_metrics *m, struct json_writer *w);
/* Reads the object back. *out is owned by the caller: free(); NULL where there are none. 0 or an
 * error naming the member. */
int metrics_parse(const struct json *v, const struct point *at, struct point_metrics **out,
                  struct errbuf *err);

/* The value that a name stands for at a point: the column of METRIC_MAP's name, else the metric of
 * that name. m: the point's own, NULL: it has none. False: not measured there. */
bool point_value(const struct point *p, const struct point_metrics *m, const char *name,
                 double *out);

#endif
