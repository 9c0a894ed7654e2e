#include "daemon/serve/until.h"

#include <stdio.h>
#include <time.h>

#define MICROSECONDS 1000000
#define MINUTES_OF_HOUR 60

/* A day on which the clock is changed has another length: so the calendar is asked. */
utc_us until_next(int minute, utc_us now)
{
    time_t from = (time_t)(now / MICROSECONDS), at = from;
    struct tm local;
    localtime_r(&from, &local);
    for (int day = 0; day < 3 && at <= from; day++) {
        struct tm then = {.tm_year = local.tm_year,
                          .tm_mon = local.tm_mon,
                          .tm_mday = local.tm_mday + day,
                          .tm_hour = minute / MINUTES_OF_HOUR,
                          .tm_min = minute % MINUTES_OF_HOUR,
                          .tm_isdst = -1};
        at = mktime(&then);
    }
    return (utc_us)at * MICROSECONDS;
}

void until_sentence(int minute, utc_us at, char *out, size_t size)
{
    char here[64], utc[32];
    time_t seconds = (time_t)(at / MICROSECONDS);
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(here, sizeof(here), "%Y-%m-%d %H:%M %Z", &tm);
    gmtime_r(&seconds, &tm);
    strftime(utc, sizeof(utc), "%Y-%m-%d %H:%M", &tm);
    snprintf(out, size,
             "until %02d:%02d, as the clock of the daemon's machine shows it, is %s (%s UTC); "
             "max_hours says how long instead",
             minute / MINUTES_OF_HOUR, minute % MINUTES_OF_HOUR, here, utc);
}
