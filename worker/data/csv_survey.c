/* What the columns of a training file hold: numbers, in which form, or text.
 *
 * A column is numeric when all of its fields that are not missing are numbers of one form
 * (sweep/number_form.h). With text between them it is spoilt, and the file refused, when at least
 * SPOILT_SHARE of its fields are numbers, unless these are at most SPOILT_CODES different whole
 * ones (codes such as 1, 2, 3, 3a). Else it is text: categories, or classes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/number.h"
#include "worker/data/csv_columns.h"
#include "worker/data/dates.h"

#define SPOILT_SHARE 0.5
#define SPOILT_CODES 20
#define ODD_SHOWN 3
#define UNIQUE_CLASSES 20 /* more classes than this must be shared by two rows each, on average */
#define CLASS_NAME_BYTES (sizeof *((struct table *)0)->class_name)

/* A text that is no number, and the line where it stands. */
struct odd {
    char shown[TEXT_SHOW_MAX];
    size_t line;
    bool date;
};

struct survey {
    struct number_evidence e;
    size_t filled;   /* fields that are not missing */
    size_t texts;    /* of those, no number by any form */
    size_t written;  /* numbers that number_parse does not take */
    size_t numbers;  /* of the form that was settled on, second pass */
    bool fractions;  /* some numbers have a point or a comma */
    size_t odd_count;
    struct odd odd[ODD_SHOWN];
};

/* --- first pass: evidence ------------------------------------------------------------------- */

static void note_field(const struct csv_scan *s, const struct spec_data *d, size_t i,
                       struct survey *v)
{
    const struct csv_field *f = &s->fields[i];
    if (csv_is_missing(d, f->text, f->len))
        return;
    v->filled++;
    if (!number_note(&v->e, f->text, f->len))
        v->texts++;
    else if (!number_is(f->text, f->len))
        v->written++;
}

static int check_target(const struct csv_scan *s, const struct spec_data *d,
                        const struct table_columns *c, struct errbuf *err)
{
    const struct csv_field *f = &s->fields[c->target];
    char column[CSV_COLUMN_SHOW_MAX], value[TEXT_SHOW_MAX];
    double number;
    bool infinite = number_parse(f->text, f->len, &number) && isinf(number);
    if (!csv_lacks_target(d, f) && !infinite)
        return 0;
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "%s: the target is %s; allowed: finite numbers%s. Is it another column "
                     "(data.target)? data.without_target: \"drop\" leaves such rows out",
                     csv_column_show(column, c, c->target),
                     f->len > 0 ? text_show(value, f->text, f->len) : "empty",
                     d->task == TASK_REGRESSION ? "" : ", or names of classes");
}

static int gather(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                  struct survey *v, size_t *rows, struct errbuf *err)
{
    size_t n = 0;
    for (;;) {
        int rc = csv_columns_row(s, d, c, err);
        if (rc != 0)
            return rc;
        if (s->count == 0)
            break;
        for (size_t i = 0; i < c->count; i++)
            if (!c->column[i].ignored)
                note_field(s, d, i, &v[i]);
        rc = check_target(s, d, c, err);
        if (rc != 0)
            return rc;
        if (++n > SAMPLES_MAX)
            break;
    }
    *rows = n;
    return n == 0 || n > SAMPLES_MAX ? csv_fail_rows(s, c, n, err) : 0;
}

/* --- forms ---------------------------------------------------------------------------------- */

static void settle(const struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                   struct survey *v)
{
    struct number_evidence file = {0};
    for (size_t i = 0; i < c->count; i++)
        number_evidence_add(&file, &v[i].e);
    for (size_t i = 0; i < c->count; i++) {
        struct column *column = &c->column[i];
        const struct number_evidence *e = &v[i].e;
        column->form = number_form_settle(e, &file, s->delimiter == ';');
        if (csv_decimal(d))
            column->form.decimal = csv_decimal(d);
        column->form.thousands = d->thousands;
        bool no_mark = e->point == 0 && e->either_point == 0;
        column->plain = v[i].written == 0 && (no_mark || column->form.decimal == '.');
        v[i].fractions = column->form.decimal == ',' ? e->comma + e->either_comma > 0
                                                     : e->point + e->either_point > 0;
    }
}

/* Columns in which no row has anything tell nothing: an export's "Unnamed: 32". */
static void leave_out_empty(struct table_columns *c, const struct survey *v, size_t rows,
                            struct notes *notes)
{
    char shown[CSV_COLUMN_SHOW_MAX];
    size_t columns = 0, first = 0, left = 0;
    for (size_t i = 0; i < c->count; i++)
        left += i != c->target && !c->column[i].ignored && v[i].filled > 0;
    for (size_t i = 0; left > 0 && rows > 1 && i < c->count; i++) {
        if (i == c->target || c->column[i].ignored || v[i].filled > 0)
            continue;
        c->column[i].ignored = true;
        first = columns++ == 0 ? i : first;
    }
    if (columns > 0)
        notes_add(notes, "data.ignore", "%zu column%s without a value in any row %s left out: %s%s",
                  columns, columns == 1 ? "" : "s", columns == 1 ? "is" : "are",
                  csv_column_show(shown, c, first), columns > 1 ? ", …" : "");
}

