#include "sweep/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/log_sink.h"
#include "sweep/buf.h"
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

/* sd-daemon(3) */
static const char *const priorities[] = {
    [LOG_ERROR] = "<3>", [LOG_WARN] = "<4>", [LOG_INFO] = "<6>", [LOG_DEBUG] = "<7>"};

void log_field(struct buf *out, const char *key, const char *value)
{
    bool quoted = *value == '\0' || strpbrk(value, " \"=\\") != NULL;
    buf_printf(out, "%s%s=%s", out->len > 0 ? " " : "", key, quoted ? "\"" : "");
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *p);
    }
    if (quoted)
        buf_putc(out, '"');
}

/* U+202A … U+202E and U+2066 … U+2069, which turn what follows around. */
static bool is_turn(const unsigned char *c)
{
    return c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
                            (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* The text may hold a peer's bytes: it must neither begin a second line nor talk to the
 * terminal. */
static void make_printable(char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        const unsigned char *c = (const unsigned char *)text + i;
        if (*c < 0x20 || *c == 0x7f)
            text[i] = ' ';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* C1: some terminals obey them */
            text[i] = text[i + 1] = ' ';
        else if (is_turn(c))
            text[i] = text[i + 1] = text[i + 2] = ' ';
    }
}

/* The journal has the time. A text that is itself logfmt goes on, another is the member msg. */
static size_t put_journal(char *line, size_t size, enum log_level level, const char *module,
                          const char *text)
{
    struct buf fields = {0};
    log_field(&fields, "module", module);
    if (strncmp(text, "event=", strlen("event=")) == 0)
        buf_printf(&fields, " %s", text);
    else
        log_field(&fields, "msg", text);
    snprintf(line, size, "%s%s", priorities[level], fields.data);
    buf_finish(&fields);
    return strlen(line);
}

static bool put(enum log_level level, const char *module, const char *text)
{
    char line[LINE_BYTES];
    size_t len;

    if (log_sink_is_journal()) {
        len = put_journal(line, sizeof(line) - 1, level, module, text);
    } else {
        len = put_prefix(line, sizeof(line), level, module);
        snprintf(line + len, sizeof(line) - len - 1, "%s", text);
        len += strlen(line + len);
    }
    line[len++] = '\n';
    return log_sink_put(line, len);
}

/* What was left out before is said before anything else is. */
static bool tell_lost(void)
{
    size_t lost = log_sink_lost();
    char said[64];

    if (lost == 0)
        return true;
    snprintf(said, sizeof(said), "%zu lines were left out: nobody read them", lost);
    if (!put(LOG_WARN, "log", said))
        return false;
    log_sink_told(lost);
    return true;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    char text[LINE_BYTES];
    va_list ap;
    int saved = errno;

    if (level > level_max)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text);
    if (tell_lost())
        put(level, module, text);
    errno = saved;
}
