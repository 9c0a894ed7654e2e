#include "sweep/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sweep/require.h"

#define LINE_BYTES 2048 /* below PIPE_BUF, so that lines of several processes never mix */

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

/* Set once at the program's start, before any thread. */
static enum log_level level_max = LOG_INFO;

void log_set_level(enum log_level level)
{
    level_max = level;
}

int log_level_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (strcmp(level_names[i], name) == 0)
            return (int)i;
    return -1;
}

static size_t put_prefix(char *line, size_t size, enum log_level level, const char *module)
{
    struct timespec now;
    struct tm utc;
    size_t len;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    len = strftime(line, size, "%Y-%m-%d %H:%M:%S", &utc);
    n = snprintf(line + len, size - len, ".%03ldZ %-5s %.32s: ", now.tv_nsec / 1000000,
                 level_names[level], module);
    REQUIRE(n > 0);
    return len + (size_t)n;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    char line[LINE_BYTES];
    size_t start, len;
    va_list ap;
    int saved = errno;

    if (level > level_max)
        return;
    start = put_prefix(line, sizeof(line), level, module);
    va_start(ap, fmt);
    vsnprintf(line + start, sizeof(line) - start - 1, fmt, ap);
    va_end(ap);
    len = start + strlen(line + start);
    /* The text may hold a peer's bytes: it must neither begin a second line nor talk to the
     * terminal. */
    for (size_t i = start; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    line[len++] = '\n';
    while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
        ;
    errno = saved;
}
