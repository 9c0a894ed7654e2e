#include "client/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE 60.0
#define HOUR 3600.0
#define DAY 86400.0
#define US_PER_SECOND 1000000

/* Not a number and the infinities read the same everywhere. */
static bool special(double v, char *out)
{
    if (isfinite(v))
        return false;
    snprintf(out, HUMAN_MAX, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
    return true;
}

const char *human_loss(double v, char *out)
{
    if (special(v, out))
        return out;
    if (v != 0 && (fabs(v) < 1e-4 || fabs(v) >= 1e6)) {
        snprintf(out, HUMAN_MAX, "%.3e", v);
        return out;
    }
    /* '#' keeps trailing zeros, so that columns align; it also keeps a bare point at the end. */
    snprintf(out, HUMAN_MAX, fabs(v) >= 1e4 ? "%.0f" : "%#.4g", v);
    size_t len = strlen(out);
    if (len > 0 && out[len - 1] == '.')
        out[len - 1] = '\0';
    return out;
}

const char *human_number(double v, char *out)
{
    if (special(v, out))
        return out;
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(out, HUMAN_MAX, "%.0f", v);
    else
        snprintf(out, HUMAN_MAX, "%.4g", v);
    return out;
}

const char *human_percent(double v, char *out)
{
    if (!special(v, out))
        snprintf(out, HUMAN_MAX, "%.2f %%", v * 100);
    return out;
}

const char *human_count(int64_t v, char *out)
{
    char digits[HUMAN_MAX];
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, magnitude);
    size_t at = 0;
    if (v < 0)
        out[at++] = '-';
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *human_energy(double joules, char *out)
{
    double wh = joules / HOUR;
    if (!(wh >= 0) || !isfinite(wh))
        snprintf(out, HUMAN_MAX, "-");
    else if (wh < 0.9995)
        snprintf(out, HUMAN_MAX, "%.3g mWh", wh * 1000);
    else if (wh < 999.5)
        snprintf(out, HUMAN_MAX, "%.3g Wh", wh);
    else
        snprintf(out, HUMAN_MAX, wh < 999.5e3 ? "%.3g kWh" : "%.0f kWh", wh / 1000);
    return out;
}

const char *human_duration(double seconds, char *out)
{
    /* Written so that NaN takes the first branch. */
    if (!(seconds >= 0) || !isfinite(seconds)) {
        snprintf(out, HUMAN_MAX, "-");
        return out;
    }
    if (seconds > 0 && seconds < 0.9995) {
        snprintf(out, HUMAN_MAX, "%.0f ms", seconds * 1000);
        return out;
    }
    if (seconds > 0 && seconds < 9.95) {
        snprintf(out, HUMAN_MAX, "%.1f s", seconds);
        return out;
    }
    double s = nearbyint(seconds);
    if (s < MINUTE)
        snprintf(out, HUMAN_MAX, "%.0f s", s);
    else if (s < HOUR)
        snprintf(out, HUMAN_MAX, "%.0f min %02.0f s", floor(s / MINUTE), fmod(s, MINUTE));
    else if (s < DAY)
        snprintf(out, HUMAN_MAX, "%.0f h %02.0f min", floor(s / HOUR),
                 floor(fmod(s, HOUR) / MINUTE));
    else
        snprintf(out, HUMAN_MAX, "%.6g d %02.0f h", floor(s / DAY), floor(fmod(s, DAY) / HOUR));
    return out;
}

const char *human_ago(int64_t then_us, int64_t now_us, char *out)
{
    /* As doubles: a hostile time must not overflow. A second more or less is nothing here. */
    double seconds = ((double)now_us - (double)then_us) / US_PER_SECOND;
    char duration[HUMAN_MAX];
    if (seconds < 1)
        snprintf(out, HUMAN_MAX, "%s", seconds > -60 ? "just now" : "in the future");
    else if (seconds < MINUTE)
        snprintf(out, HUMAN_MAX, "%.0f s ago", floor(seconds));
    else
        snprintf(out, HUMAN_MAX, "%.40s ago", human_duration(floor(seconds), duration));
    return out;
}

int64_t human_parse_utc(const char *text)
{
    struct tm t = {0};
    int ms = 0, end = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n.%3d", &t.tm_year, &t.tm_mon, &t.tm_mday,
               &t.tm_hour, &t.tm_min, &t.tm_sec, &end, &ms) < 6 ||
        end == 0)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)timegm(&t) * US_PER_SECOND + ms * 1000;
}

int64_t human_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * US_PER_SECOND + t.tv_nsec / 1000;
}
