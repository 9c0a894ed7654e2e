/* The text of a constraint to the steps that carry it out.
 *
 *   truth      = all { or all }            all   = denial { and denial }
 *   denial     = not denial | comparison   comparison = sum [ (< <= > >= == !=) sum ]
 *   sum        = product { (+ -) product } product = sign { (* /) sign }
 *   sign       = - sign | power            power = operand [ ** sign ]
 *   operand    = number | name | `name` | 'text' | true | false | function ( sum, … ) | ( truth )
 *
 * &&, || and ! are and, or and not. Nothing of the text is trusted: its length, its nesting and
 * its steps are bounded. */
#include "common/space/expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/space/expression_words.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

enum type { TYPE_NUMBER, TYPE_TRUTH, TYPE_CHOICE, TYPE_TEXT };

/* What part of the text comes to. */
struct operand {
    enum type type;
    size_t step;      /* TEXT: the step that is to have its number */
    size_t dimension; /* of a CHOICE */
    char text[SPACE_TEXT_MAX];
    size_t at;        /* where it begins */
};

struct parser {
    struct words w;
    const struct space *space;
    constraint_find *find;
    const void *arg;
    size_t nesting;
    /* what comes of it */
    struct buf canonical;
    size_t copied; /* so much of the text is in it */
    uint64_t uses;
    size_t count;
    struct step steps[EXPRESSION_STEPS_MAX];
};

static bool fail(struct parser *p, size_t at, int code, const char *allowed)
{
    return words_fail(&p->w, at, code, allowed);
}

static bool advance(struct parser *p)
{
    return words_advance(&p->w);
}

/* --- steps ----------------------------------------------------------------------------------- */

static bool add(struct parser *p, enum step_kind kind, size_t dimension, double number)
{
    if (p->count == EXPRESSION_STEPS_MAX)
        return fail(p, p->w.begin, ERR_LIMIT, "at most 256 numbers, names and signs");
    p->steps[p->count++] = (struct step){kind, (uint8_t)dimension, number};
    return true;
}

/* The text so far, and behind it that instead of the word that is looked at. */
static void replace(struct parser *p, const char *word)
{
    buf_append(&p->canonical, p->w.text + p->copied, p->w.begin - p->copied);
    buf_puts(&p->canonical, word);
    p->copied = p->w.end;
}

/* A name as it may stand in an expression. */
static void replace_name(struct parser *p, const char *name)
{
    bool plain = words_are_plain(name) && function_find(name, strlen(name)) < 0 &&
                 strcmp(name, "true") != 0 && strcmp(name, "false") != 0;
    char quoted[SPACE_NAME_MAX + 3];

    snprintf(quoted, sizeof(quoted), plain ? "%s" : "`%s`", name);
    replace(p, quoted);
}

static bool parse_truth(struct parser *p, struct operand *out);
static bool parse_sum(struct parser *p, struct operand *out);

static bool deeper(struct parser *p)
{
    return ++p->nesting <= EXPRESSION_NESTING_MAX ||
           fail(p, p->w.begin, ERR_LIMIT, "at most 32 levels of nesting");
}

static bool is_sign(const struct parser *p, char level)
{
    return p->w.word == WORD_SIGN && p->w.level == level;
}

static bool expect(struct parser *p, char level, const char *allowed)
{
    return is_sign(p, level) ? advance(p) : fail(p, p->w.begin, ERR_VALUE, allowed);
}

static bool want_number(struct parser *p, const struct operand *o)
{
    return o->type == TYPE_NUMBER ||
           fail(p, o->at, ERR_TYPE,
                o->type == TYPE_TRUTH ? "a number here: this is true or false"
                                      : "a number here; a choice is compared by == and != alone");
}

static bool want_truth(struct parser *p, const struct operand *o)
{
    return o->type == TYPE_TRUTH ||
           fail(p, o->at, ERR_TYPE, "what is true or false here, such as a comparison: a <= b");
}

/* --- operands -------------------------------------------------------------------------------- */

/* function ( sum, … ) */
static bool parse_call(struct parser *p, int f, struct operand *out)
{
    size_t count = 0, at = p->w.begin;
    char allowed[96];
    struct operand argument;

    if (!deeper(p) || !advance(p) || !expect(p, '(', "\"(\" behind the name of a function"))
        return false;
    do {
        if (count > 0 && !advance(p))
            return false;
        if (!parse_sum(p, &argument) || !want_number(p, &argument))
            return false;
        count++;
    } while (is_sign(p, ',') && count < function_most(f));
    p->nesting--;
    if (!is_sign(p, ')') || count < function_least(f)) {
        snprintf(allowed, sizeof(allowed), "%zu to %zu arguments and \")\" here", function_least(f),
                 function_most(f));
        return fail(p, p->w.begin, ERR_VALUE, allowed);
    }
    *out = (struct operand){.type = TYPE_NUMBER, .at = at};
    return add(p, STEP_CALL, count, f) && advance(p);
}

