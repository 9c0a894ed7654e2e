#include "common/curves/plain_words.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "sweep/metric_word.h"
#include "common/curves/number_word.h"
#include "sweep/require.h"

static const char *const train_words[] = {"train", "training", "trn", "tr", "learn"};
static const char *const heldout_words[] = {
    "val", "valid", "validation", "validating", "validate", "test", "testing", "eval",
    "evaluation", "evaluating", "dev", "heldout", "holdout", "cv",
};
/* Belong to a name and say nothing that tells it from another. */
static const char *const silent[] = {
    "average", "avg", "mean", "total", "running", "smoothed", "batch", "minibatch", "mini-batch",
    "epoch", "step", "current", "cur", "overall", "set",
};
static const char *const qualifiers[] = {
    "final", "best", "min", "max", "minimum", "maximum", "lowest", "highest", "previous", "prev",
    "last", "ema", "raw", "weighted", "macro", "micro", "binary", "categorical", "sparse", "cross",
    "squared", "absolute", "root", "percentage", "log", "top", "generator", "discriminator",
    "reconstruction", "balanced", "class", "box", "object", "mask", "masked", "aux", "auxiliary",
    "contrastive", "kl", "l1", "l2",
};

static bool in_list(const char *word, size_t len, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (word_is(word, len, list[i]))
            return true;
    return false;
}

static enum data_set set_of(const char *word, size_t len)
{
    if (in_list(word, len, train_words, ARRAY_LEN(train_words)))
        return SET_TRAIN;
    return in_list(word, len, heldout_words, ARRAY_LEN(heldout_words)) ? SET_HELDOUT : SET_NONE;
}

/* A letter, digit, or what holds the parts of a name together when a letter follows. */
static size_t word_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len) {
        unsigned char c = (unsigned char)text[n];
        unsigned char next = n + 1 < len ? (unsigned char)text[n + 1] : 0;
        bool joins = (strchr("-/.", c) && isalpha(next)) || (c == '@' && isdigit(next)) ||
                     (c == '\'' && next == 's');
        if (!isalnum(c) && c != '_' && !(n > 0 && joins))
            break;
        n++;
    }
    return n;
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return len > 0;
}

/* Groups of exactly three digits, each behind a comma, from text[at] on. */
static size_t groups_of_three(const char *text, size_t len, size_t at)
{
    size_t groups = 0;
    while (len - at >= 4 && text[at] == ',' && all_digits(text + at + 1, 3) &&
           (len - at == 4 || !isdigit((unsigned char)text[at + 4]))) {
        groups++;
        at += 4;
    }
    return groups;
}

/* Bytes of 1,234.5 or 0,41 that begins with `plain` bytes of a number; plain: it is neither. */
static size_t comma_number(const char *text, size_t len, size_t plain, double *out)
{
    char copy[64];
    size_t kept = 0, n = plain;
    if (!all_digits(text, plain) || len - plain < 2 || !isdigit((unsigned char)text[plain + 1]))
        return plain;
    size_t groups = groups_of_three(text, len, plain);
    bool decimal = groups == 0 || (groups == 1 && plain == 1 && text[0] == '0');
    n += decimal ? 1 : groups * 4;
    n += !decimal && n < len && text[n] == '.';
    while (n < len && isdigit((unsigned char)text[n]))
        n++;
    if (n >= sizeof(copy))
        return plain;
    for (size_t i = 0; i < n; i++)
        if (text[i] != ',' || decimal)
            copy[kept++] = text[i] == ',' ? '.' : text[i];
    return number_word(copy, kept, out) == kept ? n : plain;
}

/* Is what follows a number something that makes it no measurement? */
static bool goes_on(const char *after, size_t len)
{
    unsigned char c = len > 0 ? (unsigned char)after[0] : ' ';
    unsigned char next = len > 1 ? (unsigned char)after[1] : ' ';
    return isalpha(c) || c == '_' || (strchr(":-.,", c) && c && isdigit(next));
}

static size_t read_number(const char *text, size_t len, struct token *t)
{
    size_t n = number_word(text, len, &t->value);
    if (n == 0)
        return 0;
    bool listed = n < len && text[n] == ',';
    n = listed ? comma_number(text, len, n, &t->value) : n;
    t->measured = !goes_on(text + n, len - n);
    if (n < len && text[n] == '%') {
        t->percent = true;
        t->value /= 100;
        n++;
    }
    return n;
}

size_t plain_tokens(const char *text, size_t len, struct token *out)
{
    size_t count = 0;
    for (size_t at = 0; at < len && count < PLAIN_TOKENS_MAX;) {
        unsigned char c = (unsigned char)text[at];
        if (c <= ' ') {
            at++;
            continue;
        }
        struct token t = {.kind = TOKEN_NUMBER, .at = text + at};
        t.len = read_number(text + at, len - at, &t);
        if (t.len == 0) {
            t.kind = TOKEN_WORD;
            t.len = isalpha(c) || c == '_' ? word_length(text + at, len - at) : 0;
        }
        if (t.len == 0) {
            t.kind = TOKEN_MARK;
            t.len = 1;
        }
        at += t.len;
        out[count++] = t;
    }
    return count;
}

bool token_is(const struct token *t, char mark)
{
    return t->kind == TOKEN_MARK && *t->at == mark;
}

bool token_is_word(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && word_is(t->at, t->len, word);
}

enum data_set set_in_name(const char *name, size_t len)
{
    static const char *const joined[] = {"train", "valid", "val", "test", "eval"};
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && isalnum((unsigned char)name[i]))
            i++;
        enum data_set set = set_of(name + from, i - from);
        for (size_t k = 0; k < ARRAY_LEN(joined) && set == SET_NONE; k++) { /* valLoss */
            size_t n = strlen(joined[k]);
            if (i - from > n && isupper((unsigned char)name[from + n]) &&
                word_is(name + from, n, joined[k]))
                set = set_of(joined[k], n);
        }
        if (set != SET_NONE)
            return set;
        i += i < len;
    }
    return SET_NONE;
}

bool token_is_set(const struct token *t)
{
    return t->kind == TOKEN_WORD && set_of(t->at, t->len) != SET_NONE;
}

bool token_is_silent(const struct token *t)
{
    return t->kind == TOKEN_WORD && in_list(t->at, t->len, silent, ARRAY_LEN(silent));
}

bool token_qualifies(const struct token *t)
{
    if (t->kind != TOKEN_WORD)
        return false;
    if (t->len > 2 && memcmp(t->at + t->len - 2, "'s", 2) == 0) /* LightGBM: "training's l2" */
        return true;
    return token_is_set(t) || token_is_silent(t) ||
           in_list(t->at, t->len, qualifiers, ARRAY_LEN(qualifiers));
}
