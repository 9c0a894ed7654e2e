/* What a regular expression costs to compile: glibc writes repetitions out, x{3} as xxx and x+ as
 * xx*, also those of groups that hold others, so that a few bytes can ask for all memory. */
#ifndef SWEEP_PATTERN_SIZE_H
#define SWEEP_PATTERN_SIZE_H

#include <stdbool.h>
#include <stddef.h>

/* Characters, sets and groups of a POSIX extended regular expression with its repetitions written
 * out; at most `most` + 1, which stands for all that is more. */
size_t pattern_size(const char *pattern, size_t most);
/* Whether it refers back to a group (\1), which makes matching exponential. */
bool pattern_refers_back(const char *pattern);

#endif
