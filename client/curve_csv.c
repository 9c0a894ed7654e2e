#include "client/curve_csv.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"
#include "sweep/require.h"

struct cell {
    const char *text;
    size_t len;
};

struct reader {
    const char *name;
    const char *at, *end;
    size_t line;    /* counts from 1 */
    char newline;   /* '\n', or '\r' where there is no other */
    char separator; /* ',' or what the header uses instead: ';' or tab */
    int epoch;      /* its column, or -1 */
    size_t columns; /* of the header */
    int kinds[CURVE_CSV_MAX_COLUMNS];
    struct cell cells[CURVE_CSV_MAX_COLUMNS];
    struct cell titles[CURVE_CSV_MAX_COLUMNS];
    struct curve curve;
    size_t cap;
    struct errbuf *err;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct cell trim(const char *text, size_t len)
{
    while (len > 0 && blank(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && blank(text[len - 1]))
        len--;
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    return (struct cell){text, len};
}

/* At most 40 bytes of a cell, as printf's "%.*s" takes them. */
static int shown(const struct cell *c)
{
    return c->len < 40 ? (int)c->len : 40;
}

/* "run.csv: line 7, column val_loss"; column NULL for a fault of the whole line. */
static int bad(const struct reader *r, int code, const struct cell *column,
               const struct cell *value, const char *allowed)
{
    char key[160], got[64] = "";
    int at = snprintf(key, sizeof(key), "%.80s: line %zu", r->name, r->line);

    if (column != NULL)
        snprintf(key + at, sizeof(key) - (size_t)at, ", column %.*s", shown(column), column->text);
    if (value != NULL)
        snprintf(got, sizeof(got), "\"%.*s\"", shown(value), value->text);
    return err_bad(r->err, code, key, got, "%s", allowed);
}

/* End of the cell that begins at p: a separator outside quotes, or the line's end. */
static const char *cell_end(const struct reader *r, const char *p, const char *line_end)
{
    while (p < line_end && blank(*p) && *p != r->separator)
        p++;
    if (p < line_end && *p == '"') {
        const char *close = memchr(p + 1, '"', (size_t)(line_end - p - 1));
        p = close != NULL ? close : p;
    }
    const char *stop = memchr(p, r->separator, (size_t)(line_end - p));
    return stop != NULL ? stop : line_end;
}

static int cut_line(struct reader *r, const char *p, const char *line_end, size_t *count)
{
    for (*count = 0;; p++) {
        const char *end = cell_end(r, p, line_end);
        if (*count == CURVE_CSV_MAX_COLUMNS)
            return bad(r, ERR_LIMIT, NULL, NULL, "at most 256 columns");
        r->cells[(*count)++] = trim(p, (size_t)(end - p));
        if (end == line_end)
            return 1;
        p = end;
    }
}

/* Keras' CSVLogger and spreadsheets may separate by ';' or tab. */
static char separator_of(const char *line, size_t len)
{
    static const char OTHERS[] = {';', '\t'};

    if (memchr(line, ',', len) == NULL)
        for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++)
            if (memchr(line, OTHERS[i], len) != NULL)
                return OTHERS[i];
    return ',';
}

/* Next line that is not blank, cut into cells. 1, 0 at the end, or ERR_LIMIT. */
static int next_line(struct reader *r, size_t *count)
{
    while (r->at < r->end) {
        const char *stop = memchr(r->at, r->newline, (size_t)(r->end - r->at));
        const char *line_end = stop != NULL ? stop : r->end, *p = r->at;

        r->at = stop != NULL ? stop + 1 : r->end;
        r->line++;
        if (trim(p, (size_t)(line_end - p)).len == 0)
            continue;
        if (r->separator == '\0')
            r->separator = separator_of(p, (size_t)(line_end - p));
        return cut_line(r, p, line_end, count);
    }
    return 0;
}

/* The one series of a TensorBoard export is the training loss, unless the file's name says
 * otherwise. */
static struct curve_title title_of(const struct reader *r, const struct cell *c)
{
    if (curve_title_is_value(c->text, c->len)) {
        bool val = curve_name_is_validation(r->name);
        return (struct curve_title){val ? CURVE_VAL_LOSS : CURVE_TRAIN_LOSS, 0};
    }
    return curve_title_read(c->text, c->len);
}

/* Takes column i for its kind, or leaves it out where a better one is there. */
static int take_column(struct reader *r, size_t i, struct curve_title t, int *taken)
{
    if (t.kind == CURVE_TITLE_OTHER)
        return 0;
    if (taken[t.kind] >= 0) {
        size_t before = (size_t)taken[t.kind];
        int rank = title_of(r, &r->titles[before]).rank;
        if (rank == t.rank && t.kind != CURVE_TITLE_EPOCH) /* W&B repeats the step per run */
            return bad(r, ERR_VALUE, &r->titles[i], &r->cells[i],
                       "each quantity in one column (one run a file)");
        if (rank <= t.rank)
            return 0;
        r->kinds[before] = CURVE_TITLE_OTHER;
    }
    r->kinds[i] = t.kind;
    taken[t.kind] = (int)i;
    return 0;
}

static int read_header(struct reader *r)
{
    int taken[CURVE_TITLE_KINDS], rc = next_line(r, &r->columns);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(r->err, ERR_MISSING,
                       "%s: empty; the first line must name the columns "
                       "(epoch,train_loss,val_loss)",
                       r->name);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        taken[i] = -1;
    for (size_t i = 0; i < r->columns; i++) {
        r->kinds[i] = CURVE_TITLE_OTHER;
        r->titles[i] = r->cells[i];
        rc = take_column(r, i, title_of(r, &r->cells[i]), taken);
        if (rc != 0)
            return rc;
    }
    r->epoch = taken[CURVE_TITLE_EPOCH];
    if (taken[CURVE_TRAIN_LOSS] < 0 && taken[CURVE_VAL_LOSS] < 0)
        return bad(r, ERR_MISSING, NULL, NULL,
                   "a header line with at least one of the columns train_loss (or loss, Value), "
                   "val_loss");
    return 0;
}

/* A number as CSV writers write it; no hexadecimal, no overflow. Where ';' separates, as in
 * spreadsheets of half the world, a comma is the decimal point. */
static bool parse_number(const struct cell *c, char separator, double *out)
{
    char text[64], *end, *comma;

    if (c->len == 0 || c->len >= sizeof(text) || memchr(c->text, '\0', c->len) != NULL)
        return false;
    memcpy(text, c->text, c->len);
    text[c->len] = '\0';
    if (separator == ';' && (comma = strchr(text, ',')) != NULL)
        *comma = '.';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool word = strcasecmp(digits, "nan") == 0 || strcasecmp(digits, "inf") == 0 ||
                strcasecmp(digits, "infinity") == 0;
    if (!word && strspn(text, "0123456789+-.eE") != c->len)
        return false;
    errno = 0;
    *out = strtod(text, &end);
    return *end == '\0' && (word || !isinf(*out));
}

/* Python's and SQL's words for nothing count as nothing. */
static bool not_measured(const struct cell *c)
{
    static const char *const WORDS[] = {"None", "null", "NULL", "NA", "N/A"};

    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
        if (c->len == strlen(WORDS[i]) && memcmp(c->text, WORDS[i], c->len) == 0)
            return true;
    return c->len == 0;
}

static int read_cell(struct reader *r, size_t i, struct point *p)
{
    const struct cell *c = &r->cells[i];
    int kind = r->kinds[i];
    double v;

    if (kind == CURVE_TITLE_OTHER || not_measured(c))
        return 0;
    if (!parse_number(c, r->separator, &v))
        return bad(r, ERR_VALUE, &r->titles[i], c,
                   kind == CURVE_TITLE_EPOCH ? "a number"
                                        : "a number, nan, inf, -inf, or nothing (not measured)");
    if (kind != CURVE_TITLE_EPOCH) {
        point_set(p, (enum curve_column)kind, v);
        return 0;
    }
    if (!isfinite(v) || v < 0)
        return bad(r, ERR_VALUE, &r->titles[i], c, "a finite number >= 0");
    if (r->curve.count > 0 && v < r->curve.points[r->curve.count - 1].epoch)
        return bad(r, ERR_VALUE, &r->titles[i], c, "epochs that do not go back (one run a file)");
    p->epoch = v;
    return 0;
}

/* Lightning writes the training and the validation loss of one epoch in rows of their own, the
 * other's cells empty: they are one point. */
static bool completes_last(const struct reader *r, const struct point *p)
{
    if (r->epoch < 0 || r->curve.count == 0)
        return false;
    const struct point *last = &r->curve.points[r->curve.count - 1];
    return last->epoch == p->epoch && (last->measured & p->measured) == 0;
}

static void complete(struct point *last, const struct point *p)
{
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++)
        if (point_has(p, (enum curve_column)c))
            point_set(last, (enum curve_column)c, p->v[c]);
}

