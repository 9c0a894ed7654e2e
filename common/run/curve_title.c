/* A title is cut into words: at what is no letter or digit, and within "valLoss". Words of a set
 * (train, val, …), of a statistic (epoch, step, mean, …) and fillers are taken out; what remains is
 * looked up. */
#include "sweep/curve_title.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/run/title_words.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define TITLE_MAX 128
#define WORDS_MAX 24
#define GLUED_MAX 28 /* bytes of "validierungsgenauigkeit", and more */

struct words {
    char text[2 * TITLE_MAX];
    const char *word[WORDS_MAX];
    size_t count, used;
};

/* What was found out about a title before its quantity is looked up. */
struct parts {
    struct words rest; /* neither set, statistic nor filler */
    enum curve_split split;
    enum statistic statistic;
    int set; /* the number behind the set's name, from 1; 0: none */
    bool epoch, step, numbered, bound, after_split;
};

/* Of ASCII, and of the letters with accents of UTF-8 behind 0xC3: "É", "Ü". */
static char lower(char c, char before)
{
    unsigned char u = (unsigned char)c;
    bool accented = (unsigned char)before == 0xC3 && u >= 0x80 && u <= 0x9E;
    return accented ? (char)(u + 0x20) : (char)tolower(u);
}

static void add_word(struct words *w, const char *text, size_t len)
{
    if (len == 0 || w->count == WORDS_MAX || w->used + len + 1 > sizeof(w->text))
        return;
    char *at = w->text + w->used;
    for (size_t i = 0; i < len; i++)
        at[i] = lower(text[i], i > 0 ? text[i - 1] : ' ');
    at[len] = '\0';
    w->word[w->count++] = at;
    w->used += len + 1;
}

/* "valLoss" is two words; "mAP", "nDCG" and "MSE" are one. */
static bool word_begins(const char *text, size_t i)
{
    return i >= 2 && isupper((unsigned char)text[i]) && islower((unsigned char)text[i - 1]) &&
           islower((unsigned char)text[i - 2]);
}

static void cut_words(const char *text, size_t len, struct words *out)
{
    size_t begin = 0;

    for (size_t i = 0; i <= len; i++) {
        bool inside = i < len && (isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 128);
        if (inside && !(i > begin && word_begins(text, i)))
            continue;
        add_word(out, text + begin, i - begin);
        begin = inside ? i : i + 1;
    }
}

enum curve_split curve_split_find(const char *word, size_t len)
{
    const struct title_word *w = title_word_find(word, len);
    return w && w->kind == WORD_SPLIT ? (enum curve_split)w->value : CURVE_SPLIT_NONE;
}

/* "trainloss", "lossval": two known words without anything between. */
static size_t glued(const char *word)
{
    const struct title_word *a, *b;

    if (strlen(word) > GLUED_MAX)
        return 0;
    for (size_t at = 0; (a = title_word_begins(word, &at)) != NULL;) {
        size_t cut = strlen(a->word);
        if ((b = title_word_find(word + cut, strlen(word + cut))) == NULL)
            continue;
        bool split_first = a->kind == WORD_SPLIT && (b->kind == WORD_LOSS || b->kind == WORD_ACC);
        bool split_last = b->kind == WORD_SPLIT && (a->kind == WORD_LOSS || a->kind == WORD_ACC);
        if (split_first || split_last)
            return cut;
    }
    return 0;
}

static bool is_number(const char *word)
{
    return word[strspn(word, "0123456789")] == '\0';
}

static bool is_loss_word(const char *word)
{
    const struct title_word *w = word ? title_word_find(word, strlen(word)) : NULL;
    return w && w->kind == WORD_LOSS;
}

/* "perte de validation": between the two alone; "eval_de_loss" is of German. */
static bool fills(const struct parts *p, const struct title_word *w, const char *next)
{
    return w->value != FILLS_BETWEEN || (p->rest.count > 0 && next != NULL);
}