static const char *mark_name(char mark)
{
    return mark == ',' ? "a comma" : "a point";
}

/* One line for all columns that have it. */
static void note_forms(const struct table_columns *c, const struct survey *v,
                       const struct spec_data *d, struct notes *notes)
{
    char shown[CSV_COLUMN_SHOW_MAX];
    size_t commas = 0, units = 0, grouped = 0, first = 0, first_unit = 0, first_group = 0;
    for (size_t i = c->count; i-- > 0;) {
        const struct column *column = &c->column[i];
        const struct number_evidence *e = &v[i].e;
        if (column->ignored || column->names || column->plain)
            continue;
        bool comma = column->form.decimal == ',' && e->comma + e->either_comma > 0;
        bool group = e->grouped > 0 ||
                     (column->form.decimal == ',' ? e->either_point > 0 : e->either_comma > 0);
        commas += comma;
        grouped += group;
        units += column->form.unit[0] != '\0';
        first = comma ? i : first;
        first_group = group ? i : first_group;
        first_unit = column->form.unit[0] ? i : first_unit;
    }
    if (commas > 0 && !csv_decimal(d))
        notes_add(notes, "data.decimal", "numbers have a decimal comma in %zu column%s: %s%s",
                  commas, commas == 1 ? "" : "s", csv_column_show(shown, c, first),
                  commas > 1 ? ", …" : "");
    if (grouped > 0 && !d->thousands)
        notes_add(notes, "data.thousands",
                  "marks between thousands in %zu column%s: %s%s (decimals behind %s)", grouped,
                  grouped == 1 ? "" : "s", csv_column_show(shown, c, first_group),
                  grouped > 1 ? ", …" : "", mark_name(c->column[first_group].form.decimal));
    if (units > 0)
        notes_add(notes, "data.ignore",
                  "numbers are read without their unit in %zu column%s: %s in %s%s", units,
                  units == 1 ? "" : "s", csv_column_show(shown, c, first_unit),
                  c->column[first_unit].form.unit, units > 1 ? ", …" : "");
}

static void note_parentheses(const struct table_columns *c, struct notes *notes)
{
    char shown[CSV_COLUMN_SHOW_MAX];
    size_t columns = 0, first = 0;
    for (size_t i = c->count; i-- > 0;) {
        bool has = c->column[i].form.parentheses && !c->column[i].names && !c->column[i].ignored;
        columns += has;
        first = has ? i : first;
    }
    if (columns > 0)
        notes_add(notes, "data.ignore",
                  "numbers in parentheses, or with a minus behind, are negative in %zu column%s: "
                  "%s%s", columns, columns == 1 ? "" : "s", csv_column_show(shown, c, first),
                  columns > 1 ? ", …" : "");
}

/* Text that became numbers: one of each category. */
static void note_categories(const struct table_columns *c, struct notes *notes)
{
    char shown[CSV_COLUMN_SHOW_MAX];
    size_t columns = 0, first = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->column[i].names == NULL || c->column[i].ignored || i == c->target)
            continue;
        first = columns == 0 ? i : first;
        columns++;
    }
    if (columns > 0)
        notes_add(notes, "data.ignore", "text is read as categories in %zu column%s: %s, %u of "
                  "them%s", columns, columns == 1 ? "" : "s", csv_column_show(shown, c, first),
                  (unsigned)c->column[first].names->count, columns > 1 ? ", …" : "");
}

/* --- second pass: text ---------------------------------------------------------------------- */

static size_t names_max(const struct spec_data *d, const struct table_columns *c, size_t i)
{
    if (i == c->target)
        return SAMPLES_CLASSES_MAX;
    return d->max_categories > 0 ? (size_t)d->max_categories : DATA_CATEGORIES_USUAL;
}

/* Class names are shown to people and leave in JSON. */
static int check_class_name(const struct csv_scan *s, const struct table_columns *c,
                            const char *text, size_t len, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], shown[TEXT_SHOW_MAX];
    bool fits = len < CLASS_NAME_BYTES;
    size_t at = 0, n = 1;
    for (; fits && n > 0 && at < len; at += n)
        n = text_utf8_length(text + at, len - at);
    if (fits && n > 0)
        return 0;
    return text_fail(
        s->text, s->line, err, ERR_DATA, "%s: class name %s; allowed: at most %zu bytes of UTF-8",
        csv_column_show(column, c, c->target), text_show(shown, text, len), CLASS_NAME_BYTES - 1);
}