static void append(struct curve *c, size_t *cap, const struct point *p)
{
    c->points = array_room(c->points, cap, c->count, sizeof(*p));
    c->points[c->count] = *p;
    c->points[c->count].point = (int64_t)c->count + 1;
    c->count++;
}

/* ",,,": what spreadsheets leave below a table. */
static bool all_empty(const struct reader *r, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (r->cells[i].len > 0)
            return false;
    return true;
}

/* Lightning's LearningRateMonitor writes rows of its own that have no epoch, and no loss. */
static int skip_row(const struct reader *r, const struct point *p)
{
    if (!point_has(p, CURVE_TRAIN_LOSS) && !point_has(p, CURVE_VAL_LOSS))
        return 0;
    return bad(r, ERR_VALUE, &r->titles[r->epoch], &r->cells[r->epoch], "a number");
}

static int read_row(struct reader *r, size_t count)
{
    struct point p = {.epoch = (double)r->curve.count + 1};

    if (r->epoch >= 0 && all_empty(r, count))
        return 0;
    if (count != r->columns) {
        char got[32], allowed[48];
        snprintf(got, sizeof(got), "%zu", count);
        snprintf(allowed, sizeof(allowed), "%zu cells, as in the header", r->columns);
        struct cell value = {got, strlen(got)};
        return bad(r, ERR_PARSE, NULL, &value, allowed);
    }
    if (r->curve.count == CURVE_CSV_MAX_ROWS)
        return bad(r, ERR_LIMIT, NULL, NULL, "at most 1,000,000 rows");
    for (size_t i = 0; i < count; i++) {
        int rc = read_cell(r, i, &p);
        if (rc != 0)
            return rc;
    }
    if (r->epoch >= 0 && not_measured(&r->cells[r->epoch]))
        return skip_row(r, &p);
    if (completes_last(r, &p))
        complete(&r->curve.points[r->curve.count - 1], &p);
    else
        append(&r->curve, &r->cap, &p);
    return 0;
}

