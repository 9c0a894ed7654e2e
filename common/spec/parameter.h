/* One member of "parameters", as it was found, and the forms that it may have. Private to
 * parameters.c and parameter_forms.c. */
#ifndef SWEEP_COMMON_SPEC_PARAMETER_H
#define SWEEP_COMMON_SPEC_PARAMETER_H

#include "common/spec/part.h"

struct parameter {
    const struct task_kind *task;
    char path[FIELD_PATH_MAX];
    struct dimension dimension; /* name, type, role and key; the values come last */
    const struct json *object, *value, *values, *probabilities, *min, *max, *q, *mu, *sigma, *a, *b;
    const struct json *given;       /* "distribution"; NULL: to be derived */
    const struct json *role;        /* NULL: the one that its name has */
    enum spelled_ends ends;         /* both valid when given */
    enum distribution distribution;
};

/* "distribution" is one whose shape is a bell or a beta. */
bool parameter_is_curve(const struct parameter *p);
int parameter_refuse(const struct parameter *p, int code, const char *key, const struct json *v,
                     const char *allowed, struct errbuf *err);
/* The value, values or range of a parameter whose keys were checked, into the space. */
int parameter_take(struct parameter *p, struct spec *s, struct errbuf *err);

#endif
