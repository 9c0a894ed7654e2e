/* Constraints: expressions over the values of a configuration. Private to common/space/. */
#ifndef SWEEP_COMMON_SPACE_EXPRESSION_H
#define SWEEP_COMMON_SPACE_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/space.h"

#define EXPRESSION_STEPS_MAX 256
#define EXPRESSION_NESTING_MAX 32

enum step_kind {
    STEP_NUMBER,
    STEP_VALUE, /* of a dimension */
    STEP_ADD,
    STEP_SUBTRACT,
    STEP_MULTIPLY,
    STEP_DIVIDE,
    STEP_NEGATE,
    STEP_LESS,
    STEP_LESS_OR_EQUAL,
    STEP_GREATER,
    STEP_GREATER_OR_EQUAL,
    STEP_EQUAL,
    STEP_NOT_EQUAL,
    STEP_AND,
    STEP_OR,
    STEP_NOT,
    STEP_CALL, /* of a function of `dimension` arguments, … number `number` */
};

/* In the order in which they are carried out: operands first. */
struct step {
    enum step_kind kind;
    uint8_t dimension;
    double number;
};

struct constraint {
    char text[SPACE_CONSTRAINT_MAX]; /* canonical: with the dimensions' own names */
    uint64_t uses;                   /* dimensions named in it */
    uint64_t rests_on;               /* those, and those that decide whether they are there */
    size_t count;
    struct step steps[];
};

/* Does it hold? True where one of its values is absent. */
bool constraint_holds(const struct constraint *c, const struct assignment *a);

/* A function by its name, -1: none; how many arguments it takes at least and at most. */
int function_find(const char *name, size_t len);
const char *function_names(void);
size_t function_least(int f);
size_t function_most(int f);
double function_of(int f, const double *arguments, size_t count);

#endif