/* What spreadsheets put before the header: a byte order mark, and "sep=;". */
static int read_preamble(struct reader *r)
{
    size_t len = (size_t)(r->end - r->at);

    if (len >= 2 && (memcmp(r->at, "\xff\xfe", 2) == 0 || memcmp(r->at, "\xfe\xff", 2) == 0))
        return err_set(r->err, ERR_PARSE, "%s: is UTF-16; allowed: UTF-8", r->name);
    if (len >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
        r->at += 3;
    r->newline = memchr(r->at, '\n', (size_t)(r->end - r->at)) != NULL ? '\n' : '\r';
    if (r->end - r->at >= 6 && strncasecmp(r->at, "sep=", 4) == 0 &&
        memchr(",;\t|", r->at[4], 4) != NULL && (r->at[5] == '\r' || r->at[5] == '\n')) {
        r->separator = r->at[4];
        r->at += r->at[5] == r->newline ? 6 : 7;
        r->line++;
    }
    return 0;
}

int curve_csv_parse(const char *name, const char *text, size_t len, struct curve *out,
                    struct errbuf *err)
{
    struct reader r = {.name = name, .at = text, .end = text + len, .err = err};
    size_t count;
    int rc = read_preamble(&r);

    if (rc == 0)
        rc = read_header(&r);
    while (rc == 0 && (rc = next_line(&r, &count)) > 0)
        rc = read_row(&r, count);
    if (rc < 0) {
        free(r.curve.points);
        return rc;
    }
    *out = r.curve;
    return 0;
}

int curve_csv_read(const char *path, struct curve *out, struct errbuf *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    struct buf text = {0};
    int rc = buf_read_file(&text, standard_input ? "/dev/stdin" : path, CURVE_CSV_MAX_BYTES, err);

    if (rc == 0)
        rc = curve_csv_parse(standard_input ? "standard input" : path,
                             text.data != NULL ? text.data : "", text.len, out, err);
    buf_finish(&text);
    return rc;
}

/* The loss of the second file: its validation loss, or what it calls its loss. */
static bool loss_of(const struct point *p, double *out)
{
    enum curve_column c = point_has(p, CURVE_VAL_LOSS) ? CURVE_VAL_LOSS : CURVE_TRAIN_LOSS;
    *out = p->v[c];
    return point_has(p, c);
}

void curve_join_val(struct curve *train, const struct curve *val)
{
    struct curve both = {0};
    size_t cap = 0;

    for (size_t i = 0, k = 0; i < train->count || k < val->count;) {
        bool has_train = i < train->count, has_val = k < val->count;
        double a = has_train ? train->points[i].epoch : INFINITY;
        double b = has_val ? val->points[k].epoch : INFINITY, loss;
        struct point p = {.epoch = a <= b ? a : b};
        if (has_train && a <= b) {
            p = train->points[i++];
            p.measured &= ~(1u << CURVE_VAL_LOSS);
        }
        if (has_val && b <= a && loss_of(&val->points[k++], &loss))
            point_set(&p, CURVE_VAL_LOSS, loss);
        append(&both, &cap, &p);
    }
    curve_finish(train);
    *train = both;
}

void curve_finish(struct curve *c)
{
    free(c->points);
    *c = (struct curve){0};
}
