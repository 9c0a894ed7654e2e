/* Small logs, each with the curve that it is read as, or the message that refuses it. */
#ifndef TESTS_CURVE_CASES_H
#define TESTS_CURVE_CASES_H

#include <stddef.h>

struct curve_case {
    const char *name; /* of the file */
    const char *text;
    /* Points as "epoch:train_loss/val_loss", '-' for what was not measured, ";train_acc/val_acc"
     * behind them where there is one: "1:2.5/3 2:2/-;0.5/0.25". "!" and the beginning of the
     * message: refused. */
    const char *curve;
    const char *note; /* what one of its notes has in it; NULL: not looked at; "": there are none */
    const char *run;  /* --run, or NULL */
};

/* Fails the running test with the case's place, what was expected and what came. */
void curve_cases_check(const struct curve_case *cases, size_t count);

#endif
