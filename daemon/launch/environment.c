#include "daemon/launch/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"

/* Runs are the unit of parallelism: one BLAS thread each, which also gives the same bits every
 * time (two threads do not). */
static const char *const replaced[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS",
                                       "GOTO_NUM_THREADS", "OPENBLAS_CORETYPE"};

static bool is_replaced(const char *entry)
{
    size_t len = strcspn(entry, "=");
    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
        if (strlen(replaced[i]) == len && strncmp(replaced[i], entry, len) == 0)
            return true;
    }
    return false;
}

char **environment_create(const char *core_type)
{
    size_t count = 0, n = 0;
    while (environ[count])
        count++;
    char **out = xcalloc(count + 4, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        if (!is_replaced(environ[i]))
            out[n++] = xstrdup(environ[i]);
    }
    out[n++] = xstrdup("OPENBLAS_NUM_THREADS=1");
    out[n++] = xstrdup("OMP_NUM_THREADS=1");
    if (core_type && core_type[0])
        out[n++] = xasprintf("OPENBLAS_CORETYPE=%s", core_type);
    return out;
}

void environment_destroy(char **environment)
{
    if (!environment)
        return;
    for (size_t i = 0; environment[i]; i++)
        free(environment[i]);
    free(environment);
}
