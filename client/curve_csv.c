#include "client/curve_csv.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

enum { COLUMN_EPOCH = CURVE_COLUMN_COUNT, COLUMN_OTHER, COLUMN_KINDS };

/* Names that other programs use. */
static const struct alias {
    const char *name;
    int column;
} ALIASES[] = {
    {"loss", CURVE_TRAIN_LOSS},      {"accuracy", CURVE_TRAIN_ACC}, {"acc", CURVE_TRAIN_ACC},
    {"val_accuracy", CURVE_VAL_ACC}, {"lr", CURVE_LEARNING_RATE},   {"epoch", COLUMN_EPOCH},
};

struct cell {
    const char *text;
    size_t len;
};

struct reader {
    const char *name;
    const char *at, *end;
    size_t line;    /* counts from 1 */
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

/* Next line that is not blank, cut into cells. 1, 0 at the end, or ERR_LIMIT. */
static int next_line(struct reader *r, size_t *count)
{
    while (r->at < r->end) {
        const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
        const char *line_end = stop != NULL ? stop : r->end, *p = r->at;

        r->at = stop != NULL ? stop + 1 : r->end;
        r->line++;
        if (trim(p, (size_t)(line_end - p)).len == 0)
            continue;
        for (*count = 0;; p++) {
            const char *comma = memchr(p, ',', (size_t)(line_end - p));
            const char *cell_end = comma != NULL ? comma : line_end;
            if (*count == CURVE_CSV_MAX_COLUMNS)
                return bad(r, ERR_LIMIT, NULL, NULL, "at most 256 columns");
            r->cells[(*count)++] = trim(p, (size_t)(cell_end - p));
            if (comma == NULL)
                return 1;
            p = comma;
        }
    }
    return 0;
}

static bool named(const struct cell *c, const char *name)
{
    return c->len == strlen(name) && memcmp(c->text, name, c->len) == 0;
}

static int column_of(const struct cell *c)
{
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (named(c, curve_column_name((enum curve_column)i)))
            return i;
    for (size_t i = 0; i < ARRAY_LEN(ALIASES); i++)
        if (named(c, ALIASES[i].name))
            return ALIASES[i].column;
    return COLUMN_OTHER;
}

static int read_header(struct reader *r)
{
    bool seen[COLUMN_KINDS] = {false};
    int rc = next_line(r, &r->columns);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(r->err, ERR_MISSING,
                       "%s: empty; the first line must name the columns "
                       "(epoch,train_loss,val_loss)",
                       r->name);
    for (size_t i = 0; i < r->columns; i++) {
        int kind = r->kinds[i] = column_of(&r->cells[i]);
        r->titles[i] = r->cells[i];
        if (kind != COLUMN_OTHER && seen[kind])
            return bad(r, ERR_VALUE, &r->titles[i], &r->cells[i], "each quantity in one column");
        seen[kind] = true;
    }
    if (!seen[CURVE_TRAIN_LOSS] && !seen[CURVE_VAL_LOSS])
        return bad(r, ERR_MISSING, NULL, NULL,
                   "a header line with at least one of the columns train_loss (or loss), val_loss");
    return 0;
}

/* A number as CSV writers write it; no hexadecimal, no overflow. */
static bool parse_number(const struct cell *c, double *out)
{
    char text[64], *end;

    if (c->len == 0 || c->len >= sizeof(text) || memchr(c->text, '\0', c->len) != NULL)
        return false;
    memcpy(text, c->text, c->len);
    text[c->len] = '\0';
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool word = strcasecmp(digits, "nan") == 0 || strcasecmp(digits, "inf") == 0 ||
                strcasecmp(digits, "infinity") == 0;
    if (!word && strspn(text, "0123456789+-.eE") != c->len)
        return false;
    errno = 0;
    *out = strtod(text, &end);
    return *end == '\0' && (word || !isinf(*out));
}

static int read_cell(struct reader *r, size_t i, struct point *p)
{
    const struct cell *c = &r->cells[i];
    int kind = r->kinds[i];
    double v;

    if (kind == COLUMN_OTHER || (c->len == 0 && kind != COLUMN_EPOCH))
        return 0;
    if (!parse_number(c, &v))
        return bad(r, ERR_VALUE, &r->titles[i], c,
                   kind == COLUMN_EPOCH ? "a number"
                                        : "a number, nan, inf, -inf, or nothing (not measured)");
    if (kind != COLUMN_EPOCH) {
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

static int read_row(struct reader *r, size_t count)
{
    struct point p = {.point = (int64_t)r->curve.count + 1, .epoch = (double)r->curve.count + 1};

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
    if (r->curve.count == r->cap) {
        r->cap = r->cap > 0 ? 2 * r->cap : 64;
        r->curve.points = xrealloc(r->curve.points, r->cap * sizeof(p));
    }
    r->curve.points[r->curve.count++] = p;
    return 0;
}

int curve_csv_parse(const char *name, const char *text, size_t len, struct curve *out,
                    struct errbuf *err)
{
    struct reader r = {.name = name, .at = text, .end = text + len, .err = err};
    size_t count;
    int rc;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3; /* the byte order mark that spreadsheets write */
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

void curve_finish(struct curve *c)
{
    free(c->points);
    *c = (struct curve){0};
}