static enum type type_of(enum value_type t)
{
    return t == VALUE_CHOICE ? TYPE_CHOICE : t == VALUE_SWITCH ? TYPE_TRUTH : TYPE_NUMBER;
}

static bool parse_parameter(struct parser *p, struct operand *out)
{
    struct constraint_name n;
    char allowed[512];

    if (!p->find(p->arg, p->w.name, &n)) {
        struct buf names = {0};
        for (size_t i = 0; i < p->space->count; i++)
            buf_printf(&names, "%s%s", i ? ", " : "", p->space->dimensions[i].name);
        snprintf(allowed, sizeof(allowed),
                 "the name of a parameter (%.300s; `in backquotes` where it is no plain word) or "
                 "a function (%s)",
                 names.data ? names.data : "none is swept", function_names());
        buf_finish(&names);
        return fail(p, p->w.begin, ERR_KEY, allowed);
    }
    replace_name(p, n.name);
    *out = (struct operand){.type = type_of(n.type), .step = p->count, .at = p->w.begin};
    if (n.dimension < 0 && n.type == VALUE_CHOICE) {
        out->type = TYPE_TEXT;
        str_copy(out->text, sizeof(out->text), n.text);
    }
    if (n.dimension >= 0) {
        out->dimension = (size_t)n.dimension;
        p->uses |= UINT64_C(1) << out->dimension;
        return add(p, STEP_VALUE, out->dimension, 0) && advance(p);
    }
    return add(p, STEP_NUMBER, 0, n.value) && advance(p);
}

static bool parse_name(struct parser *p, struct operand *out)
{
    bool bare = p->w.text[p->w.begin] != '`';
    bool yes = bare && strcmp(p->w.name, "true") == 0, no = bare && strcmp(p->w.name, "false") == 0;
    int f = bare ? function_find(p->w.name, strlen(p->w.name)) : -1;
    const char *behind = p->w.text + p->w.end;

    behind += strspn(behind, " \t");
    if (f >= 0 && *behind == '(')
        return parse_call(p, f, out);
    if (!yes && !no)
        return parse_parameter(p, out);
    *out = (struct operand){.type = TYPE_TRUTH, .at = p->w.begin};
    return add(p, STEP_NUMBER, 0, yes) && advance(p);
}