static void keep_odd(const struct csv_scan *s, struct survey *v, const char *text, size_t len)
{
    if (v->odd_count < ODD_SHOWN) {
        struct odd *odd = &v->odd[v->odd_count];
        text_show(odd->shown, text, len);
        odd->line = s->line;
        odd->date = date_is(text, len);
    }
    v->odd_count++;
}

/* A field of a column that is not all numbers of one form, as far as is known. */
static int read_text(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                     size_t i, struct survey *v, struct errbuf *err)
{
    const struct csv_field *f = &s->fields[i];
    struct column *column = &c->column[i];
    double value;
    size_t len;
    if (i != c->target && csv_is_missing(d, f->text, f->len))
        return 0;
    bool number = column->plain ? number_parse(f->text, f->len, &value)
                                : number_read(&column->form, f->text, f->len, &value);
    const char *text = csv_scan_text(s, f, &len);
    v->numbers += number;
    if (!number)
        keep_odd(s, v, text, len);
    uint32_t before = column->names->count;
    if (before <= names_max(d, c, i))
        names_add(column->names, text, len);
    if (i != c->target || number || column->names->count == before)
        return 0;
    return check_class_name(s, c, text, len, err);
}

static int read_texts(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                      const size_t *text, size_t count, struct survey *v, struct errbuf *err)
{
    for (size_t k = 0; k < count; k++)
        c->column[text[k]].names = xcalloc(1, sizeof(struct names));
    for (;;) {
        int rc = csv_columns_row(s, d, c, err);
        if (rc != 0)
            return rc;
        if (s->count == 0)
            return 0;
        for (size_t k = 0; rc == 0 && k < count; k++)
            rc = read_text(s, d, c, text[k], &v[text[k]], err);
        if (rc != 0)
            return rc;
    }
}

/* --- what they are -------------------------------------------------------------------------- */

/* `"?" (line 4), "n.k." (line 9)` */
static const char *show_odd(char out[ODD_SHOWN * (TEXT_SHOW_MAX + 32)], const struct survey *v)
{
    size_t at = 0, n = v->odd_count < ODD_SHOWN ? v->odd_count : ODD_SHOWN;
    out[0] = '\0';
    for (size_t k = 0; k < n; k++)
        at += (size_t)snprintf(out + at, ODD_SHOWN * (TEXT_SHOW_MAX + 32) - at, "%s%s (line %zu)",
                               k > 0 ? ", " : "", v->odd[k].shown, v->odd[k].line);
    return out;
}

static int fail_target_text(const struct csv_scan *s, const struct spec_data *d,
                            const struct table_columns *c, const struct survey *v,
                            struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], odd[ODD_SHOWN * (TEXT_SHOW_MAX + 32)];
    bool told = d->task == TASK_REGRESSION;
    return text_fail(s->text, v->odd[0].line, err, ERR_DATA,
                     "%s: the target is %s%s, where %zu of %zu fields are numbers; allowed: finite "
                     "numbers of one form%s. Is it another column (data.target)?",
                     csv_column_show(column, c, c->target), show_odd(odd, v),
                     v->odd_count > ODD_SHOWN ? ", …" : "", v->numbers, v->filled,
                     told ? " (task regression)" : ", or names of classes");
}

static int fail_spoilt(const struct csv_scan *s, const struct table_columns *c, size_t i,
                       const struct survey *v, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], odd[ODD_SHOWN * (TEXT_SHOW_MAX + 32)];
    return text_fail(s->text, v->odd[0].line, err, ERR_DATA,
                     "%s: got %s%s, where %zu of %zu fields are numbers; allowed: numbers of one "
                     "form. If they stand for no value: data.missing: [\"...\", %s]; to leave the "
                     "column out: data.ignore: [%zu]",
                     csv_column_show(column, c, i), show_odd(odd, v),
                     v->odd_count > ODD_SHOWN ? ", …" : "", v->numbers, v->filled,
                     v->odd[0].shown, i + 1);
}

/* What a column of too many texts may be. */
static const char *likely(const struct survey *v, size_t rows, const struct names *names,
                          size_t max)
{
    bool dates = v->odd_count > 0;
    for (size_t k = 0; k < v->odd_count && k < ODD_SHOWN; k++)
        dates = dates && v->odd[k].date;
    if (dates)
        return "dates";
    return names->count > max && v->filled >= rows - rows / 10 ? "texts" : "different texts";
}

static int fail_categories(const struct csv_scan *s, const struct spec_data *d,
                           const struct table_columns *c, size_t i, const struct survey *v,
                           size_t rows, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], odd[ODD_SHOWN * (TEXT_SHOW_MAX + 32)];
    size_t max = names_max(d, c, i);
    return text_fail(s->text, v->odd[0].line, err, ERR_DATA,
                     "%s: more than %zu different values, %s: %s, …; allowed: numbers, or at most "
                     "%zu categories (data.max_categories). Dates, names and numbers of rows are "
                     "no features: data.ignore: [%zu]",
                     csv_column_show(column, c, i), max,
                     likely(v, rows, c->column[i].names, max), show_odd(odd, v), max, i + 1);
}

