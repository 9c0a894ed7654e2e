#include "daemon/launch/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/require.h"

/* Runs are the unit of parallelism: one BLAS thread each, which also gives the same bits every
 * time (two threads do not). */
static const char *const replaced[] = {
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_CORETYPE",
    "SWEEPD_WORKER_NICE",
    /* between a service manager and us */
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};

/* What a trainer may know of ours; a '*' ends the beginning of names. Keys, tokens and the ways to
 * other services are not among it. */
static const char *const passed[] = {
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS", /* data sets by name, and their cache */
    "OPENBLAS_*",
    "OMP_*",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_*",
    "GLIBC_TUNABLES",
    "ASAN_OPTIONS",
    "LSAN_OPTIONS",
    "UBSAN_OPTIONS",
    "TSAN_OPTIONS",
    "LLVM_PROFILE_FILE",
    "SWEEPD_*",
};

static bool matches(const char *entry, const char *pattern)
{
    size_t len = strcspn(entry, "="), want = strlen(pattern);
    if (want > 0 && pattern[want - 1] == '*')
        return len >= want - 1 && strncmp(entry, pattern, want - 1) == 0;
    return len == want && strncmp(entry, pattern, want) == 0;
}

static bool is_listed(const char *entry, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (matches(entry, patterns[i]))
            return true;
    }
    return false;
}

char **environment_create(const struct environment_choice *c)
{
    size_t count = 0, n = 0;
    while (environ[count])
        count++;
    char **out = xcalloc(count + ARRAY_LEN(replaced) + 1, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(environ[i], replaced, ARRAY_LEN(replaced)) &&
            (c->whole || is_listed(environ[i], passed, ARRAY_LEN(passed))))
            out[n++] = xstrdup(environ[i]);
    }
    unsigned threads = c->threads > 0 ? c->threads : 1;
    out[n++] = xasprintf("OPENBLAS_NUM_THREADS=%u", threads);
    out[n++] = xasprintf("OMP_NUM_THREADS=%u", threads);
    out[n++] = xasprintf("SWEEPD_WORKER_NICE=%d", c->nice);
    if (c->core_type && c->core_type[0])
        out[n++] = xasprintf("OPENBLAS_CORETYPE=%s", c->core_type);
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