static bool parse_operand(struct parser *p, struct operand *out)
{
    size_t at = p->w.begin;

    switch (p->w.word) {
    case WORD_NUMBER:
        *out = (struct operand){.type = TYPE_NUMBER, .at = at};
        return add(p, STEP_NUMBER, 0, p->w.number) && advance(p);
    case WORD_TEXT:
        *out = (struct operand){.type = TYPE_TEXT, .step = p->count, .at = at};
        str_copy(out->text, sizeof(out->text), p->w.name);
        return add(p, STEP_NUMBER, 0, 0) && advance(p);
    case WORD_NAME:
        return parse_name(p, out);
    default:
        break;
    }
    if (!is_sign(p, '('))
        return fail(p, at, ERR_VALUE, "a number, the name of a parameter, or \"(\"");
    if (!deeper(p) || !advance(p) || !parse_truth(p, out))
        return false;
    p->nesting--;
    return expect(p, ')', "\")\" here, or an operator before");
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool parse_signed(struct parser *p, struct operand *out)
{
    size_t at = p->w.begin;
    struct operand power;

    if (p->w.word == WORD_SIGN && p->w.kind == STEP_SUBTRACT) {
        if (!deeper(p) || !advance(p) || !parse_signed(p, out) || !want_number(p, out))
            return false;
        p->nesting--;
        out->at = at;
        return add(p, STEP_NEGATE, 0, 0);
    }
    if (!parse_operand(p, out))
        return false;
    if (!is_sign(p, '^'))
        return true;
    if (!want_number(p, out) || !deeper(p) || !advance(p) || !parse_signed(p, &power) ||
        !want_number(p, &power))
        return false;
    p->nesting--;
    return add(p, STEP_CALL, 2, function_find("pow", 3));
}

/* Operands of one kind of sign, from left to right. */
static bool parse_row(struct parser *p, char level, bool (*part)(struct parser *, struct operand *),
                      bool (*want)(struct parser *, const struct operand *), struct operand *out)
{
    struct operand next;

    if (!part(p, out))
        return false;
    while (is_sign(p, level)) {
        enum step_kind kind = p->w.kind;
        if (!want(p, out) || !advance(p) || !part(p, &next) || !want(p, &next) ||
            !add(p, kind, 0, 0))
            return false;
    }
    return true;
}

static bool parse_product(struct parser *p, struct operand *out)
{
    return parse_row(p, 'p', parse_signed, want_number, out);
}

static bool parse_sum(struct parser *p, struct operand *out)
{
    return parse_row(p, 's', parse_product, want_number, out);
}

/* --- truths ---------------------------------------------------------------------------------- */

/* A choice and one of its texts: the text becomes its index. */
static bool match_text(struct parser *p, const struct operand *choice, const struct operand *text)
{
    const struct dimension *d = &p->space->dimensions[choice->dimension];
    struct buf b = {0};

    for (size_t i = 0; i < d->choice_count; i++) {
        if (strcmp(d->choices[i], text->text) != 0)
            continue;
        p->steps[text->step].number = (double)i;
        buf_finish(&b);
        return true;
    }
    buf_printf(&b, "a value of %s: ", d->name);
    for (size_t i = 0; i < d->choice_count; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", d->choices[i]);
    (void)fail(p, text->at, ERR_VALUE, b.data);
    buf_finish(&b);
    return false;
}

static bool match(struct parser *p, enum step_kind kind, const struct operand *x,
                  const struct operand *y)
{
    bool equality = kind == STEP_EQUAL || kind == STEP_NOT_EQUAL;
    bool text = x->type == TYPE_TEXT && y->type == TYPE_TEXT;

    if (x->type == TYPE_NUMBER && y->type == TYPE_NUMBER)
        return true;
    if (!equality)
        return want_number(p, x) && want_number(p, y);
    if (x->type == TYPE_TRUTH && y->type == TYPE_TRUTH)
        return true;
    if (text)
        p->steps[y->step].number =
            strcmp(x->text, y->text) == 0 ? p->steps[x->step].number
                                          : p->steps[x->step].number + 1;
    if (text)
        return true;
    if (x->type == TYPE_CHOICE && y->type == TYPE_TEXT)
        return match_text(p, x, y);
    if (x->type == TYPE_TEXT && y->type == TYPE_CHOICE)
        return match_text(p, y, x);
    return fail(p, y->at, ERR_TYPE,
                "both sides of one kind: numbers, true or false, or a choice and one of its values "
                "in quotes");
}

static bool parse_comparison(struct parser *p, struct operand *out)
{
    struct operand right;

    if (!parse_sum(p, out))
        return false;
    if (!is_sign(p, 'c'))
        return true;
    enum step_kind kind = p->w.kind;
    if (!advance(p) || !parse_sum(p, &right) || !match(p, kind, out, &right) ||
        !add(p, kind, 0, 0))
        return false;
    out->type = TYPE_TRUTH;
    return !is_sign(p, 'c') ||
           fail(p, p->w.begin, ERR_VALUE,
                "one comparison, or \"and\" between two: a < b and b < c");
}

static bool parse_denial(struct parser *p, struct operand *out)
{
    size_t at = p->w.begin;

    if (!is_sign(p, 'n'))
        return parse_comparison(p, out);
    if (!deeper(p) || !advance(p) || !parse_denial(p, out) || !want_truth(p, out))
        return false;
    p->nesting--;
    out->at = at;
    return add(p, STEP_NOT, 0, 0);
}

static bool parse_all(struct parser *p, struct operand *out)
{
    return parse_row(p, 'a', parse_denial, want_truth, out);
}

static bool parse_truth(struct parser *p, struct operand *out)
{
    return parse_row(p, 'o', parse_all, want_truth, out);
}

/* --- all ------------------------------------------------------------------------------------- */

static bool parse(struct parser *p)
{
    struct operand all;

    if (!advance(p) || !parse_truth(p, &all) || !want_truth(p, &all))
        return false;
    if (p->w.word != WORD_END)
        return fail(p, p->w.begin, ERR_VALUE, "an operator here, or the end");
    replace(p, "");
    return p->canonical.len < SPACE_CONSTRAINT_MAX ||
           fail(p, 0, ERR_LIMIT, "fewer bytes with the parameters' whole names");
}

int space_constrain(struct space *s, const char *text, const char *path, constraint_find *find,
                    const void *arg, struct errbuf *err)
{
    struct parser *p = xcalloc(1, sizeof(*p));

    REQUIRE(s->constraint_count < SPACE_MAX_CONSTRAINTS);
    *p = (struct parser){.w = {.text = text, .path = path, .err = err},
                         .space = s,
                         .find = find,
                         .arg = arg};
    if (strlen(text) >= SPACE_CONSTRAINT_MAX)
        (void)fail(p, 0, ERR_LIMIT, "at most 511 bytes");
    else if (parse(p)) {
        size_t bytes = p->count * sizeof(struct step);
        struct constraint *c = xcalloc(1, sizeof(*c) + bytes);
        c->uses = p->uses;
        c->count = p->count;
        memcpy(c->steps, p->steps, bytes);
        str_copy(c->text, sizeof(c->text), p->canonical.data + strspn(p->canonical.data, " \t"));
        s->constraints = xrealloc(s->constraints,
                                  (s->constraint_count + 1) * sizeof(struct constraint *));
        s->constraints[s->constraint_count++] = c;
    }
    int code = p->w.code;
    buf_finish(&p->canonical);
    free(p);
    return code;
}
