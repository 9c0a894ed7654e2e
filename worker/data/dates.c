#include "worker/data/dates.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "sweep/require.h"

#define PARTS 3

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Digits at *p, at most 4: how many; the number in *out. */
static size_t take_number(const char **p, const char *end, unsigned *out)
{
    const char *first = *p;
    *out = 0;
    while (*p < end && is_digit(**p) && *p - first < 4)
        *out = *out * 10 + (unsigned)(*(*p)++ - '0');
    return (size_t)(*p - first);
}

/* Three numbers with one mark between them, of which the first or last is a year; two of them can
 * be month and day. */
static bool take_numbers(const char **at, const char *end)
{
    const char *p = *at;
    unsigned n[PARTS];
    size_t digits[PARTS];
    char mark = 0;
    for (size_t i = 0; i < PARTS; i++) {
        digits[i] = take_number(&p, end, &n[i]);
        if (digits[i] == 0 || (i < PARTS - 1 && (p == end || !strchr("-/.", *p))))
            return false;
        if (i == PARTS - 1)
            break;
        if (mark && *p != mark)
            return false;
        mark = *p++;
    }
    size_t year = digits[0] == 4 ? 0 : 2;
    unsigned a = n[year == 0 ? 1 : 0], b = n[year == 0 ? 2 : 1];
    bool long_year = digits[year] == 4 || (digits[year] == 2 && mark != '.');
    if (!long_year || a < 1 || b < 1 || a > 31 || b > 31 || (a > 12 && b > 12))
        return false;
    *at = p;
    return true;
}

static bool take_month(const char **p, const char *end)
{
    static const char *const months[] = {"january", "february", "march",     "april",
                                         "may",     "june",     "july",      "august",
                                         "september", "october", "november", "december"};
    const char *q = *p;
    while (q < end && is_letter(*q))
        q++;
    size_t len = (size_t)(q - *p);
    for (size_t i = 0; len >= 3 && i < ARRAY_LEN(months); i++) {
        if ((len == 3 || len == strlen(months[i])) && strncasecmp(*p, months[i], len) == 0) {
            *p = q;
            return true;
        }
    }
    return false;
}

/* A month by its name, and one or two numbers around it. */
static bool take_words(const char **at, const char *end)
{
    const char *p = *at;
    unsigned n;
    size_t numbers = 0;
    bool month = false;
    while (p < end && numbers + month < PARTS) {
        const char *before = p;
        if (is_digit(*p))
            numbers += take_number(&p, end, &n) > 0;
        else if (!month && is_letter(*p))
            month = take_month(&p, end);
        if (p == before)
            break;
        while (p < end && strchr(" -,./", *p))
            p++;
    }
    *at = p;
    return month && numbers > 0;
}

/* 12:30[:05[.5]], with what may follow: a zone, AM. */
static bool take_time(const char **at, const char *end)
{
    const char *p = *at;
    unsigned n;
    size_t digits = take_number(&p, end, &n);
    if (digits < 1 || digits > 2 || n > 24 || p == end || *p != ':')
        return false;
    p++;
    if (take_number(&p, end, &n) != 2 || n > 59)
        return false;
    while (p < end && (is_digit(*p) || is_letter(*p) || strchr(":.+- ", *p)))
        p++;
    *at = p;
    return true;
}

bool date_is(const char *text, size_t len)
{
    const char *p = text, *end = text + len;
    if (take_time(&p, end))
        return p == end;
    p = text;
    if (!take_numbers(&p, end)) {
        p = text;
        if (!take_words(&p, end))
            return false;
    }
    while (p < end && (*p == ' ' || *p == 'T' || *p == ','))
        p++;
    return p == end || (take_time(&p, end) && p == end);
}

bool date_is_number(double x)
{
    if (!(x >= 18000101 && x <= 22001231) || x != floor(x))
        return false;
    unsigned n = (unsigned)x, month = n / 100 % 100, day = n % 100;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}