/* next: the word behind it, or NULL. */
static void sort_word(struct parts *p, const char *word, const char *next)
{
    const struct title_word *w = title_word_find(word, strlen(word));

    if (is_number(word)) {
        p->numbered = true;
        if (p->after_split && strlen(word) < 3)
            p->set = 1 + (int)strtol(word, NULL, 10);
        return;
    }
    p->after_split = w && w->kind == WORD_SPLIT;
    if (p->after_split) {
        /* "eval/test_loss": the later word, "train/val_loss" too. */
        p->split = (enum curve_split)w->value;
        return;
    }
    if (w && w->kind == WORD_STATISTIC) {
        p->statistic = (enum statistic)w->value;
        p->bound |= w->value == STATISTIC_BOUND;
        p->epoch |= w->value == STATISTIC_EPOCH;
        p->step |= w->value == STATISTIC_BATCH;
        return;
    }
    if (w && w->kind == WORD_LOSS)
        add_word(&p->rest, "loss", 4); /* "losses", "verlust" */
    else if (!w || w->kind != WORD_FILLER || (w->value && is_loss_word(next)) ||
             !fills(p, w, next))
        add_word(&p->rest, word, strlen(word));
}

static void sort_words(const struct words *w, struct parts *out)
{
    for (size_t i = 0; i < w->count; i++) {
        size_t cut = title_word_find(w->word[i], strlen(w->word[i])) ? 0 : glued(w->word[i]);
        if (cut == 0) {
            sort_word(out, w->word[i], i + 1 < w->count ? w->word[i + 1] : NULL);
            continue;
        }
        struct words two = {0};
        add_word(&two, w->word[i], cut);
        add_word(&two, w->word[i] + cut, strlen(w->word[i]) - cut);
        for (size_t k = 0; k < two.count; k++)
            sort_word(out, two.word[k], NULL);
    }
}

static void join(const struct words *w, const char *without, char out[TITLE_MAX])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < w->count; i++) {
        size_t n = strlen(w->word[i]);
        if ((without && strcmp(w->word[i], without) == 0) || used + n + 2 > TITLE_MAX)
            continue;
        if (used > 0)
            out[used++] = '_';
        memcpy(out + used, w->word[i], n + 1);
        used += n;
    }
}

static bool has_kind(const struct words *w, enum title_word_kind kind)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct title_word *known = title_word_find(w->word[i], strlen(w->word[i]));
        if (known && known->kind == kind)
            return true;
    }
    return false;
}

/* The quantity of that name, of its words from the first or the second on, or of its last word:
 * "quantile rmse" is an rmse. */
static const struct title_quantity *find_quantity(const char *name)
{
    const struct title_quantity *q = title_quantity_find(name);
    for (const char *at = name; !q && (at = strchr(at, '_')) != NULL;)
        q = title_quantity_find(++at);
    return q;
}

/* --- roles -------------------------------------------------------------------------------- */

static bool validates(enum curve_split s)
{
    return s >= CURVE_SPLIT_VAL;
}

static int split_rank(enum curve_split s)
{
    return validates(s) ? (int)s - CURVE_SPLIT_VAL : s == CURVE_SPLIT_NONE;
}

/* Statistics count less than sets, sets less than measures. */
static int rank_of(const struct parts *p, int measure)
{
    return measure * 64 + split_rank(p->split) * 16 + (int)p->statistic * 2 + p->numbered;
}

static bool all_summable(const struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->word[i], "loss") != 0 && !title_part_known(w->word[i]))
            return false;
    return true;
}

/* "Loss/total_loss": the first is the group in which it is shown. */
static struct words without_group(const struct words *w)
{
    struct words rest = *w;
    bool again = false;

    for (size_t i = 1; i < w->count; i++)
        again |= strcmp(w->word[i], "loss") == 0;
    if (!again || strcmp(w->word[0], "loss") != 0)
        return rest;
    rest.count--;
    memmove(rest.word, rest.word + 1, rest.count * sizeof(rest.word[0]));
    return rest;
}

