/* The environment that worker processes get: one BLAS thread (a program: its share of the cores),
 * the core type that the kernel check chose, the nice value that they take; and of ours what they
 * need. Programs of one's own get all of ours (docs/protocol.md). */
#ifndef SWEEPD_ENVIRONMENT_H
#define SWEEPD_ENVIRONMENT_H

#include <stdbool.h>

struct environment_choice {
    const char *core_type; /* NULL or "": OPENBLAS_CORETYPE is left out, the library chooses */
    int nice;
    bool whole; /* of ours all, not only what is on the list */
    unsigned threads; /* that a run may use; 0 is 1 */
};

/* NULL-terminated, never NULL; environment_destroy. */
char **environment_create(const struct environment_choice *c);
void environment_destroy(char **environment);

#endif
