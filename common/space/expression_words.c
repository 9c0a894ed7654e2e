#include "common/space/expression_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

static const struct {
    const char *text;
    enum step_kind kind;
    char level;
} signs[] = {
    {"**", STEP_CALL, '^'},          {"<=", STEP_LESS_OR_EQUAL, 'c'},
    {">=", STEP_GREATER_OR_EQUAL, 'c'}, {"==", STEP_EQUAL, 'c'},
    {"!=", STEP_NOT_EQUAL, 'c'},     {"&&", STEP_AND, 'a'},
    {"||", STEP_OR, 'o'},            {"<", STEP_LESS, 'c'},
    {">", STEP_GREATER, 'c'},        {"+", STEP_ADD, 's'},
    {"-", STEP_SUBTRACT, 's'},       {"*", STEP_MULTIPLY, 'p'},
    {"/", STEP_DIVIDE, 'p'},         {"!", STEP_NOT, 'n'},
    {"(", STEP_NUMBER, '('},         {")", STEP_NUMBER, ')'},
    {",", STEP_NUMBER, ','},
    /* words of letters: longest first does not matter, they are compared whole */
    {"and", STEP_AND, 'a'},          {"or", STEP_OR, 'o'},
    {"not", STEP_NOT, 'n'},
};

bool words_fail(struct words *w, size_t at, int code, const char *allowed)
{
    char excerpt[40], value[80] = "its end";

    if (w->code)
        return false;
    str_copy(excerpt, sizeof(excerpt), w->text + at);
    if (*excerpt)
        snprintf(value, sizeof(value), "\"%s\" at column %zu", excerpt, at + 1);
    w->code = err_bad(w->err, code, w->path, value, "%s", allowed);
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *s)
{
    size_t n = 0;
    while (is_digit(s[n]))
        n++;
    return n;
}

/* Bytes of the number there; 0: none. */
static size_t number_length(const char *s)
{
    size_t whole = digits(s), n = whole;
    if (s[n] == '.') {
        size_t part = digits(s + n + 1);
        if (whole + part == 0)
            return 0;
        n += 1 + part;
    }
    if (n && (s[n] == 'e' || s[n] == 'E')) {
        size_t sign = s[n + 1] == '-' || s[n + 1] == '+';
        size_t power = digits(s + n + 1 + sign);
        n += power ? 1 + sign + power : 0;
    }
    return n;
}

static bool take_number(struct words *w, size_t len)
{
    char copy[64];

    if (len >= sizeof(copy))
        return words_fail(w, w->begin, ERR_VALUE, "a number of at most 63 characters");
    memcpy(copy, w->text + w->begin, len);
    copy[len] = '\0';
    w->number = strtod(copy, NULL);
    w->end = w->begin + len;
    w->word = WORD_NUMBER;
    return true;
}

/* What stands between two marks. */
static bool take_quoted(struct words *w, char mark)
{
    const char *from = w->text + w->begin + 1, *to = strchr(from, mark);

    if (!to || to == from || (size_t)(to - from) >= sizeof(w->name))
        return words_fail(w, w->begin, ERR_VALUE, "1 to 63 bytes between two of these marks");
    memcpy(w->name, from, (size_t)(to - from));
    w->name[to - from] = '\0';
    w->end = (size_t)(to - w->text) + 1;
    w->word = mark == '`' ? WORD_NAME : WORD_TEXT;
    return true;
}

static bool take_sign(struct words *w, size_t i)
{
    w->word = WORD_SIGN;
    w->kind = signs[i].kind;
    w->level = signs[i].level;
    w->end = w->begin + strlen(signs[i].text);
    return true;
}

static bool take_letters(struct words *w)
{
    const char *from = w->text + w->begin;
    size_t len = 0;

    while (is_letter(from[len]) || is_digit(from[len]) || from[len] == '.')
        len++;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strlen(signs[i].text) == len && memcmp(signs[i].text, from, len) == 0)
            return take_sign(w, i);
    if (len >= sizeof(w->name))
        return words_fail(w, w->begin, ERR_VALUE, "a name of at most 63 bytes");
    memcpy(w->name, from, len);
    w->name[len] = '\0';
    w->end = w->begin + len;
    w->word = WORD_NAME;
    return true;
}

bool words_advance(struct words *w)
{
    const char *s = w->text;

    w->begin = w->end;
    while (s[w->begin] == ' ' || s[w->begin] == '\t')
        w->begin++;
    s += w->begin;
    size_t len = number_length(s);
    w->word = WORD_END;
    w->level = 0;
    w->end = w->begin;
    if (w->code || !*s)
        return !w->code;
    if (len)
        return take_number(w, len);
    if (*s == '`' || *s == '\'' || *s == '"')
        return take_quoted(w, *s);
    if (is_letter(*s))
        return take_letters(w);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strncmp(s, signs[i].text, strlen(signs[i].text)) == 0)
            return take_sign(w, i);
    return words_fail(w, w->begin, ERR_VALUE,
                *s == '=' ? "\"==\" for is equal to, \"<=\", \">=\""
                          : "numbers, names of parameters, + - * / ** ( ), < <= > >= == !=, "
                            "and or not");
}

bool words_are_plain(const char *name)
{
    bool plain = is_letter(*name);

    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        plain = plain && strcmp(signs[i].text, name) != 0;
    for (const char *c = name; *c && plain; c++)
        plain = is_letter(*c) || is_digit(*c) || *c == '.';
    return plain;
}
