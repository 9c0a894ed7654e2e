/* LIBSVM's sparse text: "label index:value index:value …" (C.-C. Chang and C.-J. Lin, "LIBSVM",
 * README, "Input file format"). Read twice: for its size, then into the memory of that size. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/data/columns.h"
#include "sweep/number.h"

struct svm {
    const struct text *text;
    const char *next;
    size_t line;                       /* of next */
    const struct table_columns *known; /* NULL: this is the training file */
    size_t samples;                    /* so far */
    size_t features;                   /* largest index so far, and one */
    bool from_zero;                    /* indices begin at 0: one of the training file is */
    bool queries;                      /* rows belong to the queries of a ranking task */
    struct table *out;                 /* NULL: sizes only */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The word at the next place of the line, len 0 at its end. A comment goes to the end. */
static const char *next_word(struct svm *s, size_t *len)
{
    while (is_blank(*s->next))
        s->next++;
    const char *word = s->next;
    if (*word == '#') {
        *len = 0;
        return word;
    }
    while (*s->next != '\0' && *s->next != '\n' && *s->next != '#' && !is_blank(*s->next))
        s->next++;
    *len = (size_t)(s->next - word);
    return word;
}

static void skip_line(struct svm *s)
{
    const char *end = strchr(s->next, '\n');
    s->next = end ? end + 1 : s->next + strlen(s->next);
}

static int fail_word(const struct svm *s, const char *word, size_t len, struct errbuf *err,
                     const char *what)
{
    char shown[TEXT_SHOW_MAX];
    return text_fail(s->text, s->line, err, ERR_DATA, "%s %s", text_show(shown, word, len), what);
}

static int read_label(struct svm *s, const char *word, size_t len, struct errbuf *err)
{
    double label;
    if (memchr(word, ':', len))
        return fail_word(s, word, len, err,
                         "where the label is due; allowed: \"LABEL INDEX:VALUE …\"");
    if (memchr(word, ',', len))
        return fail_word(s, word, len, err, "as label; allowed: one number (no sets of labels)");
    if (!number_parse(word, len, &label) || !isfinite(label))
        return fail_word(s, word, len, err, "as label; allowed: a finite number");
    if (s->out)
        s->out->targets[s->samples] = label;
    return 0;
}

/* Decimal digits up to the colon, at most SAMPLES_FEATURES_MAX; false when it is none. */
static bool parse_index(const char *word, const char *colon, size_t *out)
{
    size_t index = 0;
    if (word == colon)
        return false;
    for (; word < colon; word++) {
        if (*word < '0' || *word > '9')
            return false;
        index = index * 10 + (size_t)(*word - '0');
        if (index > SAMPLES_FEATURES_MAX)
            return false;
    }
    *out = index;
    return true;
}

static int fail_index(const struct svm *s, const char *word, size_t len, struct errbuf *err)
{
    char shown[TEXT_SHOW_MAX];
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "index of %s; allowed: whole numbers from 0 or 1 to %zu",
                     text_show(shown, word, len), SAMPLES_FEATURES_MAX);
}

/* "qid:NUMBER" before the first index, as SVMrank writes it. */
static int read_query(struct svm *s, const char *word, size_t len, struct errbuf *err)
{
    double query;
    if (!number_parse(word + 4, len - 4, &query))
        return fail_word(s, word, len, err, "whose query is no number");
    s->queries = true;
    return 0;
}

