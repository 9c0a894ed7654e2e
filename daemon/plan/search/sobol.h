/* The sequence itself, and its points in a study's space. */
#ifndef SWEEPD_SEARCH_SOBOL_H
#define SWEEPD_SEARCH_SOBOL_H

#include <stddef.h>
#include <stdint.h>

/* Number index (from 0) of a dimension (from 0), unscrambled, as a fraction of 2^32. Gray code
 * order, as Antonov and Saleev (1979) have it. */
uint32_t sobol_number(size_t dimension, uint32_t index);

struct assignment;
struct study;
/* Point number index, scrambled by the study's seed. */
void sobol_draw(const struct study *st, uint32_t index, struct assignment *a);

#endif
