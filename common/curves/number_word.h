/* Numbers as they stand in logs: decimal ones, and the words for what is not finite. */
#ifndef COMMON_CURVES_NUMBER_WORD_H
#define COMMON_CURVES_NUMBER_WORD_H

#include <stddef.h>

/* Bytes of the number that text begins with: 0.5 -.5 +1e-3 nan -inf Infinity; 0: none. A word is
 * only one if no letter, digit or _ follows. */
size_t number_word(const char *text, size_t len, double *out);

#endif
