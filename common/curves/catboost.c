/* CatBoost: what it prints ("3:\tlearn: 0.69\ttest: 0.7\tbest: 0.7 (3)\ttotal: 55ms …") and its
 * catboost_training.json. The lines do not name the measure; whether `best` falls or rises tells
 * what it is, so that a score is not taken for a loss. */
#include <stdlib.h>
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "common/curves/number_word.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define HEAD_BYTES 65536

/* --- lines ---------------------------------------------------------------------------------- */

struct cursor {
    const char *at, *end;
};

struct field {
    const char *name;
    size_t len;
    double value;
};

/* Takes the next line off the text, without its end. */
static bool next_line(struct cursor *text, struct cursor *out)
{
    if (text->at >= text->end)
        return false;
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
    out->at = text->at;
    out->end = end ? end : text->end;
    text->at = end ? end + 1 : text->end;
    return true;
}

/* "3:\t" in front of what was measured. */
static bool read_iteration(struct cursor *line, double *out)
{
    size_t len = (size_t)(line->end - line->at), n = number_word(line->at, len, out);
    if (n == 0 || len < n + 2 || line->at[n] != ':' || line->at[n + 1] != '\t')
        return false;
    line->at += n + 2;
    return true;
}

/* The next "name: number"; false at the end of the line. */
static bool next_field(struct cursor *line, struct field *out)
{
    while (line->at < line->end) {
        const char *from = line->at;
        const char *tab = memchr(from, '\t', (size_t)(line->end - from));
        const char *end = tab ? tab : line->end;
        const char *colon = memchr(from, ':', (size_t)(end - from));
        line->at = tab ? tab + 1 : line->end;
        if (!colon || colon + 2 >= end)
            continue;
        *out = (struct field){from, (size_t)(colon - from), 0};
        if (number_word(colon + 2, (size_t)(end - colon - 2), &out->value) > 0)
            return true;
    }
    return false;
}

static bool is_named(const struct field *f, const char *name)
{
    return f->len == strlen(name) && memcmp(f->name, name, f->len) == 0;
}

static bool is_catboost_lines(const struct curve_bytes *in)
{
    struct cursor text = {in->bytes, in->bytes + (in->len < HEAD_BYTES ? in->len : HEAD_BYTES)};
    struct cursor line;
    struct field first;
    double iteration;
    while (next_line(&text, &line))
        if (read_iteration(&line, &iteration) && next_field(&line, &first) &&
            (is_named(&first, "learn") || is_named(&first, "test")))
            return true;
    return false;
}

enum direction { UNKNOWN, FALLS, RISES };

/* By where "best" goes. */
static enum direction direction_of(const struct curve_bytes *in)
{
    struct cursor text = {in->bytes, in->bytes + in->len}, line;
    bool begun = false;
    double best = 0;
    while (next_line(&text, &line)) {
        double iteration;
        struct field f;
        if (!read_iteration(&line, &iteration))
            continue;
        while (next_field(&line, &f)) {
            if (!is_named(&f, "best"))
                continue;
            if (begun && f.value != best)
                return f.value > best ? RISES : FALLS;
            begun = true;
            best = f.value;
        }
    }
    return UNKNOWN;
}

static int put(struct training_log *out, const char *title, double value, struct errbuf *err)
{
    int column = training_log_column(out, title, strlen(title), err);
    return column < 0 ? column : training_log_number(out, (size_t)column, value, err);
}

static int put_field(struct training_log *out, const struct field *f, const char *what,
                     struct errbuf *err)
{
    char title[64];
    size_t n = f->len < 40 ? f->len : 40;
    for (size_t i = 0; i < n; i++)
        title[i] = f->name[i] < 0x20 || f->name[i] == 0x7f ? ' ' : f->name[i];
    title[n] = '\0';
    char *whole = xasprintf("%s%s", title, what);
    int rc = put(out, whole, f->value, err);
    free(whole);
    return rc;
}

