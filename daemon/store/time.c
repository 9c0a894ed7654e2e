#include "daemon/store/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

void store_time_format(utc_us t, char out[STORE_TIME_SIZE])
{
    time_t seconds = (time_t)(t / 1000000);
    struct tm tm;
    size_t n = 0;

    if (gmtime_r(&seconds, &tm))
        n = strftime(out, STORE_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(out + n, STORE_TIME_SIZE - n, ".%03d", (int)(t % 1000000 / 1000));
}

static int digits(const char *at, size_t count)
{
    int n = 0;
    for (size_t i = 0; i < count; i++)
        n = 10 * n + (at[i] - '0');
    return n;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar: counted from March, so that the day a
 * leap year has more is the last. */
static int64_t days_from(int year, int month, int day)
{
    int from_march = (month + 9) % 12;
    int64_t y = year - (month < 3);
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* As store_time_format has it: a start reads three for each run. */
static bool parse_own(const char *text, utc_us *out)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd.ddd";
    size_t i = 0;
    while (shape[i] != '\0' && (shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9'
                                                : text[i] == shape[i]))
        i++;
    if (shape[i] != '\0' || text[i] != '\0')
        return false;
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    int64_t days = days_from(year, month, day);
    int64_t minutes = 60 * digits(text + 11, 2) + digits(text + 14, 2);
    int64_t seconds = 86400 * days + 60 * minutes + digits(text + 17, 2);
    *out = 1000000 * seconds + 1000 * digits(text + 20, 3);
    return true;
}

/* As another program may have written it; a time before 1970 has its milliseconds with a sign. */
static utc_us parse_any(const char *text)
{
    struct tm tm = {0};
    int ms = 0;

    if (sscanf(text, "%d-%d-%d %d:%d:%d.%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &ms) < 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (utc_us)timegm(&tm) * 1000000 + ms * 1000;
}

utc_us store_time_parse(const char *text)
{
    utc_us t;
    if (text == NULL)
        return 0;
    return parse_own(text, &t) ? t : parse_any(text);
}

utc_us store_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (utc_us)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
