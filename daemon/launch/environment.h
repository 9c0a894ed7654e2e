/* The environment that worker processes get: ours, with one BLAS thread and the core type that
 * the kernel check chose. */
#ifndef SWEEPD_ENVIRONMENT_H
#define SWEEPD_ENVIRONMENT_H

/* NULL-terminated; core_type NULL or "": OPENBLAS_CORETYPE is left out, so that the library
 * chooses by itself. Never NULL; environment_destroy. */
char **environment_create(const char *core_type);
void environment_destroy(char **environment);

#endif
