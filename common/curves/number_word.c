#include "common/curves/number_word.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/json_scan.h"
#include "sweep/require.h"

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t len, size_t at)
{
    size_t from = at;
    while (at < len && is_digit(text[at]))
        at++;
    return at - from;
}

/* Where the decimal number behind the sign ends; 0: none. */
static size_t decimal_end(const char *text, size_t len, size_t at)
{
    size_t whole = digits(text, len, at), part = 0;
    at += whole;
    if (at < len && text[at] == '.') {
        part = digits(text, len, at + 1);
        if (whole + part > 0)
            at += 1 + part;
    }
    if (whole + part == 0)
        return 0;
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        size_t e = at + 1;
        e += e < len && (text[e] == '+' || text[e] == '-');
        size_t power = digits(text, len, e);
        at = power > 0 ? e + power : at;
    }
    return at;
}

static size_t not_finite(const char *text, size_t len, size_t at, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"nan", NAN}, {"infinity", INFINITY}, {"inf", INFINITY}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i].word);
        if (len - at < n || strncasecmp(text + at, words[i].word, n) != 0)
            continue;
        unsigned char after = at + n < len ? (unsigned char)text[at + n] : ' ';
        if (isalnum(after) || after == '_')
            return 0;
        *out = at > 0 && text[0] == '-' ? -words[i].value : words[i].value;
        return at + n;
    }
    return 0;
}

size_t number_word(const char *text, size_t len, double *out)
{
    size_t at = len > 0 && (text[0] == '-' || text[0] == '+');
    size_t end = decimal_end(text, len, at);
    if (end == 0)
        return not_finite(text, len, at, out);
    if (end > JSON_NUMBER_MAX)
        return 0;
    *out = json_read_number(text, end);
    return end;
}
