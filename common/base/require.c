#include "sweep/require.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void require_failed(const char *expr, const char *file, int line)
{
    fprintf(stderr, "%s:%d: required: %s\n", file, line, expr);
    abort();
}
