#include "sweep/number_form.h"

#include <math.h>
#include <string.h>

#include "sweep/number.h"
#include "sweep/require.h"

#define BODY_MAX 64 /* digits and marks */

/* A text taken apart. The body has '.' and ',' as they stand, and '_' for any other mark. */
struct written {
    bool negative;
    char body[BODY_MAX + 1];
    size_t len;
    bool exponent; /* the body ends with one */
    char unit[NUMBER_UNIT_MAX];
    bool currency; /* the unit is one */
    bool parentheses; /* around all of it; or a minus behind it */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the bytes of one of the words, n of them, stand at p: their length, or 0. */
static size_t one_of(const char *p, const char *end, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(end - p) >= len && memcmp(p, words[i], len) == 0)
            return len;
    }
    return 0;
}

size_t number_blank(const char *p, const char *end)
{
    /* no-break, figure, thin, narrow no-break and ideographic space; what has no width */
    static const char *const wide[] = {"\u00a0", "\u2007", "\u2009", "\u202f", "\u3000",
                                       "\u200b", "\u200e", "\u200f", "\u2060", "\ufeff"};
    if (p < end && (*p == ' ' || *p == '\t'))
        return 1;
    return p < end && (unsigned char)*p >= 0xC2 ? one_of(p, end, wide, ARRAY_LEN(wide)) : 0;
}

static size_t currency_at(const char *p, const char *end)
{
    static const char *const signs[] = {"$", "€", "£", "¥", "₹", "₽", "₩", "₺", "₴", "₪", "₫",
                                        "฿", "₦", "R$", "US$", "A$", "C$", "NZ$", "HK$", "S$",
                                        "zł", "Kč"};
    /* Letters, which a blank keeps apart: "CAD12" is no amount. */
    static const char *const codes[] = {"USD", "EUR", "GBP", "JPY", "INR", "CNY", "CHF", "AUD",
                                        "CAD", "BRL", "RUB", "KRW", "MXN", "SEK", "NOK", "DKK",
                                        "PLN", "CZK", "HUF", "RON", "TRY", "ZAR", "SGD", "HKD",
                                        "NZD", "ILS", "THB", "Rs.", "Rs", "SFr.", "Fr.", "kr.",
                                        "kr"};
    size_t n = one_of(p, end, signs, ARRAY_LEN(signs));
    if (n > 0)
        return n;
    n = one_of(p, end, codes, ARRAY_LEN(codes));
    return n > 0 && (p + n == end || number_blank(p + n, end) > 0) ? n : 0;
}

/* *negative is set by a minus. */
static size_t sign_at(const char *p, const char *end, bool *negative)
{
    static const char *const minus[] = {"-", "\u2212", "\u2010", "\u2011", "\u2012", "\u2013"};
    size_t len = one_of(p, end, minus, ARRAY_LEN(minus));
    *negative |= len > 0;
    return len > 0 ? len : (size_t)(p < end && *p == '+');
}

static const char *skip_blanks(const char *p, const char *end)
{
    size_t n;
    while ((n = number_blank(p, end)) > 0)
        p += n;
    return p;
}

/* A mark between groups beside '.' and ',', where three digits follow. */
static size_t group_mark(const char *p, const char *end)
{
    static const char *const quotes[] = {"'", "\u2019", "_"};
    size_t n = number_blank(p, end);
    n = n > 0 && *p != '\t' ? n : one_of(p, end, quotes, ARRAY_LEN(quotes));
    if (n == 0 || end - p < (ptrdiff_t)n + 3)
        return 0;
    bool more = end - p > (ptrdiff_t)n + 3 && is_digit(p[n + 3]);
    return is_digit(p[n]) && is_digit(p[n + 1]) && is_digit(p[n + 2]) && !more ? n : 0;
}

static bool put(struct written *w, char c)
{
    if (w->len == BODY_MAX)
        return false;
    w->body[w->len++] = c;
    return true;
}

/* "350.000,-" and "350'000.–": a price without cents, as written in much of Europe. The dashes
 * behind the mark at p; 0: there are none, or more behind them than a currency. */
static size_t no_cents(const char *p, const char *end)
{
    static const char *const dashes[] = {"--", "-", "\u2013", "\u2014"};
    size_t n = one_of(p + 1, end, dashes, ARRAY_LEN(dashes));
    const char *q = p + 1 + n;
    return n > 0 && (q == end || number_blank(q, end) > 0 || currency_at(q, end) > 0) ? n : 0;
}

/* e[+-]digits, nothing else. */
static const char *take_exponent(struct written *w, const char *p, const char *end)
{
    const char *q = p + 1;
    if (q < end && (*q == '+' || *q == '-'))
        q++;
    if (q >= end || !is_digit(*q))
        return p;
    while (q < end && is_digit(*q))
        q++;
    if (w->len + (size_t)(q - p) > BODY_MAX)
        return p;
    memcpy(w->body + w->len, p, (size_t)(q - p));
    w->len += (size_t)(q - p);
    w->exponent = true;
    return q;
}

