/* Constraints carried out. */
#include <math.h>
#include <string.h>

#include "common/space/expression.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* --- functions ------------------------------------------------------------------------------- */

/* X(name, arguments at least, at most, value of x[0 … n)) */
#define FUNCTION_MAP(X)                       \
    X(min, 2, 16, smallest(x, n, 1))          \
    X(max, 2, 16, smallest(x, n, -1))         \
    X(log2, 1, 1, log2(x[0]))                 \
    X(log10, 1, 1, log10(x[0]))               \
    X(log, 1, 1, log(x[0]))                   \
    X(exp, 1, 1, exp(x[0]))                   \
    X(sqrt, 1, 1, sqrt(x[0]))                 \
    X(abs, 1, 1, fabs(x[0]))                  \
    X(floor, 1, 1, floor(x[0]))               \
    X(ceil, 1, 1, ceil(x[0]))                 \
    X(round, 1, 1, round(x[0]))               \
    X(pow, 2, 2, pow(x[0], x[1]))             \
    X(mod, 2, 2, x[0] - x[1] * floor(x[0] / x[1]))

static double smallest(const double *x, size_t n, double sign)
{
    double best = x[0];
    for (size_t i = 1; i < n; i++)
        if (sign * x[i] < sign * best)
            best = x[i];
    return best;
}

static const struct {
    const char *name;
    size_t least, most;
} functions[] = {
#define X(name, least, most, value) {#name, least, most},
    FUNCTION_MAP(X)
#undef X
};

enum {
#define X(name, least, most, value) FUNCTION_##name,
    FUNCTION_MAP(X)
#undef X
};

const char *function_names(void)
{
#define X(name, least, most, value) ", " #name
    static const char all[] = FUNCTION_MAP(X);
#undef X
    return all + 2;
}

int function_find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (strlen(functions[i].name) == len && memcmp(functions[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

size_t function_least(int f)
{
    return functions[f].least;
}

size_t function_most(int f)
{
    return functions[f].most;
}

double function_of(int f, const double *x, size_t n)
{
    switch (f) {
#define X(name, least, most, value) \
    case FUNCTION_##name:           \
        return value;
        FUNCTION_MAP(X)
#undef X
    default:
        return NAN;
    }
}

/* --- carrying out ---------------------------------------------------------------------------- */

static double of_two(enum step_kind kind, double x, double y)
{
    switch (kind) {
    case STEP_ADD:
        return x + y;
    case STEP_SUBTRACT:
        return x - y;
    case STEP_MULTIPLY:
        return x * y;
    case STEP_DIVIDE:
        return x / y;
    case STEP_LESS:
        return x < y;
    case STEP_LESS_OR_EQUAL:
        return x <= y;
    case STEP_GREATER:
        return x > y;
    case STEP_GREATER_OR_EQUAL:
        return x >= y;
    case STEP_EQUAL:
        return x == y;
    case STEP_NOT_EQUAL:
        return x != y;
    case STEP_AND:
        return x != 0 && y != 0;
    case STEP_OR:
        return x != 0 || y != 0;
    default:
        return NAN;
    }
}

/* The stack stays within the steps: each adds one value at most. */
static size_t carry_out(const struct step *step, const struct assignment *a, double *stack,
                        size_t top)
{
    size_t taken = step->kind == STEP_CALL                                  ? step->dimension
                   : step->kind == STEP_NOT || step->kind == STEP_NEGATE ? 1
                                                                            : 2;
    if (step->kind == STEP_NUMBER || step->kind == STEP_VALUE) {
        stack[top] = step->kind == STEP_NUMBER ? step->number : a->v[step->dimension];
        return top + 1;
    }
    REQUIRE(top >= taken); /* the parser leaves no other */
    double *x = stack + top - taken;
    if (step->kind == STEP_CALL)
        *x = function_of((int)step->number, x, taken);
    else if (taken == 1)
        *x = step->kind == STEP_NOT ? *x == 0 : -*x;
    else
        *x = of_two(step->kind, x[0], x[1]);
    return top - taken + 1;
}

bool constraint_holds(const struct constraint *c, const struct assignment *a)
{
    double stack[EXPRESSION_STEPS_MAX];
    size_t top = 0;

    for (uint64_t uses = c->uses; uses; uses &= uses - 1)
        if (!space_has(a, (size_t)__builtin_ctzll(uses)))
            return true;
    for (size_t i = 0; i < c->count; i++)
        top = carry_out(&c->steps[i], a, stack, top);
    return top == 1 && stack[0] != 0;
}

bool space_allows(const struct space *s, const struct assignment *a)
{
    for (size_t i = 0; i < s->constraint_count; i++)
        if (!constraint_holds(s->constraints[i], a))
            return false;
    return true;
}

bool space_constraint_holds(const struct space *s, size_t i, const struct assignment *a)
{
    return constraint_holds(s->constraints[i], a);
}

const char *space_constraint_text(const struct space *s, size_t i)
{
    return s->constraints[i]->text;
}
