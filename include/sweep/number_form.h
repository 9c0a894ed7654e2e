/* Numbers as people write them: decimal comma, groups of thousands, currency, unit, per cent, a
 * typographic minus. What a text alone does not say (is 1,234 a thousand or a fraction?) the other
 * texts of its column do: note all of them, then settle on one form, then read by it.
 *
 *   [sign] [currency] digits and marks [e[+-]digits] [per cent, currency or unit]
 *
 * sign: + - or U+2010…U+2013, U+2212; currency: a sign such as $ € £ ¥, or a code (USD);
 * marks: . , and for groups of three digits also blanks (no-break and narrow ones too) ' ’ _;
 * between commas groups of two before the last one (India); a dash behind a mark: no cents;
 * a unit: up to NUMBER_UNIT_MAX - 1 bytes of letters and signs, a digit only at its end (km, m2,
 * °C). All of it in parentheses, or with a minus behind, is negative, as bookkeepers write, where
 * others of its column stand without. */
#ifndef SWEEP_NUMBER_FORM_H
#define SWEEP_NUMBER_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define NUMBER_UNIT_MAX 16

/* What the texts of a column showed. A zeroed one has seen none. */
struct number_evidence {
    size_t numbers; /* all below, and those that say nothing of a mark */
    size_t point;   /* only a decimal point makes a number of them: 0.5, 1,234.5, 1.234e3 */
    size_t comma;   /* only a decimal comma: 0,5 or 1.234,5 */
    size_t either_point, either_comma; /* 1.234 and 1,234 */
    size_t grouped; /* have marks between groups of digits, if not those two */
    size_t parentheses; /* stand in some, or have a minus behind */
    size_t bare, with_unit, other_unit; /* without a unit, with the one below, with another */
    char unit[NUMBER_UNIT_MAX]; /* the first that was seen; "%" and "€" are units */
};

/* How the numbers of a column are written. */
struct number_form {
    char decimal;    /* '.' or ',' */
    char thousands;  /* the only mark that groups; 0: any but the decimal one, '-': none */
    char unit[NUMBER_UNIT_MAX]; /* that all of them have, "" when they need none */
    bool unit_optional;         /* a currency, which some leave out */
    bool parentheses;           /* a number in some is negative */
};

/* Whether the text can be such a number; it is added to *e then. The plain ones of number_is, but
 * for nan, count as well. */
bool number_note(struct number_evidence *e, const char *text, size_t len);
void number_evidence_add(struct number_evidence *to, const struct number_evidence *more);
/* The decimal mark is the one that only some texts of the column allow, else of the whole file,
 * else a comma where `semicolons` (spreadsheets separate by them where the comma is taken) and
 * some could have one, else a point. Texts that contradict stay texts. A unit is one if all
 * numbers have it; a currency may be left out. */
struct number_form number_form_settle(const struct number_evidence *column,
                                      const struct number_evidence *file, bool semicolons);
/* False, and out untouched, where it is no number of that form. */
bool number_read(const struct number_form *f, const char *text, size_t len, double *out);
/* How long the blank at p is: space, tab, or one of those that do not break; 0: there is none. */
size_t number_blank(const char *p, const char *end);

#endif
