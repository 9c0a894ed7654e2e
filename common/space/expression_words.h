/* The words of a constraint's text. Private to common/space/. */
#ifndef SWEEP_COMMON_SPACE_EXPRESSION_WORDS_H
#define SWEEP_COMMON_SPACE_EXPRESSION_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/space/expression.h"

struct errbuf;

enum word {
    WORD_END,
    WORD_NUMBER,
    WORD_NAME, /* bare or in backquotes */
    WORD_TEXT, /* in quotes */
    WORD_SIGN, /* what stands for an operation, or joins */
};

struct words {
    const char *text, *path;
    struct errbuf *err;
    int code; /* of what went wrong */
    /* the word that is looked at */
    enum word word;
    size_t begin, end;
    enum step_kind kind; /* of a sign */
    char level; /* 'o' or, 'a' and, 'n' not, 'c' comparison, 's' sum, 'p' product, '^' power */
    double number;
    char name[SPACE_TEXT_MAX];
};

/* False always; the first failure is the one that is told: what is allowed instead of what stands
 * at that byte. */
bool words_fail(struct words *w, size_t at, int code, const char *allowed);
/* The next word, behind the one that is looked at. */
bool words_advance(struct words *w);
/* The name can stand without backquotes: it is one word, and no sign. */
bool words_are_plain(const char *name);

#endif
