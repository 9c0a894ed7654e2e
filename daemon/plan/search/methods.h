/* The table rows of search.c: one method a file. A new method is a row of METHOD_MAP (spec.h), a
 * declaration here, and its row in search.c. */
#ifndef SWEEPD_SEARCH_METHODS_H
#define SWEEPD_SEARCH_METHODS_H

#include "daemon/plan/search/search.h"

extern const struct search_method search_coarse_to_fine;
extern const struct search_method search_grid;
extern const struct search_method search_random;

#endif
