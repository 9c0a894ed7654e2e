#include "common/base/json_scan.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

_Static_assert(JSON_MAX_DEPTH == 64, "scan_container says the limit");

#define EXCERPT_BYTES 24

struct scan {
    const char *text;
    size_t len, pos;
    int depth;
    size_t keys; /* object keys seen */
    size_t refused_key;
    struct errbuf *err;
};

static int scan_value(struct scan *s);

size_t json_utf8_length(const unsigned char *p, size_t len)
{
    /* The Unicode Standard, table 3-7: ranges of the first and the second byte. */
    static const struct {
        unsigned char first, last, second_min, second_max;
        size_t length;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (p[0] < rows[i].first || p[0] > rows[i].last)
            continue;
        if (len < rows[i].length || p[1] < rows[i].second_min || p[1] > rows[i].second_max)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return rows[i].length;
    }
    return 0;
}

double json_read_number(const char *text, size_t len)
{
    char copy[JSON_NUMBER_MAX + 1];
    char *point;

    REQUIRE(len < sizeof(copy));
    memcpy(copy, text, len);
    copy[len] = '\0';
    point = strchr(copy, '.');
    if (point)
        *point = localeconv()->decimal_point[0];
    return strtod(copy, NULL);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
}

/* The byte at pos, -1 behind the end. */
static int peek(const struct scan *s)
{
    return s->pos < s->len ? (unsigned char)s->text[s->pos] : -1;
}

/* What stands at pos, for people: one word, or one byte. */
static void excerpt(const struct scan *s, size_t pos, char *out, size_t size)
{
    size_t end = pos;

    if (pos >= s->len) {
        snprintf(out, size, "the end of the text");
        return;
    }
    while (end < s->len && end - pos < EXCERPT_BYTES && is_word((unsigned char)s->text[end]))
        end++;
    if (end > pos)
        snprintf(out, size, "'%.*s'%s", (int)(end - pos), s->text + pos,
                 end - pos == EXCERPT_BYTES ? "…" : "");
    else if (s->text[pos] > 0x20 && s->text[pos] < 0x7f)
        snprintf(out, size, "'%c'", s->text[pos]);
    else
        snprintf(out, size, "byte 0x%02X", (unsigned char)s->text[pos]);
}

static void count_lines(const struct scan *s, size_t pos, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < pos && i < s->len; i++) {
        if (s->text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)s->text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

static int fail_at(const struct scan *s, size_t pos, const char *allowed)
{
    char place[64], value[EXCERPT_BYTES + 16];
    size_t line, column;

    count_lines(s, pos, &line, &column);
    snprintf(place, sizeof(place), "line %zu, column %zu", line, column);
    excerpt(s, pos, value, sizeof(value));
    return err_bad(s->err, ERR_PARSE, place, value, "%s", allowed);
}

static int fail(const struct scan *s, const char *allowed)
{
    return fail_at(s, s->pos, allowed);
}

static void skip_space(struct scan *s)
{
    for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s))
        s->pos++;
}

static bool skip_byte(struct scan *s, char c)
{
    if (peek(s) != c)
        return false;
    s->pos++;
    return true;
}

/* At least one digit. */
static int scan_digits(struct scan *s)
{
    if (!is_digit(peek(s)))
        return fail(s, "a digit");
    while (is_digit(peek(s)))
        s->pos++;
    return 0;
}

static int scan_number(struct scan *s)
{
    size_t start = s->pos;
    int rc = 0;

    skip_byte(s, '-');
    if (skip_byte(s, '0')) {
        if (is_digit(peek(s)))
            return fail_at(s, start, "a number without leading zeros");
    } else {
        rc = scan_digits(s);
    }
    if (rc == 0 && skip_byte(s, '.'))
        rc = scan_digits(s);
    if (rc == 0 && (skip_byte(s, 'e') || skip_byte(s, 'E'))) {
        if (!skip_byte(s, '+'))
            skip_byte(s, '-');
        rc = scan_digits(s);
    }
    if (rc != 0)
        return rc;
    if (s->pos - start > JSON_NUMBER_MAX)
        return fail_at(s, start, "a number of at most 63 characters");
    if (!isfinite(json_read_number(s->text + start, s->pos - start)))
        return fail_at(s, start, "a number that fits a double, at most 1.7976931348623157e308");
    return 0;
}