static int read_catboost_lines(const struct curve_bytes *in, struct training_log *out,
                               struct errbuf *err)
{
    enum direction direction = direction_of(in);
    const char *what = direction == RISES ? " score" : " loss";
    struct cursor text = {in->bytes, in->bytes + in->len}, line;
    size_t number = 0;
    int rc = 0;
    while (rc == 0 && next_line(&text, &line)) {
        double iteration;
        struct field f;
        number++;
        if (!read_iteration(&line, &iteration))
            continue;
        rc = training_log_row(out, number, err);
        rc = rc == 0 ? put(out, "step", iteration, err) : rc;
        while (rc == 0 && next_field(&line, &f))
            if (!is_named(&f, "best") && !is_named(&f, "total") && !is_named(&f, "remaining"))
                rc = put_field(out, &f, what, err);
    }
    if (rc == 0 && direction == UNKNOWN)
        training_log_note(out, "CatBoost's lines do not name what they measure: it is taken for a "
                               "loss (its eval_metric must be one)");
    return rc;
}

/* --- catboost_training.json ------------------------------------------------------------------ */

static bool is_catboost_training(const struct curve_bytes *in)
{
    static const char name[] = "\"learn_metrics\"";
    size_t at = loose_blanks(in->bytes, in->len);
    size_t head = in->len < HEAD_BYTES ? in->len : HEAD_BYTES;
    return at < in->len && in->bytes[at] == '{' &&
           memmem(in->bytes, head, name, sizeof(name) - 1) != NULL;
}

/* [0.5, 0.9] of "learn", with the names that meta has for them. */
static int put_values(struct training_log *out, const struct loose_json *j,
                      const struct loose_value *values, const struct loose_value *metrics,
                      const char *set, struct errbuf *err)
{
    const struct loose_value *v = values ? loose_first(j, values) : NULL;
    const struct loose_value *m = metrics ? loose_first(j, metrics) : NULL;
    int rc = 0;
    for (; v && m && rc == 0; v = loose_next(j, v), m = loose_next(j, m)) {
        const struct loose_value *name = loose_member(j, m, "name");
        if (!name || name->kind != LOOSE_TEXT)
            continue;
        char *title = xasprintf("%s-%.200s", set, loose_text(j, name));
        rc = json_row_cell(out, j, v, title, err);
        free(title);
    }
    return rc;
}

static int training_rows(const struct curve_bytes *in, const struct loose_json *j,
                         struct training_log *out, struct errbuf *err)
{
    const struct loose_value *root = loose_root(j), *meta = loose_member(j, root, "meta");
    const struct loose_value *list = loose_member(j, root, "iterations");
    size_t where = 0;
    int rc = 0;
    if (!list || list->kind != LOOSE_LIST || !meta)
        return err_set(err, ERR_MISSING, "%s: CatBoost's training log has \"meta\" and a list "
                       "\"iterations\"", in->name);
    for (const struct loose_value *v = loose_first(j, list); v && rc == 0; v = loose_next(j, v)) {
        const struct loose_value *iteration = loose_member(j, v, "iteration");
        rc = training_log_row(out, ++where, err);
        if (rc == 0 && iteration)
            rc = json_row_cell(out, j, iteration, "iteration", err);
        for (int test = 0; test < 2 && rc == 0; test++)
            rc = put_values(out, j, loose_member(j, v, test ? "test" : "learn"),
                            loose_member(j, meta, test ? "test_metrics" : "learn_metrics"),
                            test ? "test" : "learn", err);
    }
    return rc;
}

static int read_catboost_training(const struct curve_bytes *in, struct training_log *out,
                                  struct errbuf *err)
{
    struct loose_json j = {0};
    size_t used = 0;
    int rc = loose_json_read(&j, in->bytes, in->len, 1, &used, err);
    if (rc == 0)
        rc = training_rows(in, &j, out, err);
    loose_json_finish(&j);
    return rc;
}

const struct curve_format curve_format_catboost_lines = {is_catboost_lines, read_catboost_lines};
const struct curve_format curve_format_catboost_training = {is_catboost_training,
                                                            read_catboost_training};
