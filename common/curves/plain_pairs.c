#include "sweep/plain_pairs.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sweep/metric_word.h"
#include "common/curves/plain_words.h"
#include "sweep/buf.h"
#include "sweep/require.h"

struct scan {
    struct token t[PLAIN_TOKENS_MAX];
    size_t count;
    size_t carried; /* "loss: train 0.4 val 0.5": place of "loss" + 1 */
    size_t context; /* "Test set: loss 0.4": place of "Test" + 1 */
    size_t used;    /* tokens before this belong to what was read already */
    bool trains;    /* a pair is of training, or of nothing said */
    bool measures;  /* one is more than a learning rate */
    struct plain_line *line;
};

static const struct token *token(const struct scan *s, size_t i)
{
    static const struct token none = {.kind = TOKEN_MARK, .at = "\n", .len = 1};
    return i < s->count ? &s->t[i] : &none; /* -1 too */
}

static bool is_metric(const struct token *t)
{
    return t->kind == TOKEN_WORD && is_metric_word(t->at, t->len);
}

static bool is_rate(const struct token *t)
{
    return token_is_word(t, "lr") || token_is_word(t, "learning_rate");
}

static bool is_whole(double v)
{
    return v >= 0 && v == floor(v);
}

/* --- counters ------------------------------------------------------------------------------- */

static bool is_epoch_word(const struct token *t)
{
    return token_is_word(t, "epoch") || token_is_word(t, "ep");
}