/* Digits and marks; NULL when there are none, or too many. */
static const char *take_body(struct written *w, const char *p, const char *end)
{
    size_t digits = 0;
    for (;;) {
        size_t n = 0;
        if (p < end && is_digit(*p)) {
            digits++;
            n = 1;
        } else if (digits > 0 && p < end && (*p == '.' || *p == ',') &&
                   (n = no_cents(p, end)) > 0) {
            if (!put(w, *p) || !put(w, '0') || !put(w, '0'))
                return NULL;
            p += 1 + n;
            break;
        } else if (p < end && (*p == '.' || *p == ',')) {
            n = 1;
        } else if (digits > 0) {
            n = group_mark(p, end);
        }
        if (n == 0)
            break;
        if (!put(w, is_digit(*p) || *p == '.' || *p == ',' ? *p : '_'))
            return NULL;
        p += n;
    }
    if (digits == 0)
        return NULL;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = take_exponent(w, p, end);
    w->body[w->len] = '\0';
    return p;
}

static bool starts_unit(char c)
{
    return c == '%' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

/* What stands behind the number, up to the end. */
static bool take_unit(struct written *w, const char *p, const char *end)
{
    size_t len = (size_t)(end - p);
    if (len == 0)
        return true;
    size_t currency = currency_at(p, end);
    if (w->unit[0] || len >= NUMBER_UNIT_MAX || (currency == 0 && !starts_unit(*p)))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((is_digit(p[i]) && i + 1 < len) || (unsigned char)p[i] < 0x20 || p[i] == ',' ||
            p[i] == ';')
            return false;
    memcpy(w->unit, p, len);
    w->unit[len] = '\0';
    w->currency = currency == len;
    return true;
}

/* "(1,234)" and "$(1,234)": past the first; *end is before the second. */
static const char *open_parentheses(struct written *w, const char *p, const char **end)
{
    const char *last = *end;
    while (last > p && last[-1] == ' ')
        last--;
    if (w->parentheses || last - p < 3 || *p != '(' || last[-1] != ')')
        return p;
    w->parentheses = true;
    *end = last - 1;
    return skip_blanks(p + 1, *end);
}

/* "1.046,50-", as programs for bookkeeping print it; one or two digits are a mark at school. */
static bool minus_behind(const struct written *w, const char *p, const char *end)
{
    return p < end && *p == '-' && (p + 1 == end || number_blank(p + 1, end) > 0) && w->len > 2;
}

static bool take_apart(struct written *w, const char *p, size_t len)
{
    const char *end = p + len;
    bool sign = false;
    memset(w, 0, sizeof *w);
    p = open_parentheses(w, skip_blanks(p, end), &end);
    for (;;) {
        size_t n = sign ? 0 : sign_at(p, end, &w->negative);
        sign = sign || n > 0;
        if (n == 0 && !w->unit[0] && (n = currency_at(p, end)) > 0) {
            memcpy(w->unit, p, n);
            w->currency = true;
        }
        if (n == 0)
            break;
        p = skip_blanks(p + n, end);
    }
    p = open_parentheses(w, p, &end);
    if (w->parentheses && sign)
        return false;
    p = take_body(w, p, end);
    if (!p)
        return false;
    if (!sign && !w->parentheses && minus_behind(w, p, end)) {
        w->parentheses = true;
        p++;
    }
    /* A blank or two behind the unit, too. */
    p = skip_blanks(p, end);
    for (const char *q = p; q < end;) {
        if (number_blank(q, end) > 0 && skip_blanks(q, end) == end)
            end = q;
        else
            q++;
    }
    return take_unit(w, p, end);
}

/* --- marks ---------------------------------------------------------------------------------- */

/* "12,34,567": groups of two and a last one of three, between commas, as in India. Past them, or
 * the body's begin. */
static const char *indian_groups(const struct written *w)
{
    const char *p = w->body;
    size_t run = 0, pairs = 0;
    for (; is_digit(*p) || *p == ','; p++) {
        if (is_digit(*p)) {
            run++;
            continue;
        }
        if (p == w->body || (pairs > 0 ? run != 2 : run > 2))
            return w->body;
        pairs++;
        run = 0;
    }
    return pairs >= 2 && run == 3 && w->body[0] != '0' ? p : w->body;
}

/* Whether w has groups of three digits between `mark` (or '_'), then perhaps decimals behind
 * `decimal`; none of either counts as well. */
static bool fits(const struct written *w, char decimal, char thousands)
{
    bool indian = decimal == '.' && (thousands == 0 || thousands == ',');
    const char *p = indian ? indian_groups(w) : w->body, *end = w->body + w->len;
    size_t run = 0, groups = 0;
    char mark = 0;
    for (; p < end && *p != decimal && *p != 'e' && *p != 'E'; p++) {
        if (is_digit(*p)) {
            run++;
            continue;
        }
        if (thousands ? *p != thousands : (mark && *p != mark))
            return false;
        if (groups > 0 ? run != 3 : run < 1 || run > 3)
            return false;
        mark = *p;
        groups++;
        run = 0;
    }
    /* Nobody writes 0.123 for a hundred and twenty-three, nor 1.234e5 for a thousand times that. */
    if (groups > 0 && (run != 3 || w->body[0] == '0' || w->exponent))
        return false;
    if (p < end && *p == decimal) {
        const char *first = ++p;
        while (p < end && is_digit(*p))
            p++;
        if (p == first && (decimal == ',' || w->body[0] == decimal))
            return false;
    }
    return p == end || *p == 'e' || *p == 'E';
}

static bool has_mark(const struct written *w, char c)
{
    return memchr(w->body, c, w->len) != NULL;
}

static void note_marks(struct number_evidence *e, const struct written *w, bool point, bool comma)
{
    bool dot = has_mark(w, '.'), cut = has_mark(w, ',');
    e->numbers++;
    e->parentheses += w->parentheses;
    e->grouped += has_mark(w, '_');
    if (!dot && !cut)
        return;
    e->point += point && !comma;
    e->comma += comma && !point;
    e->either_point += point && comma && dot;
    e->either_comma += point && comma && cut;
}

static void note_unit(struct number_evidence *e, const struct written *w)
{
    if (!w->unit[0]) {
        e->bare++;
        return;
    }
    if (!e->unit[0])
        memcpy(e->unit, w->unit, sizeof e->unit);
    if (strcmp(e->unit, w->unit) == 0)
        e->with_unit++;
    else
        e->other_unit++;
}

/* Most are plain: [sign] digits [. digits] [exponent]. */
static bool note_plain(struct number_evidence *e, const char *text, size_t len)
{
    const char *first = text + (len > 0 && (*text == '-' || *text == '+'));
    if (len == 0 || !(is_digit(*first) || *first == '.') || !number_is(text, len))
        return false;
    const char *dot = memchr(first, '.', (size_t)(text + len - first));
    e->numbers++;
    e->bare++;
    if (!dot)
        return true;
    bool three = text + len - dot == 4 && is_digit(dot[1]) && is_digit(dot[2]) && is_digit(dot[3]);
    if (three && dot > first && dot - first <= 3 && *first != '0')
        e->either_point++;
    else
        e->point++;
    return true;
}

bool number_note(struct number_evidence *e, const char *text, size_t len)
{
    struct written w;
    if (note_plain(e, text, len))
        return true;
    if (!take_apart(&w, text, len)) {
        double value;
        if (len == 0 || !number_parse(text, len, &value) || isnan(value))
            return false;
        e->numbers++; /* inf */
        e->bare++;
        return true;
    }
    bool point = fits(&w, '.', 0), comma = fits(&w, ',', 0);
    if (!point && !comma)
        return false;
    note_marks(e, &w, point, comma);
    note_unit(e, &w);
    return true;
}

void number_evidence_add(struct number_evidence *to, const struct number_evidence *more)
{
    to->numbers += more->numbers;
    to->point += more->point;
    to->comma += more->comma;
    to->either_point += more->either_point;
    to->either_comma += more->either_comma;
    to->grouped += more->grouped;
}

/* --- form ----------------------------------------------------------------------------------- */

static bool is_currency(const char *unit)
{
    size_t len = strlen(unit);
    return len > 0 && currency_at(unit, unit + len) == len;
}

struct number_form number_form_settle(const struct number_evidence *column,
                                      const struct number_evidence *file, bool semicolons)
{
    struct number_form f = {.decimal = '.'};
    if (column->point > 0 || column->comma > 0)
        f.decimal = column->comma > column->point ? ',' : '.';
    else if (file->comma > 0 || file->point > 0)
        f.decimal = file->comma > 0 && file->point == 0 ? ',' : '.';
    else if (semicolons && column->either_comma > 0 && column->either_point == 0)
        f.decimal = ',';
    f.parentheses = column->parentheses > 0 && column->parentheses < column->numbers;
    bool currency = is_currency(column->unit);
    if (column->other_unit == 0 && column->with_unit > 0 && (column->bare == 0 || currency)) {
        memcpy(f.unit, column->unit, sizeof f.unit);
        f.unit_optional = currency;
    }
    return f;
}

/* The number without its marks, and a point: what number_parse takes. */
static size_t plain(const struct written *w, char decimal, char out[BODY_MAX + 2])
{
    size_t n = 0;
    if (w->negative || w->parentheses)
        out[n++] = '-';
    for (size_t i = 0; i < w->len; i++) {
        char c = w->body[i];
        if (c == decimal)
            out[n++] = '.';
        else if (c != '.' && c != ',' && c != '_')
            out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

bool number_read(const struct number_form *f, const char *text, size_t len, double *out)
{
    struct written w;
    char digits[BODY_MAX + 2];
    if (!take_apart(&w, text, len))
        return len > 0 && number_parse(text, len, out);
    bool same = strcmp(w.unit, f->unit) == 0 || (f->unit_optional && !w.unit[0]);
    char thousands = f->thousands == ' ' || f->thousands == '\'' ? '_' : f->thousands;
    if (!same || (w.parentheses && !f->parentheses) || !fits(&w, f->decimal, thousands))
        return false;
    return number_parse(digits, plain(&w, f->decimal, digits), out);
}