/* Some "loss", by what else its title says: nothing, a measure, or of what it is a loss. */
static void read_loss(const struct parts *p, struct curve_title *t)
{
    char name[TITLE_MAX], full[TITLE_MAX];
    struct words rest = without_group(&p->rest);

    join(&p->rest, "loss", name);
    join(&rest, NULL, full);
    const struct title_quantity *q = title_quantity_find(full);
    if (!q && (q = title_quantity_find(name)) != NULL && q->role != CURVE_ROLE_LOSS)
        q = NULL; /* "f1_loss" is a loss, "loss_scale" none */
    t->role = q ? (enum curve_role)q->role : name[0] ? CURVE_ROLE_PART : CURVE_ROLE_LOSS;
    t->preference = q ? q->preference : name[0] ? PREFERENCE_PART : 0;
    t->what = q ? q->what : NULL;
    t->summable = name[0] && all_summable(&p->rest);
    str_copy(t->measure, sizeof(t->measure), !q ? name : q->measure ? q->measure : "");
    if (t->role == CURVE_ROLE_LOSS && t->preference <= PREFERENCE_TOTAL)
        t->kind = validates(p->split) ? CURVE_VAL_LOSS : CURVE_TRAIN_LOSS;
}

static void read_accuracy(const struct parts *p, struct curve_title *t)
{
    t->role = CURVE_ROLE_ACC;
    t->preference = p->rest.count > 1;
    t->what = "an accuracy";
    t->kind = p->rest.count > 1 ? CURVE_TITLE_OTHER
              : validates(p->split) ? CURVE_VAL_ACC : CURVE_TRAIN_ACC;
}

static void read_quantity(const struct title_quantity *q, const struct parts *p,
                          struct curve_title *t)
{
    t->role = (enum curve_role)q->role;
    t->preference = q->preference;
    t->what = q->what;
    str_copy(t->measure, sizeof(t->measure), q->measure ? q->measure : "");
    if (t->role == CURVE_ROLE_ACC)
        t->kind = CURVE_TITLE_OTHER;
    else if (q->column >= 0 && (q->column != CURVE_VAL_F1 || validates(p->split)) &&
             (q->column != CURVE_VAL_R2 || validates(p->split)))
        t->kind = q->column;
}

/* scikit-learn's "neg_mean_squared_error" is a score, of which more is better; a negative log
 * likelihood is a loss. */
static bool is_negated(const char *name)
{
    size_t n = strncmp(name, "neg_", 4) == 0 ? 4 : strncmp(name, "negative_", 9) == 0 ? 9 : 0;
    const struct title_quantity *q = n > 0 ? title_quantity_find(name + n) : NULL;
    return q && q->role == CURVE_ROLE_LOSS && q->preference >= 2 && !title_quantity_find(name);
}

static void read_rest(const struct parts *p, struct curve_title *t)
{
    char name[TITLE_MAX];

    join(&p->rest, NULL, name);
    if (p->rest.count == 0) {
        if (p->step || p->epoch) {
            t->role = p->step ? CURVE_ROLE_STEP : CURVE_ROLE_EPOCH;
            t->kind = CURVE_TITLE_EPOCH;
            t->rank = p->step;
        }
        return;
    }
    if (p->bound)
        return; /* the best so far, a deviation: no curve of its own */
    const struct title_quantity *q = find_quantity(name);
    if (is_negated(name)) {
        t->role = CURVE_ROLE_METRIC;
        t->what = "a negated error, of which more is better";
        return;
    }
    if (has_kind(&p->rest, WORD_LOSS))
        read_loss(p, t);
    else if (has_kind(&p->rest, WORD_ACC))
        read_accuracy(p, t);
    else if (q)
        read_quantity(q, p, t);
    else
        return;
    t->rank = rank_of(p, t->preference);
}

/* A column of sweep/curve.h under its own name. */
static bool read_own(const struct words *w, struct curve_title *t)
{
    char name[TITLE_MAX];

    join(w, NULL, name);
    for (int i = CURVE_TRAIN_LOSS_MIN; i < CURVE_COLUMN_COUNT; i++) {
        if (strcmp(curve_column_name((enum curve_column)i), name) == 0) {
            t->kind = i;
            t->role = CURVE_ROLE_COLUMN;
            t->what = "measured, but no loss";
            return true;
        }
    }
    return false;
}