static bool is_step_word(const struct token *t)
{
    static const char *const words[] = {"step", "global_step", "iter", "iteration", "it", "round",
                                        "update", "num_updates"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (token_is_word(t, words[i]))
            return true;
    return false;
}

static bool is_batch_word(const struct token *t)
{
    return token_is_word(t, "batch") || token_is_word(t, "batches");
}

/* "best epoch: 7", "at epoch 7": not where the training is now. */
static bool speaks_of_another(const struct token *t)
{
    static const char *const words[] = {"best", "at", "from", "since", "after", "every", "per",
                                        "max", "total", "until", "by"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (token_is_word(t, words[i]))
            return true;
    return false;
}

/* a/b at token i, with blanks or without; not a date. */
static bool is_fraction(const struct scan *s, size_t i)
{
    const struct token *a = token(s, i), *b = token(s, i + 2);
    return a->kind == TOKEN_NUMBER && token_is(token(s, i + 1), '/') && b->kind == TOKEN_NUMBER &&
           !token_is(token(s, i + 3), '/') && !token_is(token(s, i - 1), '/');
}

/* The fraction or "12/Unknown" at token i as a position. Its tokens, or 0. */
static size_t read_position(struct scan *s, size_t i)
{
    const struct token *a = token(s, i), *b = token(s, i + 2);
    bool open = a->kind == TOKEN_NUMBER && token_is(token(s, i + 1), '/') &&
                token_is_word(b, "unknown");
    if (!open && !is_fraction(s, i))
        return 0;
    if (!is_whole(a->value) || (!open && (!is_whole(b->value) || b->value < 1 ||
                                          a->value > b->value)))
        return 0;
    if (!s->line->has_position) {
        s->line->has_position = true;
        s->line->at = a->value;
        s->line->of = open ? NAN : b->value;
    }
    return 3;
}

static size_t skip_marks(const struct scan *s, size_t i, const char *marks)
{
    while (token(s, i)->kind == TOKEN_MARK && strchr(marks, *token(s, i)->at))
        i++;
    return i;
}

/* "Epoch 3", "epoch: [3/30]", "Epoch(train) [3][10/200]", at the word. Where it ends; i: no
 * counter. */
static size_t read_counter(struct scan *s, size_t i)
{
    struct plain_line *l = s->line;
    const struct token *word = token(s, i), *n;
    bool epoch = is_epoch_word(word), step = is_step_word(word);
    const struct token *before = token(s, i - 1);
    bool begins = i == 1 && (token_is_word(before, "at") || token_is_word(before, "after"));
    if ((!epoch && !step && !is_batch_word(word)) || (speaks_of_another(before) && !begins))
        return i;
    size_t at = i + 1;
    if (token_is(token(s, at), '(') && token(s, at + 1)->kind == TOKEN_WORD) {
        s->context = token_is_set(token(s, at + 1)) ? at + 2 : s->context;
        at += 3;
    }
    at = skip_marks(s, at, ":=[#('\"");
    n = token(s, at);
    if (n->kind != TOKEN_NUMBER || !n->measured || n->percent || !(n->value >= 0))
        return i;
    bool of = is_fraction(s, at);
    l->context[0] = '\0';
    if (epoch && !l->has_epoch) {
        l->has_epoch = true;
        l->epoch = n->value;
    } else if (!epoch && of && (l->has_epoch || !step)) {
        read_position(s, at);
    } else if (step && !l->has_step) {
        l->has_step = true;
        l->step = n->value;
    } else if (!epoch && !step && !l->has_batch) {
        l->has_batch = true;
        l->batch = n->value;
    }
    return at + (of ? 3 : 1);
}

/* "Train: 3 [ 10/500 (2%)]": the epoch. Where it ends; i: it is not so. */
static size_t read_set_counter(struct scan *s, size_t i)
{
    const struct token *n = token(s, i + 2);
    if (!token_is_set(token(s, i)) || !token_is(token(s, i + 1), ':') ||
        n->kind != TOKEN_NUMBER || !n->measured || !is_whole(n->value) ||
        !token_is(token(s, i + 3), '[') || s->line->has_epoch)
        return i;
    s->line->has_epoch = true;
    s->line->epoch = n->value;
    s->context = i + 1;
    return i + 3;
}

/* "[3]", "[2,  2000]" and "10:" that a line begins with. */
static size_t read_start(struct scan *s)
{
    struct plain_line *l = s->line;
    const struct token *n = token(s, token_is(token(s, 0), '[') ? 1 : 0);
    if (n->kind != TOKEN_NUMBER || !n->measured || n->percent || !is_whole(n->value))
        return 0;
    if (n == token(s, 0)) {
        if (!token_is(token(s, 1), ':'))
            return 0;
        l->has_step = true;
        l->step = n->value;
        return 2;
    }
    const struct token *end = token(s, 2);
    if (token_is(end, ']')) {
        l->has_step = true;
        l->step = n->value;
        return 3;
    }
    const struct token *batch = token(s, 3), *close = token(s, 4), *after = token(s, 5);
    if (!token_is(end, ',') || batch->kind != TOKEN_NUMBER || !token_is(close, ']') ||
        after->at == close->at + 1)
        return 0;
    l->has_epoch = l->has_batch = true;
    l->epoch = n->value;
    l->batch = batch->value;
    return 5;
}

/* --- pairs ---------------------------------------------------------------------------------- */

static void append(struct plain_pair *p, const char *text, size_t len)
{
    size_t used = strlen(p->name);
    for (size_t i = 0; i < len && used + 2 < sizeof(p->name); i++) {
        unsigned char c = (unsigned char)text[i];
        bool blank = c <= ' ' || c == 0x7f;
        if (!blank || (used > 0 && p->name[used - 1] != ' '))
            p->name[used++] = blank ? ' ' : (char)c;
    }
    p->name[used] = '\0';
}

static void append_token(const struct scan *s, struct plain_pair *p, size_t i)
{
    append(p, token(s, i)->at, token(s, i)->len);
    append(p, " ", 1);
}

/* Names the pair: words that qualify, the word itself with what stands in parentheses behind it;
 * in front of all, the set that the line spoke of, if the name has none. */
static void name_pair(const struct scan *s, struct plain_pair *p, size_t first, size_t word,
                      size_t last)
{
    const struct token *a = token(s, first), *w = token(s, word), *b = token(s, last);
    p->name[0] = '\0';
    if (token_is_set(w)) {
        append(p, w->at, w->len);
        if (s->carried > 0) {
            append(p, " ", 1);
            append(p, token(s, s->carried - 1)->at, token(s, s->carried - 1)->len);
        }
        return;
    }
    size_t len = (size_t)(b->at - a->at) + b->len;
    if (!is_rate(w) && set_in_name(a->at, len) == SET_NONE) {
        if (s->context > 0)
            append_token(s, p, s->context - 1);
        else if (s->line->context[0])
            snprintf(p->name, sizeof(p->name), "%.30s ", s->line->context);
    }
    for (size_t i = first; i < word; i++)
        if (!token_is_silent(token(s, i)) || (i + 1 < word && token_is_word(token(s, i), "mean")))
            append_token(s, p, i);
    append(p, w->at, (size_t)(b->at - w->at) + b->len);
}

/* The value at token i: a number, a of b, a number with its running average behind it (which is
 * taken), or one in tensor(…). Tokens used, or 0. */
static size_t read_measured(const struct scan *s, size_t i, double *out)
{
    const struct token *n = token(s, i);
    size_t used = 1;
    if (n->kind == TOKEN_WORD && token_is(token(s, i + 1), '(')) {
        if (token(s, i + 1)->at != n->at + n->len)
            return 0; /* "val loss decreased (0.41 --> 0.38)" */
        *out = token(s, i + 2)->value;
        return token(s, i + 2)->kind == TOKEN_NUMBER ? 3 : 0;
    }
    if (n->kind != TOKEN_NUMBER || !n->measured)
        return 0;
    *out = n->value;
    if (is_fraction(s, i)) {
        const struct token *of = token(s, i + 2);
        if (!is_whole(n->value) || !is_whole(of->value) || of->value < n->value || of->value == 0)
            return 0; /* 0.41/0.50: of two sets */
        *out = n->value / of->value;
        used = 3;
    }
    if (!n->percent && token_is(token(s, i + used), '%')) {
        *out /= 100;
        return used + 1;
    }
    const struct token *average = token(s, i + used + 1);
    if (used == 1 && token_is(token(s, i + 1), '(') && average->kind == TOKEN_NUMBER &&
        average->measured && average->percent == n->percent && token_is(token(s, i + 3), ')')) {
        *out = average->value;
        used = 4;
    }
    return used;
}

/* Does a name end at token i, with a value behind? Where the value is; 0: no. */
static size_t value_behind(const struct scan *s, size_t i, size_t *last)
{
    const struct token *t = token(s, i);
    size_t at = i + 1;
    *last = i;
    if (token_is(token(s, at), '(')) { /* Loss (MSE): 0.4 */
        size_t close = at + 1;
        while (close < at + 5 && close < s->count && !token_is(token(s, close), ')'))
            close++;
        if (!token_is(token(s, close), ')') || token(s, at + 1)->kind == TOKEN_NUMBER)
            return 0;
        *last = close;
        at = close + 1;
    }
    if (token_is_word(token(s, at), "value")) /* "lm loss value: 0.41" */
        at++;
    at = skip_marks(s, at, "'\"");
    bool separated = token_is(token(s, at), ':') || token_is(token(s, at), '=');
    at = separated ? skip_marks(s, at, ":='\"") : at;
    const struct token *v = token(s, at);
    if (!separated && v->at == t->at + t->len) /* glued */
        return 0;
    return v->kind == TOKEN_NUMBER || v->kind == TOKEN_WORD ? at : 0;
}

/* "Cost after iteration 100: 0.41", at its first word. Where its value is; 0: it is not so. */
static size_t value_after_counter(struct scan *s, size_t i)
{
    static const char *const between[] = {"after", "at", "in", "for"};
    const struct token *n = token(s, i + 3);
    bool epoch = is_epoch_word(token(s, i + 2)), known = false;
    for (size_t k = 0; k < ARRAY_LEN(between); k++)
        known |= token_is_word(token(s, i + 1), between[k]);
    if (!known || (!epoch && !is_step_word(token(s, i + 2))) || n->kind != TOKEN_NUMBER ||
        !n->measured || !is_whole(n->value))
        return 0;
    size_t value = skip_marks(s, i + 4, ":=");
    if (value == i + 4 || token(s, value)->kind != TOKEN_NUMBER)
        return 0;
    s->line->context[0] = '\0';
    *(epoch ? &s->line->has_epoch : &s->line->has_step) = true;
    *(epoch ? &s->line->epoch : &s->line->step) = n->value;
    return value;
}

/* "train: 0.41" without a word for what it is, but never "Test: 5 batches". */
static bool is_bare_set(const struct scan *s, size_t i, size_t value)
{
    const struct token *v = token(s, value);
    return token_is_set(token(s, i)) && v->kind == TOKEN_NUMBER &&
           (s->carried > 0 || memchr(v->at, '.', v->len));
}

/* Where it ends; i: no pair. */
static size_t read_pair(struct scan *s, size_t i)
{
    struct plain_line *l = s->line;
    const struct token *t = token(s, i);
    size_t last, first = i, value = is_metric(t) ? value_after_counter(s, i) : 0;
    if (value > 0)
        last = i;
    else
        value = value_behind(s, i, &last);
    if (value == 0 || l->count == PLAIN_PAIRS_MAX ||
        (!is_metric(t) && !is_rate(t) && !is_bare_set(s, i, value)))
        return i;
    struct plain_pair *p = &l->pairs[l->count];
    size_t used = read_measured(s, value, &p->value);
    if (used == 0)
        return i;
    if (!is_rate(t) && !token_is_set(t))
        while (first > s->used && i - first < 4 && token_qualifies(token(s, first - 1)))
            first--;
    name_pair(s, p, first, i, last);
    if (!is_rate(t)) {
        s->measures = true;
        s->trains |= set_in_name(p->name, strlen(p->name)) != SET_HELDOUT;
    }
    l->count++;
    return value + used;
}

/* Darknet's "7: 1.234567, 1.345678 avg loss, 0.001 rate", behind the 7: the second counts. Where it
 * ends; i: it is not so. */
static size_t read_average(struct scan *s, size_t i)
{
    const struct token *n = token(s, i + 2);
    struct plain_pair *p = &s->line->pairs[s->line->count];
    if (token(s, i)->kind != TOKEN_NUMBER || !token_is(token(s, i + 1), ',') ||
        n->kind != TOKEN_NUMBER || !n->measured || !token_is_word(token(s, i + 3), "avg") ||
        token_is(token(s, i + 4), ':') || token_is(token(s, i + 4), '='))
        return i;
    str_copy(p->name, sizeof(p->name), "avg loss");
    p->value = n->value;
    s->line->count++;
    s->measures = s->trains = true;
    return i + 4;
}

/* What a word that is no part of a pair says of those that follow; of "val loss 0.4" the first
 * belongs to a name as well. */
static void note_word(struct scan *s, size_t i)
{
    if (token_is_set(token(s, i)))
        s->context = i + 1;
    else if (token(s, i)->kind == TOKEN_WORD)
        s->carried = is_metric(token(s, i)) ? i + 1 : 0;
}

static size_t read_token(struct scan *s, size_t i)
{
    if (token(s, i)->kind == TOKEN_NUMBER)
        return i + read_position(s, i);
    size_t end = token(s, i)->kind == TOKEN_WORD ? read_counter(s, i) : i;
    end = end == i ? read_set_counter(s, i) : end;
    return end == i && token(s, i)->kind == TOKEN_WORD ? read_pair(s, i) : end;
}

/* "loss 0.4 | val 0.5": where nothing but a loss is measured, and training has no number of its own
 * so, the other is one too. */
static void name_bare_set(struct plain_line *l)
{
    struct plain_pair *bare = NULL;
    size_t metrics = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct token t = {.kind = TOKEN_WORD, .at = l->pairs[i].name,
                          .len = strlen(l->pairs[i].name)};
        if (is_rate(&t))
            continue;
        if (token_is_set(&t) && (bare || set_in_name(t.at, t.len) == SET_TRAIN))
            return;
        if (token_is_set(&t))
            bare = &l->pairs[i];
        else if (!token_is_word(&t, "loss") || ++metrics > 1)
            return;
    }
    if (bare && metrics == 1)
        append(bare, " loss", 5);
}

/* "Test Error:", "--- Validation ---", "Evaluating ..." */
static bool is_heading(const struct scan *s)
{
    size_t words = 0;
    for (size_t i = 0; i < s->count; i++)
        words += token(s, i)->kind != TOKEN_MARK;
    const struct token *last = token(s, s->count - 1);
    return s->context > 0 && s->line->count == 0 &&
           (words <= 2 || (words <= 6 && last->kind == TOKEN_MARK && !token_is(last, '!')));
}

/* What the lines before spoke of ends at a blank line, and where the training is said anew. */
static void keep_context(struct scan *s)
{
    struct plain_line *l = s->line;
    bool counts = l->has_epoch || l->has_step || l->has_batch || l->has_position;
    if (s->context > 0)
        snprintf(l->context, sizeof(l->context), "%.*s", (int)token(s, s->context - 1)->len,
                 token(s, s->context - 1)->at);
    else if (counts || s->count == 0)
        l->context[0] = '\0';
}

void plain_line_mark(char *text)
{
    char *found = strstr(text, "Saving dict for global step");
    if (found)
        memcpy(found, "eval           ", 15);
}

void plain_line_read(const char *text, size_t len, struct plain_line *out)
{
    struct scan s; /* its tokens are written before they are read */
    s.carried = s.context = 0;
    s.trains = s.measures = false;
    s.line = out;
    out->count = 0;
    out->has_epoch = out->has_step = out->has_batch = out->has_position = false;
    s.count = plain_tokens(text, len, s.t);
    s.used = read_start(&s);
    if (out->has_step || out->has_epoch)
        out->context[0] = '\0';
    s.used = out->has_step ? read_average(&s, s.used) : s.used;
    for (size_t i = s.used; i < s.count;) {
        size_t end = read_token(&s, i);
        if (end == i)
            note_word(&s, end++);
        else
            s.used = end;
        i = end;
    }
    out->count = s.measures ? out->count : 0;
    name_bare_set(out);
    out->heldout = out->count > 0 && !s.trains;
    out->heading = is_heading(&s);
    keep_context(&s);
}
