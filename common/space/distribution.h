/* Shapes of distributions: from a share of what is drawn to a value, and back. Private to
 * common/space/. */
#ifndef SWEEP_COMMON_SPACE_DISTRIBUTION_H
#define SWEEP_COMMON_SPACE_DISTRIBUTION_H

struct dimension;

/* Of a dimension whose shape is SHAPE_NORMAL or SHAPE_BETA, cut to min … max: the value below which
 * the share u of all that is drawn lies. In [min, max] but for the last bits. */
double shape_value(const struct dimension *d, double u);
/* The share that lies below value, which is in [min, max]. */
double shape_share(const struct dimension *d, double value);

#endif