/* "learn_rate", "total_steps": a quantity whose name has words that mean something else alone. */
static bool read_whole(const struct words *w, struct curve_title *t)
{
    char name[TITLE_MAX];

    join(w, NULL, name);
    const struct title_quantity *q = title_quantity_find(name);
    if (!q || q->role == CURVE_ROLE_LOSS || q->role == CURVE_ROLE_ACC)
        return false;
    if (q->role == CURVE_ROLE_STEP)
        *t = (struct curve_title){CURVE_TITLE_EPOCH, q->preference, CURVE_ROLE_STEP, .measure = ""};
    else
        read_quantity(q, &(struct parts){0}, t);
    return true;
}

/* --- the title's text --------------------------------------------------------------------- */

static bool knows(const char *text, size_t len)
{
    struct words w = {0};

    cut_words(text, len, &w);
    for (size_t i = 0; i < w.count; i++)
        if (title_word_find(w.word[i], strlen(w.word[i])) || glued(w.word[i]) ||
            title_quantity_find(w.word[i]))
            return true;
    return false;
}

/* Nothing but known words: then what stands before " - " is no run's name. */
static bool all_known(const char *text, size_t len)
{
    struct words w = {0};

    cut_words(text, len, &w);
    for (size_t i = 0; i < w.count; i++)
        if (!title_word_find(w.word[i], strlen(w.word[i])) && !glued(w.word[i]))
            return false;
    return w.count > 0;
}

size_t curve_title_run(const char *title, size_t len)
{
    for (size_t i = len; i > 3; i--)
        if (memcmp(title + i - 3, " - ", 3) == 0)
            return all_known(title, i - 3) ? 0 : i;
    return 0;
}

/* "Loss (nats)", "LR [1e-3]": what is in brackets at the end is a unit, unless it is known. */
static size_t without_unit(const char *title, size_t len, bool *percent)
{
    static const char PAIRS[][2] = {{'(', ')'}, {'[', ']'}, {'{', '}'}};

    while (len > 0 && title[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < ARRAY_LEN(PAIRS); i++) {
        const char *open = len > 2 && title[len - 1] == PAIRS[i][1]
                               ? memrchr(title, PAIRS[i][0], len - 1) : NULL;
        if (!open || open == title)
            continue;
        size_t inside = (size_t)(title + len - 1 - open - 1);
        *percent |= memchr(open, '%', inside + 1) != NULL;
        return knows(open + 1, inside) ? len : (size_t)(open - title);
    }
    return len;
}

static bool ends_with(const char *title, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len > n && memcmp(title + len - n, suffix, n) == 0;
}

struct curve_title curve_title_read(const char *title, size_t len)
{
    struct curve_title t = {.kind = CURVE_TITLE_OTHER};
    struct parts p = {.statistic = STATISTIC_NONE};
    struct words w = {0};
    size_t run = curve_title_run(title, len);

    title += run;
    len -= run;
    /* W&B's bounds of the column before. */
    if (len >= TITLE_MAX || ends_with(title, len, "__MIN") || ends_with(title, len, "__MAX"))
        return t;
    t.percent = memchr(title, '%', len) != NULL;
    cut_words(title, without_unit(title, len, &t.percent), &w);
    if (read_whole(&w, &t) || read_own(&w, &t))
        return t;
    sort_words(&w, &p);
    t.split = p.split;
    read_rest(&p, &t);
    t.set = p.set;
    t.bare = p.split != CURVE_SPLIT_NONE && p.rest.count == 0 && t.role == CURVE_ROLE_OTHER;
    return t;
}

bool curve_title_column(const char *name, enum curve_column *column, int *rank)
{
    struct curve_title title = curve_title_read(name, strlen(name));
    if (title.kind >= CURVE_COLUMN_COUNT || title.kind == CURVE_SECONDS)
        return false;
    *column = (enum curve_column)title.kind;
    *rank = strcmp(name, curve_column_name(*column)) == 0 ? CURVE_RANK_SAME : title.rank;
    return true;
}
