#include "daemon/store/time.h"

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

utc_us store_time_parse(const char *text)
{
    struct tm tm = {0};
    int ms = 0;

    if (!text || sscanf(text, "%d-%d-%d %d:%d:%d.%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                        &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (utc_us)timegm(&tm) * 1000000 + ms * 1000;
}

utc_us store_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (utc_us)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
