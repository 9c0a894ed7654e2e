/* Words of the field for what we call by one name: "lr", "batchsize", "Adam", "glorot". */
#ifndef SWEEP_COMMON_SYNONYM_H
#define SWEEP_COMMON_SYNONYM_H

#include <stdbool.h>
#include <stddef.h>

struct synonym {
    const char *name; /* the one of names that is meant; NULL: none */
    const char *note; /* what must be known beside it; "" */
    bool same;        /* another name of the very thing, not only what is probably meant */
};

/* Equal but for case and for what joins words: "val/loss", "ValLoss", "val_loss". */
bool synonym_same_word(const char *a, const char *b);
/* The index of the only one of names that is the same word; -1: none, or several. */
int synonym_same_in(const char *word, const char *const *names, size_t count);
/* What word may mean among names. name NULL: nothing is known, or note says why there is no such
 * thing here. */
struct synonym synonym_find(const char *word, const char *const *names, size_t count);
/* The i-th row of words that can mean nothing else: what it lists, and what they mean, both with
 * '|' between. For what tells others of them (schema/spec.schema.json). false: there is none. */
bool synonym_row(size_t i, const char **words, const char **targets);

#endif