/* The four digits of \u0041 behind the 'u'; -1 when they are none. */
static long read_hex4(const struct scan *s, size_t pos)
{
    long code = 0;

    if (s->len - pos < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int c = (unsigned char)s->text[pos + i];
        int lower = c | 0x20;

        if (is_digit(c))
            code = code * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            code = code * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return code;
}

/* Behind "\u". */
static int scan_unicode_escape(struct scan *s)
{
    size_t start = s->pos - 2;
    long code = read_hex4(s, s->pos);

    if (code < 0)
        return fail_at(s, start, "\\u and four hexadecimal digits");
    if (code == 0)
        return fail_at(s, start, "characters other than \\u0000");
    s->pos += 4;
    if (code < 0xD800 || code > 0xDFFF)
        return 0;
    if (code < 0xDC00 && skip_byte(s, '\\') && skip_byte(s, 'u')) {
        code = read_hex4(s, s->pos);
        if (code >= 0xDC00 && code <= 0xDFFF) {
            s->pos += 4;
            return 0;
        }
    }
    return fail_at(s, start, "surrogates in pairs, high then low");
}

static int scan_escape(struct scan *s)
{
    int c;

    s->pos++;
    c = peek(s);
    if (c == 'u') {
        s->pos++;
        return scan_unicode_escape(s);
    }
    if (c < 0 || c == 0 || !strchr("\"\\/bfnrt", c))
        return fail(s, "one of \" \\ / b f n r t u after a backslash");
    s->pos++;
    return 0;
}

static int scan_string(struct scan *s)
{
    s->pos++;
    for (;;) {
        int c = peek(s);
        int rc = 0;

        if (c < 0)
            return fail(s, "a closing '\"'");
        if (c < 0x20)
            return fail(s, "control characters in strings as escapes");
        if (c == '"') {
            s->pos++;
            return 0;
        }
        if (c == '\\') {
            rc = scan_escape(s);
        } else {
            size_t n = json_utf8_length((const unsigned char *)s->text + s->pos, s->len - s->pos);

            if (n == 0)
                return fail(s, "UTF-8");
            s->pos += n;
        }
        if (rc != 0)
            return rc;
    }
}

static int scan_literal(struct scan *s)
{
    static const char *const literals[] = {"true", "false", "null"};
    static const char *const not_finite[] = {"NaN", "nan", "Infinity", "-Infinity", "inf"};
    /* What other languages have. */
    static const struct {
        const char *text, *allowed;
    } foreign[] = {
        {"True", "a JSON value: true, in small letters"},
        {"False", "a JSON value: false, in small letters"},
        {"None", "a JSON value: null"},
        {"'", "a JSON value: a string stands in double quotes"},
        {".", "a JSON value: a digit before the point, such as 0.5"},
        {"+", "a JSON value: a number without a plus"},
        {"//", "a JSON value: JSON has no comments"},
        {"/*", "a JSON value: JSON has no comments"},
        {"#", "a JSON value: JSON has no comments"},
        {"]", "a JSON value: no comma before a ']'"},
        {"}", "a JSON value: no comma before a '}'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(literals); i++) {
        size_t n = strlen(literals[i]);

        if (s->len - s->pos >= n && memcmp(s->text + s->pos, literals[i], n) == 0) {
            s->pos += n;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        size_t n = strlen(foreign[i].text);

        if (s->len - s->pos >= n && memcmp(s->text + s->pos, foreign[i].text, n) == 0)
            return fail(s, foreign[i].allowed);
    }
    for (size_t i = 0; i < ARRAY_LEN(not_finite); i++) {
        size_t n = strlen(not_finite[i]);

        if (s->len - s->pos >= n && memcmp(s->text + s->pos, not_finite[i], n) == 0)
            return fail(s, "a JSON value; what is not finite is written as the string \"nan\", "
                           "\"+inf\" or \"-inf\"");
    }
    return fail(s, "a JSON value");
}

/* "key": value */
static int scan_member(struct scan *s)
{
    int rc;

    skip_space(s);
    if (peek(s) == '}')
        return fail(s, "a key in double quotes: no comma before a '}'");
    if (peek(s) == '/' || peek(s) == '#')
        return fail(s, "a key in double quotes: JSON has no comments");
    if (peek(s) != '"')
        return fail(s, "a key in double quotes");
    if (s->keys++ == s->refused_key)
        return fail_at(s, s->pos + 1, "each key once in an object; this one is a duplicate");
    rc = scan_string(s);
    if (rc != 0)
        return rc;
    skip_space(s);
    if (!skip_byte(s, ':'))
        return fail(s, "':'");
    return scan_value(s);
}

/* An array or object; element scans one of its parts with the space around it. */
static int scan_container(struct scan *s, char close, int (*element)(struct scan *))
{
    if (++s->depth > JSON_MAX_DEPTH)
        return fail(s, "at most 64 levels of nesting");
    s->pos++;
    skip_space(s);
    if (!skip_byte(s, close)) {
        do {
            int rc = element(s);

            if (rc != 0)
                return rc;
            skip_space(s);
        } while (skip_byte(s, ','));
        if (peek(s) == '/' || peek(s) == '#')
            return fail(s, "no comments: JSON has none");
        if (!skip_byte(s, close))
            return fail(s, close == ']' ? "',' or ']'" : "',' or '}'");
    }
    s->depth--;
    return 0;
}

static int scan_value(struct scan *s)
{
    int c;

    skip_space(s);
    c = peek(s);
    if (c == '{')
        return scan_container(s, '}', scan_member);
    if (c == '[')
        return scan_container(s, ']', scan_value);
    if (c == '"')
        return scan_string(s);
    if (is_digit(c) || (c == '-' && s->pos + 1 < s->len && s->text[s->pos + 1] != 'I'))
        return scan_number(s);
    return scan_literal(s);
}

int json_scan(const char *text, size_t len, size_t refused_key, struct errbuf *err)
{
    struct scan s = {.text = text, .len = len, .refused_key = refused_key, .err = err};
    int rc = scan_value(&s);

    if (rc != 0)
        return rc;
    skip_space(&s);
    return s.pos == s.len ? 0 : fail(&s, "nothing after the value");
}

bool json_scan_key(const char *text, size_t len, size_t number, size_t *line, size_t *column)
{
    struct scan s = {.text = text, .len = len, .refused_key = number};

    if (scan_value(&s) == 0 || s.keys != number + 1)
        return false;
    count_lines(&s, s.pos + 1, line, column); /* behind the quote */
    return true;
}

bool json_member_text(const char *text, size_t len, const char *key, const char **out,
                      size_t *out_len)
{
    struct scan s = {.text = text, .len = len, .refused_key = JSON_SCAN_NO_KEY, .depth = 1};
    size_t key_len = strlen(key);

    skip_space(&s);
    if (!skip_byte(&s, '{'))
        return false;
    do {
        size_t at, from;

        skip_space(&s);
        at = s.pos;
        if (peek(&s) != '"' || scan_string(&s) != 0)
            return false;
        bool found = s.pos - at == key_len + 2 && memcmp(text + at + 1, key, key_len) == 0;
        skip_space(&s);
        skip_byte(&s, ':');
        skip_space(&s);
        from = s.pos;
        if (scan_value(&s) != 0)
            return false;
        *out = text + from;
        *out_len = s.pos - from;
        if (found)
            return true;
        skip_space(&s);
    } while (skip_byte(&s, ','));
    return false;
}
