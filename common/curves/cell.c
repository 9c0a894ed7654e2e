/* Numbers as loggers print them. What a table's dialect changes (decimal commas, thousands) is the
 * reader's; here it is only what stands around a number. */
#include "common/curves/reading.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/nothing.h"
#include "sweep/number.h"
#include "sweep/require.h"

#define UNIT_MAX 16    /* bytes */
#define WRAPPERS_MAX 4 /* "[tensor(0.41)]" has two */

struct piece {
    const char *at;
    size_t len;
};

static struct piece trimmed(const char *at, size_t len)
{
    while (len > 0 && isspace((unsigned char)at[0])) {
        at++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)at[len - 1]))
        len--;
    return (struct piece){at, len};
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* The first argument of "tensor(0.41, device='cuda:0')", "np.float32(0.41)", "[0.41]", "(0.41)". */
static bool unwrap(struct piece *p)
{
    size_t name = 0, end;

    if (p->len < 3 || (p->at[p->len - 1] != ')' && p->at[p->len - 1] != ']'))
        return false;
    while (is_name(p->at[name]))
        name++;
    if (p->at[name] != '(' && p->at[name] != '[')
        return false;
    for (end = name + 1; end < p->len - 1 && p->at[end] != ',';)
        end++;
    *p = trimmed(p->at + name + 1, end - name - 1);
    return true;
}

/* "<tf.Tensor: shape=(), dtype=float32, numpy=0.41>" */
static bool unwrap_repr(struct piece *p)
{
    static const char MARK[] = "numpy=";
    const char *at = p->len > 2 && p->at[0] == '<' && p->at[p->len - 1] == '>'
                         ? memmem(p->at, p->len, MARK, sizeof(MARK) - 1) : NULL;

    if (!at)
        return false;
    at += sizeof(MARK) - 1;
    *p = trimmed(at, (size_t)(p->at + p->len - 1 - at));
    return true;
}

/* The length of the longest beginning that is a number. */
static size_t number_length(struct piece p)
{
    size_t n = 0;

    while (n < p.len && memchr("0123456789.+-eE", p.at[n], 15))
        n++;
    while (n > 0 && !number_is(p.at, n))
        n--;
    return n;
}

/* "± 0.1", "+/-0.1", "+- 0.1": how far it varies. */
static bool is_deviation(struct piece rest)
{
    static const char *const SIGNS[] = {"\xc2\xb1", "+/-", "+-"};

    rest = trimmed(rest.at, rest.len);
    for (size_t i = 0; i < ARRAY_LEN(SIGNS); i++) {
        size_t n = strlen(SIGNS[i]);
        if (rest.len <= n || memcmp(rest.at, SIGNS[i], n) != 0)
            continue;
        rest = trimmed(rest.at + n, rest.len - n);
        return number_is(rest.at, rest.len);
    }
    return false;
}

/* What may stand behind a number: "/30", " of 30", a deviation, and a unit behind a blank. */
static bool is_unit(struct piece rest)
{
    if (is_deviation(rest))
        return true;
    if (rest.len == 0 || rest.len > UNIT_MAX)
        return rest.len == 0;
    if (rest.at[0] == '/')
        return number_is(rest.at + 1, rest.len - 1);
    if (rest.at[0] != ' ' && rest.at[0] != '\t')
        return false;
    rest = trimmed(rest.at, rest.len);
    if (rest.len > 3 && memcmp(rest.at, "of ", 3) == 0)
        return number_is(rest.at + 3, rest.len - 3);
    for (size_t i = 0; i < rest.len; i++)
        if (!isalpha((unsigned char)rest.at[i]) && !memchr("/.%", rest.at[i], 3))
            return false;
    return true;
}

enum cell_reading cell_read(const struct log_cell *c, double *out, bool *percent)
{
    if (c->kind != LOG_TEXT) {
        *out = c->kind == LOG_NUMBER ? c->value : NAN;
        return c->kind == LOG_NUMBER ? CELL_NUMBER : CELL_NOTHING;
    }
    struct piece p = trimmed(c->text, strlen(c->text));
    for (int depth = 0; depth < WRAPPERS_MAX && (unwrap(&p) || unwrap_repr(&p)); depth++)
        ;
    if (p.len == 3 && strncasecmp(p.at, "nan", 3) == 0) {
        *out = NAN;
        return CELL_NUMBER;
    }
    if (text_is_nothing(p.at, p.len))
        return CELL_NOTHING;
    /* number_parse rounds 1e999 to infinity; that is no number that anybody measured. */
    bool word = memchr("iI", p.at[p.len > 1 && memchr("+-", p.at[0], 2) ? 1 : 0], 2) != NULL;
    if (number_parse(p.at, p.len, out))
        return word || !isinf(*out) ? CELL_NUMBER : CELL_BAD;
    size_t n = number_length(p);
    if (n == 0 || !number_parse(p.at, n, out) || isinf(*out))
        return CELL_BAD;
    struct piece rest = trimmed(p.at + n, p.len - n);
    if (rest.len == 1 && rest.at[0] == '%') {
        *out /= 100;
        *percent = true;
        return CELL_NUMBER;
    }
    return is_unit((struct piece){p.at + n, p.len - n}) ? CELL_NUMBER : CELL_BAD;
}

int reading_fail(const struct reading *r, int code, const struct training_log *l, size_t row,
                 size_t column, const char *allowed)
{
    char key[160], got[48] = "";
    const char *text = NULL;
    double value = 0;
    size_t where = training_log_where(l, row);

    snprintf(key, sizeof(key), "%.80s: line %zu, column %.40s", r->name, where,
             training_log_title(l, column));
    enum log_cell_kind kind = training_log_cell(l, row, column, &value, &text);
    if (kind == LOG_TEXT)
        snprintf(got, sizeof(got), "\"%.40s\"", text);
    else if (kind == LOG_NUMBER)
        snprintf(got, sizeof(got), "\"%g\"", value);
    else
        str_copy(got, sizeof(got), "\"\"");
    return err_bad(r->err, code, key, got, "%s", allowed);
}
