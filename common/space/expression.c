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

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

/* --- words ----------------------------------------------------------------------------------- */

enum word {
    WORD_END,
    WORD_NUMBER,
    WORD_NAME,   /* bare or in backquotes */
    WORD_TEXT,   /* in quotes */
    WORD_SIGN,   /* of the table below */
    WORD_WRONG,
};

static const struct {
    const char *text;
    enum step_kind kind;
    char level; /* 'o' or, 'a' and, 'n' not, 'c' comparison, 's' sum, 'p' product, '^' power */
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
    const struct space *space;
    const char *text, *path;
    constraint_find *find;
    const void *arg;
    struct errbuf *err;
    int code;   /* of what went wrong */
    size_t nesting;
    /* the word that is looked at */
    enum word word;
    size_t begin, end;
    enum step_kind kind; /* of a sign */
    char level;
    double number;
    char name[SPACE_TEXT_MAX];
    /* what comes of it */
    struct buf canonical;
    size_t copied; /* so much of the text is in it */
    uint64_t uses;
    size_t count;
    struct step steps[EXPRESSION_STEPS_MAX];
};

static bool fail(struct parser *p, size_t at, int code, const char *allowed)
{
    char excerpt[40], value[80] = "its end";

    if (p->code)
        return false;
    str_copy(excerpt, sizeof(excerpt), p->text + at);
    if (*excerpt)
        snprintf(value, sizeof(value), "\"%s\" at column %zu", excerpt, at + 1);
    p->code = err_bad(p->err, code, p->path, value, "%s", allowed);
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

static bool take_number(struct parser *p, size_t len)
{
    char copy[64];

    if (len >= sizeof(copy))
        return fail(p, p->begin, ERR_VALUE, "a number of at most 63 characters");
    memcpy(copy, p->text + p->begin, len);
    copy[len] = '\0';
    p->number = strtod(copy, NULL);
    p->end = p->begin + len;
    p->word = WORD_NUMBER;
    return true;
}

/* What stands between two marks. */
static bool take_quoted(struct parser *p, char mark)
{
    const char *from = p->text + p->begin + 1, *to = strchr(from, mark);

    if (!to || to == from || (size_t)(to - from) >= sizeof(p->name))
        return fail(p, p->begin, ERR_VALUE, "1 to 63 bytes between two of these marks");
    memcpy(p->name, from, (size_t)(to - from));
    p->name[to - from] = '\0';
    p->end = (size_t)(to - p->text) + 1;
    p->word = mark == '`' ? WORD_NAME : WORD_TEXT;
    return true;
}

static bool take_sign(struct parser *p, size_t i)
{
    p->word = WORD_SIGN;
    p->kind = signs[i].kind;
    p->level = signs[i].level;
    p->end = p->begin + strlen(signs[i].text);
    return true;
}

static bool take_letters(struct parser *p)
{
    const char *from = p->text + p->begin;
    size_t len = 0;

    while (is_letter(from[len]) || is_digit(from[len]) || from[len] == '.')
        len++;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strlen(signs[i].text) == len && memcmp(signs[i].text, from, len) == 0)
            return take_sign(p, i);
    if (len >= sizeof(p->name))
        return fail(p, p->begin, ERR_VALUE, "a name of at most 63 bytes");
    memcpy(p->name, from, len);
    p->name[len] = '\0';
    p->end = p->begin + len;
    p->word = WORD_NAME;
    return true;
}

/* The next word, behind the one that is looked at. */
static bool advance(struct parser *p)
{
    const char *s = p->text;

    p->begin = p->end;
    while (s[p->begin] == ' ' || s[p->begin] == '\t')
        p->begin++;
    s += p->begin;
    size_t len = number_length(s);
    p->word = WORD_END;
    p->level = 0;
    p->end = p->begin;
    if (p->code || !*s)
        return !p->code;
    if (len)
        return take_number(p, len);
    if (*s == '`' || *s == '\'' || *s == '"')
        return take_quoted(p, *s);
    if (is_letter(*s))
        return take_letters(p);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strncmp(s, signs[i].text, strlen(signs[i].text)) == 0)
            return take_sign(p, i);
    return fail(p, p->begin, ERR_VALUE,
                *s == '=' ? "\"==\" for is equal to, \"<=\", \">=\""
                          : "numbers, names of parameters, + - * / ** ( ), < <= > >= == !=, "
                            "and or not");
}

/* --- steps ----------------------------------------------------------------------------------- */

static bool add(struct parser *p, enum step_kind kind, size_t dimension, double number)
{
    if (p->count == EXPRESSION_STEPS_MAX)
        return fail(p, p->begin, ERR_LIMIT, "at most 256 numbers, names and signs");
    p->steps[p->count++] = (struct step){kind, (uint8_t)dimension, number};
    return true;
}

