/* A line of a program's output as words, numbers and marks. */
#ifndef COMMON_CURVES_PLAIN_WORDS_H
#define COMMON_CURVES_PLAIN_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define PLAIN_TOKENS_MAX 512

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_MARK };

struct token {
    enum token_kind kind;
    const char *at; /* in the line */
    size_t len;
    double value;  /* of TOKEN_NUMBER; of 98% it is 0.98 */
    bool measured; /* of TOKEN_NUMBER: no time, date, version or size (5ms, 10:20:30, 1.2.3) */
    bool percent;
};

/* At most PLAIN_TOKENS_MAX; what comes behind is left out. */
size_t plain_tokens(const char *text, size_t len, struct token *out);

bool token_is(const struct token *t, char mark);
/* In any case; the word is written in small letters. */
bool token_is_word(const struct token *t, const char *word);
/* The part of the data that a name speaks of: "val_loss", "trainLoss", "Test loss". */
enum data_set { SET_NONE, SET_TRAIN, SET_HELDOUT };
enum data_set set_in_name(const char *name, size_t len);
bool token_is_set(const struct token *t); /* nothing but such a word */
/* May stand before a measurement's word and belong to its name: "average loss", "best val loss". */
bool token_qualifies(const struct token *t);
bool token_is_silent(const struct token *t); /* one that may be left out: "average" */

#endif
