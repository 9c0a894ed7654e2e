/* The words of titles of curves, and the quantities they make up: tables, a row a word. */
#ifndef COMMON_RUN_TITLE_WORDS_H
#define COMMON_RUN_TITLE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum title_word_kind { WORD_SPLIT, WORD_STATISTIC, WORD_LOSS, WORD_ACC, WORD_FILLER };

/* What a column tells of an epoch; the lower counts. */
enum statistic {
    STATISTIC_EPOCH, /* said to be the epoch's own */
    STATISTIC_NONE,
    STATISTIC_MEAN,
    STATISTIC_BATCH,
    STATISTIC_SMOOTHED,
    STATISTIC_BOUND, /* the best so far, a deviation */
};

enum { FILLS = 0, FILLS_BUT_LOSS = 1, FILLS_BETWEEN = 2 };

struct title_word {
    const char *word;
    enum title_word_kind kind;
    int value; /* enum curve_split or statistic; of a filler FILLS_BUT_LOSS: "value_loss" is of the
                * value; FILLS_BETWEEN: between a quantity and a set, "perte de validation" */
};

/* Of losses: the lower counts. */
enum { PREFERENCE_LOSS, PREFERENCE_TOTAL, PREFERENCE_PART = 60 };

struct title_quantity {
    const char *name; /* its words joined by '_', without sets, statistics and fillers */
    int role;         /* enum curve_role */
    int column;       /* enum curve_column, or -1 */
    int preference;
    const char *measure; /* of a loss: one name for all its spellings */
    const char *what;
};

/* NULL: unknown. The word is in lower case. */
const struct title_word *title_word_find(const char *word, size_t len);
/* The next known word that the text begins with, and goes on behind; *at is 0 before the first.
 * NULL: no more. */
const struct title_word *title_word_begins(const char *text, size_t *at);
const struct title_quantity *title_quantity_find(const char *name);
/* What detectors have losses of ("box", "obj", "cls", …): their sum is the loss. */
bool title_part_known(const char *word);

#endif
