/* A point as a client reports it: {"epoch": 3, "val_loss": 0.41, "f1": 0.8}. Names that mean a
 * column of the curve (sweep/curve_title.h) fill it, and every number is a metric under its own
 * name. */
#ifndef SWEEP_REPORTED_POINT_H
#define SWEEP_REPORTED_POINT_H

struct errbuf;
struct json;
struct point_metrics;

/* The object at path (a JSON path). *out is owned by the caller: free(); its point has an epoch, or
 * the "step" in its place, above 0, and no number yet. 0 or an error that names the member. */
int reported_point_parse(const struct json *v, const char *path, struct point_metrics **out,
                         struct errbuf *err);

#endif