/* One "index:value"; *last is the index before it, and one. */
static int read_pair(struct svm *s, const char *word, size_t len, size_t *last, struct errbuf *err)
{
    const char *colon = memchr(word, ':', len);
    double value;
    if (!colon)
        return fail_word(s, word, len, err, "where INDEX:VALUE is due");
    if (*last == 0 && colon - word == 3 && memcmp(word, "qid", 3) == 0)
        return read_query(s, word, len, err);
    size_t index;
    if (!parse_index(word, colon, &index))
        return fail_index(s, word, len, err);
    if (index < *last)
        return fail_word(s, word, len, err,
                         index + 1 == *last
                             ? "repeats the index before it; allowed: ascending ones"
                             : "behind a larger index; allowed: ascending ones");
    size_t least = s->from_zero ? 0 : 1;
    if (s->known && (index < least || index - least >= s->known->features))
        return text_fail(s->text, s->line, err, ERR_DATA,
                         "index %zu; allowed: %zu..%zu, as in the training file", index, least,
                         s->known->features - 1 + least);
    if (!number_parse(colon + 1, len - (size_t)(colon + 1 - word), &value))
        return fail_word(s, word, len, err, "whose value is no number");
    if (s->out)
        ((float *)s->out->values)[s->samples * s->out->shape.dim[0] + index - least] =
            (float)value;
    else if (!s->known)
        s->from_zero = s->from_zero || index == 0;
    *last = index + 1;
    return 0;
}

/* One line; blank and comment lines are no samples. */
static int read_line(struct svm *s, struct errbuf *err)
{
    const char *start = s->next;
    size_t len, last = 0;
    const char *word = next_word(s, &len);
    if (len > 0) {
        int rc = read_label(s, word, len, err);
        while (rc == 0 && (word = next_word(s, &len), len > 0))
            rc = read_pair(s, word, len, &last, err);
        if (rc != 0)
            return rc;
        s->samples++;
        s->features = last > s->features ? last : s->features;
    }
    skip_line(s);
    if ((size_t)(s->next - start) > TEXT_LINE_MAX)
        return text_fail(s->text, s->line, err, ERR_DATA, "longer than %zu MiB",
                         TEXT_LINE_MAX >> 20);
    return 0;
}

static int read_lines(struct svm *s, struct table *out, struct errbuf *err)
{
    s->next = s->text->data;
    if (s->text->len >= 3 && memcmp(s->next, "\xEF\xBB\xBF", 3) == 0)
        s->next += 3;
    s->samples = 0;
    s->out = out;
    for (s->line = 1; *s->next != '\0'; s->line++) {
        int rc = read_line(s, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Whether there is anything to learn from. */
static int check_sizes(const struct svm *s, struct errbuf *err)
{
    if (s->samples == 0)
        return text_fail(s->text, 0, err, ERR_DATA,
                         "no samples; allowed: one line \"LABEL INDEX:VALUE …\" or more");
    if (!s->known && s->features == 0)
        return text_fail(s->text, 0, err, ERR_DATA,
                         "no features: none of %zu labels has an INDEX:VALUE", s->samples);
    return 0;
}

int libsvm_decode(const struct text *t, struct table_columns **columns, struct table *out,
                  struct errbuf *err)
{
    struct svm s = {.text = t, .known = *columns};
    s.from_zero = s.known && s.known->from_zero;
    struct table made = {0};
    int rc = read_lines(&s, NULL, err);
    if (!s.known && !s.from_zero && s.features > 0)
        s.features--; /* they begin at 1 */
    size_t features = s.features;
    if (rc == 0)
        rc = check_sizes(&s, err);
    if (rc == 0)
        rc = table_init(&made, t, s.samples, s.known ? s.known->features : features, err);
    if (rc == 0)
        rc = read_lines(&s, &made, err);
    if (rc != 0) {
        table_finish(&made);
        return rc;
    }
    if (!s.known) {
        *columns = xcalloc(1, sizeof **columns);
        (*columns)->features = features;
        (*columns)->from_zero = s.from_zero;
        if (s.from_zero)
            notes_add(&made.notes, "data.path", "indices begin at 0");
        if (s.queries)
            notes_add(&made.notes, "data.path",
                      "qid is left out: rows are not ranked within their query, each is trained on "
                      "by itself");
    }
    *out = made;
    return 0;
}

int libsvm_read(const char *path, const struct spec_data *d, struct table_columns **columns,
                struct table *out, struct errbuf *err)
{
    struct text t;
    int rc = text_read(path, "", &t, err);
    if (rc != 0)
        return rc;
    rc = libsvm_decode(&t, columns, out, err);
    text_finish(&t);
    return rc;
}
