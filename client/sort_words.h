/* The columns that `sweepctl runs --sort` knows. */
#ifndef SWEEPCTL_SORT_WORDS_H
#define SWEEPCTL_SORT_WORDS_H

#include <stddef.h>

const char *sort_word(size_t i); /* NULL behind the last */

#endif
