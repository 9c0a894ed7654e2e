#include "sweep/number.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/require.h"

#define DIGITS_MAX 19        /* decimal digits that always fit into 64 bits */
#define EXPONENT_MAX 1000000 /* larger ones are for strtod anyway */

/* 10^0..10^19; up to 10^22 they are exact doubles. */
static const uint64_t ten[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
    100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
    10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000u};

/* ±digits · 10^exponent */
struct decimal {
    bool negative;
    bool exact; /* all digits are in there */
    uint64_t digits;
    int exponent;
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* The value of eight digits, the first in the lowest byte, each less than 10: neighbours become one
 * number of two digits, then of four, then of eight (D. Lemire, "Quickly parsing eight digits",
 * 2018). */
static inline uint64_t eight_digits(uint64_t digits)
{
    const uint64_t pairs = 0x000000FF000000FF;
    digits = digits * 10 + (digits >> 8);
    return ((digits & pairs) * 0x000F424000000064 +
            ((digits >> 16) & pairs) * 0x0000271000000001) >> 32;
}

/* Past the digits at s, which go on with *digits, modulo 2^64. Eight at a time while `limit` leaves
 * room to read so many: how many of them are digits costs no branch, for nobody can tell. */
static inline const char *scan_digits(const char *s, const char *limit, uint64_t *digits)
{
    while (limit - s >= 8) {
        uint64_t word;
        memcpy(&word, s, sizeof word);
        word = le64toh(word) ^ 0x3030303030303030;
        uint64_t others = (word | (word + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0;
        if (others == 0) {
            *digits = *digits * ten[8] + eight_digits(word);
            s += 8;
            continue;
        }
        unsigned count = (unsigned)__builtin_ctzll(others) / 8;
        *digits = *digits * ten[count] + eight_digits(word << (63 - 8 * count) << 1);
        return s + count;
    }
    for (; is_digit(*s); s++)
        *digits = *digits * 10 + (uint64_t)(*s - '0');
    return s;
}

/* The power after an 'e'; s itself when there is none. */
static const char *scan_exponent(const char *s, int *exponent)
{
    const char *p = s + 1;
    bool negative = *p == '-';
    int e = 0;
    if (*p == '-' || *p == '+')
        p++;
    if (!is_digit(*p))
        return s;
    for (; is_digit(*p); p++)
        e = e < EXPONENT_MAX ? e * 10 + (*p - '0') : e;
    *exponent += negative ? -e : e;
    return p;
}

/* Whether digits before p, those from `from` on, may have run over 64 bits. */
static bool too_many(const char *from, const char *p)
{
    while (from < p && (*from == '0' || *from == '.'))
        from++;
    return p - from > DIGITS_MAX;
}

/* Past the end of the finite number at s, or NULL; bytes up to `limit` may be read. */
static const char *scan_decimal(const char *s, const char *limit, struct decimal *d)
{
    uint64_t digits = 0;
    d->negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    const char *first = s;
    s = scan_digits(s, limit, &digits);
    ptrdiff_t count = s - first;
    d->exponent = 0;
    if (*s == '.') {
        const char *point = s++;
        s = scan_digits(s, limit, &digits);
        ptrdiff_t behind = s - point - 1;
        count += behind;
        d->exponent = behind < EXPONENT_MAX ? -(int)behind : -EXPONENT_MAX;
    }
    if (count == 0)
        return NULL;
    d->exact = count <= DIGITS_MAX || !too_many(first, s);
    d->digits = digits;
    if (*s == 'e' || *s == 'E')
        s = scan_exponent(s, &d->exponent);
    return s;
}

/* nan, inf or infinity with its sign; as Microsoft's C library wrote them, too. */
static bool parse_word(const char *s, size_t len, double *out)
{
    static const struct {
        const char *word;
        size_t len;
        double value;
    } words[] = {{"nan", 3, NAN}, {"inf", 3, INFINITY}, {"infinity", 8, INFINITY},
                 {"nan(ind)", 8, NAN}, {"nan(snan)", 9, NAN}, {"1.#qnan", 7, NAN},
                 {"1.#snan", 7, NAN}, {"1.#ind", 6, NAN}, {"1.#inf", 6, INFINITY}};
    bool negative = len > 0 && *s == '-';
    if (len > 0 && (*s == '-' || *s == '+')) {
        s++;
        len--;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (len == words[i].len && strncasecmp(s, words[i].word, len) == 0) {
            *out = negative ? -words[i].value : words[i].value;
            return true;
        }
    }
    return false;
}

/* m / 10^k, m > 0 and k < 20, rounded once: the quotient of both brought to 64 bits has 62 bits or
 * more, its last bit stands for whatever remains, and the cast to double rounds it. */
static double divide(uint64_t m, unsigned k)
{
    int m_shift = __builtin_clzll(m), d_shift = __builtin_clzll(ten[k]);
    uint64_t divisor = ten[k] << d_shift;
    unsigned __int128 dividend = (unsigned __int128)(m << m_shift) << 63;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    quotient |= (uint64_t)(dividend % divisor != 0);
    return ldexp((double)quotient, d_shift - m_shift - 63);
}

/* Both factors exact in a double: one operation, one rounding (Clinger, "How to Read Floating
 * Point Numbers Accurately", 1990). Else the integer division, else the C library. */
static double decimal_value(const struct decimal *d, const char *s)
{
    int e = d->exponent;
    double value;
    if (!d->exact || e < -DIGITS_MAX || e > DIGITS_MAX)
        return strtod(s, NULL);
    if (d->digits <= (uint64_t)1 << 53)
        value = e < 0 ? (double)d->digits / (double)ten[-e] : (double)d->digits * (double)ten[e];
    else if (e < 0)
        value = divide(d->digits, (unsigned)-e);
    else if (e == 0)
        value = (double)d->digits;
    else
        return strtod(s, NULL);
    return d->negative ? -value : value;
}

bool number_parse_in(const char *s, size_t len, const char *limit, double *out)
{
    struct decimal d;
    if (scan_decimal(s, limit, &d) != s + len)
        return parse_word(s, len, out);
    *out = decimal_value(&d, s);
    return true;
}

bool number_parse(const char *s, size_t len, double *out)
{
    return number_parse_in(s, len, s + len + 1, out);
}

bool number_is(const char *s, size_t len)
{
    struct decimal d;
    double word;
    return scan_decimal(s, s + len + 1, &d) == s + len || parse_word(s, len, &word);
}
