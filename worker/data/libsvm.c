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
    size_t features;                   /* largest index so far */
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

/* Decimal digits up to the colon, within 1..SAMPLES_FEATURES_MAX; 0 when it is none. */
static size_t parse_index(const char *word, const char *colon)
{
    size_t index = 0;
    for (; word < colon; word++) {
        if (*word < '0' || *word > '9')
            return 0;
        index = index * 10 + (size_t)(*word - '0');
        if (index > SAMPLES_FEATURES_MAX)
            return 0;
    }
    return index;
}

static int fail_index(const struct svm *s, const char *word, size_t len, struct errbuf *err)
{
    char shown[TEXT_SHOW_MAX];
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "index of %s; allowed: whole numbers from 1 to %zu",
                     text_show(shown, word, len), SAMPLES_FEATURES_MAX);
}

/* One "index:value"; *last is the index before it. */
static int read_pair(struct svm *s, const char *word, size_t len, size_t *last, struct errbuf *err)
{
    const char *colon = memchr(word, ':', len);
    double value;
    if (!colon)
        return fail_word(s, word, len, err, "where INDEX:VALUE is due");
    if (colon - word == 3 && memcmp(word, "qid", 3) == 0)
        return fail_word(s, word, len, err,
                         "is a query of a ranking task, which there is none of here; allowed: "
                         "INDEX:VALUE");
    size_t index = parse_index(word, colon);
    if (index == 0)
        return fail_index(s, word, len, err);
    if (index <= *last)
        return fail_word(s, word, len, err,
                         index == *last ? "repeats the index before it; allowed: ascending ones"
                                        : "behind a larger index; allowed: ascending ones");
    if (s->known && index > s->known->features)
        return text_fail(s->text, s->line, err, ERR_DATA,
                         "index %zu; allowed: 1..%zu, as in the training file", index,
                         s->known->features);
    if (!number_parse(colon + 1, len - (size_t)(colon + 1 - word), &value))
        return fail_word(s, word, len, err, "whose value is no number");
    if (s->out)
        ((float *)s->out->values)[s->samples * s->out->shape.dim[0] + index - 1] = (float)value;
    *last = index;
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
    struct table made = {0};
    int rc = read_lines(&s, NULL, err);
    if (rc == 0)
        rc = check_sizes(&s, err);
    if (rc == 0)
        rc = table_init(&made, t, s.samples, s.known ? s.known->features : s.features, err);
    if (rc == 0)
        rc = read_lines(&s, &made, err);
    if (rc != 0) {
        table_finish(&made);
        return rc;
    }
    if (!s.known) {
        *columns = xcalloc(1, sizeof **columns);
        (*columns)->features = s.features;
    }
    *out = made;
    return 0;
}

int libsvm_read(const char *path, const struct spec_data *d, struct table_columns **columns,
                struct table *out, struct errbuf *err)
{
    struct text t;
    int rc = text_read(path, &t, err);
    if (rc != 0)
        return rc;
    rc = libsvm_decode(&t, columns, out, err);
    text_finish(&t);
    return rc;
}