/* The text so far, and behind it that instead of the word that is looked at. */
static void replace(struct parser *p, const char *word)
{
    buf_append(&p->canonical, p->text + p->copied, p->begin - p->copied);
    buf_puts(&p->canonical, word);
    p->copied = p->end;
}

/* A name as it may stand in an expression. */
static void replace_name(struct parser *p, const char *name)
{
    bool plain = is_letter(*name);
    char quoted[SPACE_NAME_MAX + 3];

    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        plain = plain && strcmp(signs[i].text, name) != 0;
    plain = plain && function_find(name, strlen(name)) < 0 && strcmp(name, "true") != 0 &&
            strcmp(name, "false") != 0;
    for (const char *c = name; *c && plain; c++)
        plain = is_letter(*c) || is_digit(*c) || *c == '.';
    snprintf(quoted, sizeof(quoted), plain ? "%s" : "`%s`", name);
    replace(p, quoted);
}

static bool parse_truth(struct parser *p, struct operand *out);
static bool parse_sum(struct parser *p, struct operand *out);

static bool deeper(struct parser *p)
{
    return ++p->nesting <= EXPRESSION_NESTING_MAX ||
           fail(p, p->begin, ERR_LIMIT, "at most 32 levels of nesting");
}

static bool is_sign(const struct parser *p, char level)
{
    return p->word == WORD_SIGN && p->level == level;
}

static bool expect(struct parser *p, char level, const char *allowed)
{
    return is_sign(p, level) ? advance(p) : fail(p, p->begin, ERR_VALUE, allowed);
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
    size_t count = 0, at = p->begin;
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
        return fail(p, p->begin, ERR_VALUE, allowed);
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

    if (!p->find(p->arg, p->name, &n)) {
        struct buf names = {0};
        for (size_t i = 0; i < p->space->count; i++)
            buf_printf(&names, "%s%s", i ? ", " : "", p->space->dimensions[i].name);
        snprintf(allowed, sizeof(allowed),
                 "the name of a parameter (%.300s; `in backquotes` where it is no plain word) or "
                 "a function (%s)",
                 names.data ? names.data : "none is swept", function_names());
        buf_finish(&names);
        return fail(p, p->begin, ERR_KEY, allowed);
    }
    replace_name(p, n.name);
    *out = (struct operand){.type = type_of(n.type), .step = p->count, .at = p->begin};
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
    bool bare = p->text[p->begin] != '`';
    bool yes = bare && strcmp(p->name, "true") == 0, no = bare && strcmp(p->name, "false") == 0;
    int f = bare ? function_find(p->name, strlen(p->name)) : -1;
    const char *behind = p->text + p->end;

    behind += strspn(behind, " \t");
    if (f >= 0 && *behind == '(')
        return parse_call(p, f, out);
    if (!yes && !no)
        return parse_parameter(p, out);
    *out = (struct operand){.type = TYPE_TRUTH, .at = p->begin};
    return add(p, STEP_NUMBER, 0, yes) && advance(p);
}

static bool parse_operand(struct parser *p, struct operand *out)
{
    size_t at = p->begin;

    switch (p->word) {
    case WORD_NUMBER:
        *out = (struct operand){.type = TYPE_NUMBER, .at = at};
        return add(p, STEP_NUMBER, 0, p->number) && advance(p);
    case WORD_TEXT:
        *out = (struct operand){.type = TYPE_TEXT, .step = p->count, .at = at};
        str_copy(out->text, sizeof(out->text), p->name);
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
    size_t at = p->begin;
    struct operand power;

    if (p->word == WORD_SIGN && p->kind == STEP_SUBTRACT) {
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
        enum step_kind kind = p->kind;
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
    enum step_kind kind = p->kind;
    if (!advance(p) || !parse_sum(p, &right) || !match(p, kind, out, &right) ||
        !add(p, kind, 0, 0))
        return false;
    out->type = TYPE_TRUTH;
    return !is_sign(p, 'c') ||
           fail(p, p->begin, ERR_VALUE, "one comparison, or \"and\" between two: a < b and b < c");
}

static bool parse_denial(struct parser *p, struct operand *out)
{
    size_t at = p->begin;

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
    if (p->word != WORD_END)
        return fail(p, p->begin, ERR_VALUE, "an operator here, or the end");
    replace(p, "");
    return p->canonical.len < SPACE_CONSTRAINT_MAX ||
           fail(p, 0, ERR_LIMIT, "fewer bytes with the parameters' whole names");
}

int space_constrain(struct space *s, const char *text, const char *path, constraint_find *find,
                    const void *arg, struct errbuf *err)
{
    struct parser *p = xcalloc(1, sizeof(*p));

    REQUIRE(s->constraint_count < SPACE_MAX_CONSTRAINTS);
    *p = (struct parser){
        .space = s, .text = text, .path = path, .find = find, .arg = arg, .err = err};
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
    int code = p->code;
    buf_finish(&p->canonical);
    free(p);
    return code;
}