static int fail_classes(const struct csv_scan *s, const struct table_columns *c,
                        const struct survey *v, size_t rows, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], odd[ODD_SHOWN * (TEXT_SHOW_MAX + 32)];
    const struct names *names = c->column[c->target].names;
    bool many = names->count > SAMPLES_CLASSES_MAX;
    return text_fail(s->text, v->odd[0].line, err, ERR_DATA,
                     "%s is the target and has %s%u different texts in %zu rows: %s, …; allowed: "
                     "numbers, or at most %d classes that rows share. Is the target another "
                     "column? data.target says which",
                     csv_column_show(column, c, c->target), many ? "more than " : "",
                     (unsigned)names->count - many, rows, show_odd(odd, v), SAMPLES_CLASSES_MAX);
}

static bool are_dates(const struct names *names)
{
    uint32_t k = 0;
    while (k < names->count && date_is(names_at(names, k), strlen(names_at(names, k))))
        k++;
    return k == names->count;
}

static int fail_dates(const struct csv_scan *s, const struct table_columns *c,
                      const struct survey *v, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], odd[ODD_SHOWN * (TEXT_SHOW_MAX + 32)];
    return text_fail(s->text, v->odd[0].line, err, ERR_DATA,
                     "%s is the target and holds dates: %s%s; allowed: numbers, or names of "
                     "classes. Is the target another column? data.target says which; data.task: "
                     "classification takes each date for a class",
                     csv_column_show(column, c, c->target), show_odd(odd, v),
                     v->odd_count > ODD_SHOWN ? ", …" : "");
}

static void forget_names(struct column *column)
{
    names_finish(column->names);
    free(column->names);
    column->names = NULL;
}

static int decide(const struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                  size_t i, const struct survey *v, size_t rows, struct errbuf *err)
{
    struct column *column = &c->column[i];
    uint32_t count = column->names->count;
    bool codes = !v->fractions && count <= SPOILT_CODES;
    if (v->odd_count == 0) {
        forget_names(column);
        return 0;
    }
    bool spoilt = (double)v->numbers >= SPOILT_SHARE * (double)v->filled && !codes;
    if (i == c->target && (spoilt || d->task == TASK_REGRESSION))
        return fail_target_text(s, d, c, v, err);
    if (spoilt)
        return fail_spoilt(s, c, i, v, err);
    if (i == c->target &&
        (count > SAMPLES_CLASSES_MAX || (count > UNIQUE_CLASSES && 2 * (size_t)count > rows)))
        return fail_classes(s, c, v, rows, err);
    if (i == c->target && d->task == TASK_AUTO && are_dates(column->names))
        return fail_dates(s, c, v, err);
    if (i != c->target && count > names_max(d, c, i))
        return fail_categories(s, d, c, i, v, rows, err);
    names_sort(column->names);
    return 0;
}

static int decide_all(const struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                      const struct survey *v, size_t rows, struct errbuf *err)
{
    size_t total = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!c->column[i].names)
            continue;
        int rc = decide(s, d, c, i, &v[i], rows, err);
        if (rc != 0)
            return rc;
        total += c->column[i].names ? c->column[i].names->count : 0;
    }
    if (total > SAMPLES_FEATURES_MAX)
        return text_fail(s->text, 0, err, ERR_LIMIT, "more than %zu categories in all columns",
                         SAMPLES_FEATURES_MAX);
    return 0;
}

int csv_columns_survey(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                       size_t *rows, struct notes *notes, struct errbuf *err)
{
    struct csv_place start = s->place;
    struct survey *v = xcalloc(c->count, sizeof *v);
    size_t *text = xmalloc(c->count * sizeof *text), count = 0;
    int rc = gather(s, d, c, v, rows, err);
    s->place = start;
    if (rc == 0) {
        leave_out_empty(c, v, *rows, notes);
        settle(s, d, c, v);
    }
    for (size_t i = 0; rc == 0 && i < c->count; i++)
        if (!c->column[i].ignored && (v[i].texts > 0 || !c->column[i].plain))
            text[count++] = i;
    if (rc == 0 && count > 0)
        rc = read_texts(s, d, c, text, count, v, err);
    if (rc == 0)
        rc = decide_all(s, d, c, v, *rows, err);
    if (rc == 0) {
        note_forms(c, v, d, notes);
        note_parentheses(c, notes);
        note_categories(c, notes);
        csv_columns_place(c);
    }
    free(text);
    free(v);
    s->place = start;
    return rc;
}
