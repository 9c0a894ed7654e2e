/* One JSON value that holds a whole history: lists by name (Keras; XGBoost and LightGBM, by data
 * set and name), a list of objects (W&B's history, pandas' records), columns by row number
 * (pandas), columns and data apart (pandas' split), [time, step, value] (TensorBoard's download),
 * or one object with any of these inside. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "sweep/metric_word.h"
#include "sweep/curve_title.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define TIME_MIN 1e8 /* seconds since 1970 */

struct series {
    const struct loose_value *values; /* list, or an object of row numbers */
    const struct loose_value *at;     /* the next one */
    size_t column, count, every;      /* its n-th value stands in row n * every */
};

struct history {
    const char *name;
    const struct loose_json *j;
    struct series *series;
    size_t count, cap, rows;
    struct training_log *out;
    struct errbuf *err;
};

static bool is_json_history(const struct curve_bytes *in)
{
    size_t at = loose_blanks(in->bytes, in->len);
    if (at == in->len || (in->bytes[at] != '{' && in->bytes[at] != '['))
        return false;
    size_t inside = at + 1 + loose_blanks(in->bytes + at + 1, in->len - at - 1);
    int c = inside < in->len ? in->bytes[inside] : 0;
    /* "[3] train-rmse: 0.4" and "[12:00:01] …" are lines */
    if (!(in->bytes[at] == '{' ? c == '"' || c == '\'' : c == '{' || c == '['))
        return false;
    size_t extent = loose_json_extent(in->bytes + at, in->len - at);
    at += extent;
    return extent == 0 || at + loose_blanks(in->bytes + at, in->len - at) == in->len;
}

/* A number, or what stands where one is missing. */
static bool is_cell(const struct loose_json *j, const struct loose_value *v)
{
    double number;
    return v->kind == LOOSE_NULL || v->kind == LOOSE_NUMBER || loose_number(j, v, &number);
}

static bool is_row_number(const char *key)
{
    size_t n = strspn(key, "0123456789");
    return n > 0 && key[n] == '\0';
}

static bool is_series(const struct loose_json *j, const struct loose_value *v)
{
    if ((v->kind != LOOSE_LIST && v->kind != LOOSE_OBJECT) || v->count == 0)
        return false;
    for (const struct loose_value *m = loose_first(j, v); m; m = loose_next(j, m))
        if (!is_cell(j, m) || (v->kind == LOOSE_OBJECT && !is_row_number(loose_key(j, m))))
            return false;
    return true;
}

static int add_series(struct history *h, const struct loose_value *v, const char *title)
{
    int column = training_log_column(h->out, title, strlen(title), h->err);
    if (column < 0)
        return column;
    for (size_t i = 0; i < h->count; i++)
        if (h->series[i].column == (size_t)column)
            return err_set(h->err, ERR_VALUE, "%s: two lists are named \"%s\"", h->name, title);
    h->series = array_room(h->series, &h->cap, h->count, sizeof(*h->series));
    h->series[h->count++] =
        (struct series){.values = v, .at = loose_first(h->j, v), .column = (size_t)column,
                        .count = v->count, .every = 1};
    h->rows = v->count > h->rows ? v->count : h->rows;
    return 0;
}

/* {"history": {"loss": […]}}: a name that says nothing of what is inside. */
static bool is_wrapper(const char *key)
{
    static const char *const names[] = {"history", "metrics", "evals_result", "evals_result_",
                                        "results", "logs", "curves"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

/* Of the set "train" and the name "rmse": "train-rmse", as XGBoost prints it. */
static int find_series(struct history *h, const struct loose_value *object, const char *prefix)
{
    struct buf title = {0};
    int rc = 0;
    for (const struct loose_value *m = loose_first(h->j, object); m && rc == 0;
         m = loose_next(h->j, m)) {
        const char *key = loose_key(h->j, m);
        buf_clear(&title);
        if (*prefix)
            buf_printf(&title, "%s-", prefix);
        buf_append(&title, key, strnlen(key, 512));
        if (title.len > 512)
            break;
        if (is_series(h->j, m))
            rc = add_series(h, m, title.data);
        else if (m->kind == LOOSE_OBJECT)
            rc = find_series(h, m, *prefix == '\0' && is_wrapper(key) ? "" : title.data);
    }
    buf_finish(&title);
    return rc;
}

/* A series of fewer values than rows was measured every k rows, if one k alone explains its
 * length; one that is shorter by a few ends early. */
static int space_out(struct history *h, struct series *s)
{
    size_t n = h->rows, m = s->count, k = n / m;
    const char *title = training_log_title(h->out, s->column);
    if (k < 2)
        return 0;
    if (n % m == 0 || n / (k - 1) != m) {
        s->every = k;
        return 0;
    }
    if (!is_metric_word(title, strlen(title)))
        return 0;
    return err_set(h->err, ERR_VALUE,
                   "%s: \"%s\" has %zu values and the longest list has %zu; allowed: lists of one "
                   "length, or of every k-th epoch", h->name, title, m, n);
}

static int write_rows(struct history *h)
{
    int rc = 0;
    for (size_t i = 0; i < h->count && rc == 0; i++)
        rc = space_out(h, &h->series[i]);
    for (size_t row = 0; row < h->rows && rc == 0; row++) {
        rc = training_log_row(h->out, row + 1, h->err);
        for (struct series *s = h->series; s < h->series + h->count && rc == 0; s++) {
            double number = 0;
            if (!s->at || (row + 1) % s->every != 0)
                continue;
            if (loose_number(h->j, s->at, &number))
                rc = training_log_number(h->out, s->column, number, h->err);
            s->at = loose_next(h->j, s->at);
        }
    }
    return rc;
}

static int read_lists(struct history *h, const struct loose_value *object)
{
    int rc = find_series(h, object, "");
    if (rc == 0 && h->count == 0)
        rc = json_row(h->out, h->j, object, 1, h->err);
    else if (rc == 0)
        rc = write_rows(h);
    free(h->series);
    return rc;
}

/* A time in seconds, as TensorBoard's triples begin with one. */
static bool begins_with_time(const struct history *h, const struct loose_value *list)
{
    const struct loose_value *first = loose_first(h->j, list);
    double time;
    return first && loose_number(h->j, first, &time) && time > TIME_MIN;
}

/* A row of a list of lists, titles one for each place. */
static int row_of_list(struct history *h, const struct loose_value *titles,
                       const struct loose_value *list, size_t where)
{
    const struct loose_value *title = titles ? loose_first(h->j, titles) : NULL;
    static const char *const tensorboard[] = {"Wall time", "Step", "Value"};
    size_t place = 0;
    int rc = training_log_row(h->out, where, h->err);
    for (const struct loose_value *v = loose_first(h->j, list); v && rc == 0;
         v = loose_next(h->j, v)) {
        const char *name = title && title->kind == LOOSE_TEXT ? loose_text(h->j, title) : NULL;
        if (!titles && list->count == ARRAY_LEN(tensorboard) && begins_with_time(h, list))
            name = tensorboard[place++];
        if (name)
            rc = json_row_cell(h->out, h->j, v, name, h->err);
        title = title ? loose_next(h->j, title) : NULL;
    }
    return rc;
}

static int read_rows(struct history *h, const struct loose_value *titles,
                     const struct loose_value *list)
{
    size_t where = 0;
    int rc = 0;
    for (const struct loose_value *v = loose_first(h->j, list); v && rc == 0;
         v = loose_next(h->j, v)) {
        where++;
        if (v->kind == LOOSE_OBJECT)
            rc = json_row(h->out, h->j, v, where, h->err);
        else if (v->kind == LOOSE_LIST)
            rc = row_of_list(h, titles, v, where);
        else
            rc = err_set(h->err, ERR_MISSING, "%s: value %zu of the list has no name; allowed: "
                         "objects with names, or lists by name", h->name, where);
    }
    return rc;
}

/* The longest list of objects among the members of an object, and of the objects in it. */
static const struct loose_value *list_of_objects(const struct loose_json *j,
                                                 const struct loose_value *object, int depth)
{
    const struct loose_value *found = NULL;
    for (const struct loose_value *m = loose_first(j, object); m; m = loose_next(j, m)) {
        const struct loose_value *first = loose_first(j, m), *here = NULL;
        if (m->kind == LOOSE_LIST && first && first->kind == LOOSE_OBJECT)
            here = m;
        else if (m->kind == LOOSE_OBJECT && depth > 0)
            here = list_of_objects(j, m, depth - 1);
        if (here && (!found || here->count > found->count))
            found = here;
    }
    return found;
}

/* The number of a key that counts: "3", "epoch_3", "step 100"; not "fold_3". */
static bool number_of_key(const char *key, double *out)
{
    size_t len = strlen(key), from = len;
    while (from > 0 && isdigit((unsigned char)key[from - 1]))
        from--;
    enum curve_role role = curve_title_read(key, from).role;
    *out = strtod(key + from, NULL);
    return from < len && len - from < 10 &&
           (from == 0 || role == CURVE_ROLE_EPOCH || role == CURVE_ROLE_STEP);
}

/* {"epoch_1": {"loss": 0.5}, "epoch_2": …}: each member a row, its key the epoch; other members
 * are settings. */
static bool is_keyed(const struct history *h, const struct loose_value *root)
{
    size_t rows = 0;
    double last = -1, number;
    for (const struct loose_value *m = loose_first(h->j, root); m; m = loose_next(h->j, m)) {
        const struct loose_value *first = loose_first(h->j, m);
        if (m->kind != LOOSE_OBJECT)
            continue;
        if (!number_of_key(loose_key(h->j, m), &number) || number <= last || !first ||
            (!is_cell(h->j, first) && first->kind != LOOSE_OBJECT))
            return false;
        last = number;
        rows++;
    }
    return rows > 2;
}

static int read_keyed(struct history *h, const struct loose_value *root)
{
    size_t where = 0;
    int rc = 0;
    double epoch;
    for (const struct loose_value *m = loose_first(h->j, root); m && rc == 0;
         m = loose_next(h->j, m)) {
        if (m->kind != LOOSE_OBJECT)
            continue;
        rc = json_row(h->out, h->j, m, ++where, h->err);
        bool counts = loose_member(h->j, m, "epoch") || loose_member(h->j, m, "step");
        int column = rc == 0 && !counts ? training_log_column(h->out, "epoch", 5, h->err) : 0;
        rc = rc == 0 && column < 0 ? column : rc;
        if (rc == 0 && !counts && number_of_key(loose_key(h->j, m), &epoch))
            rc = training_log_number(h->out, (size_t)column, epoch, h->err);
    }
    return rc;
}

/* {"train_loss": [{"step": 1, "value": 0.5}, …], "val_loss": …}: lists of values by name. */
static bool is_listed(const struct history *h, const struct loose_value *m)
{
    static const char *const names[] = {"key", "metric", "name", "tag"};
    const struct loose_value *first = loose_first(h->j, m);
    const char *key = loose_key(h->j, m);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (first && loose_member(h->j, first, names[i]))
            return false;
    return m->kind == LOOSE_LIST && first && first->kind == LOOSE_OBJECT &&
           loose_member(h->j, first, "value") != NULL && is_metric_word(key, strlen(key));
}

static bool are_listed(const struct history *h, const struct loose_value *root)
{
    size_t lists = 0;
    for (const struct loose_value *m = loose_first(h->j, root); m; m = loose_next(h->j, m))
        lists += is_listed(h, m);
    return lists > 0;
}

static int read_listed(struct history *h, const struct loose_value *root)
{
    size_t where = 0;
    int rc = 0;
    for (const struct loose_value *m = loose_first(h->j, root); m && rc == 0;
         m = loose_next(h->j, m)) {
        const char *key = loose_key(h->j, m);
        for (const struct loose_value *v = is_listed(h, m) ? loose_first(h->j, m) : NULL;
             v && rc == 0; v = loose_next(h->j, v)) {
            rc = json_row(h->out, h->j, v, ++where, h->err);
            int column = rc == 0 ? training_log_column(h->out, "key", 3, h->err) : rc;
            rc = column < 0 ? column
                            : training_log_text(h->out, (size_t)column, key, strlen(key), h->err);
        }
    }
    return rc;
}

static int read_root(struct history *h)
{
    const struct loose_value *root = loose_root(h->j), *rows = NULL;
    if (root->kind == LOOSE_LIST)
        return read_rows(h, NULL, root);
    const struct loose_value *columns = loose_member(h->j, root, "columns");
    const struct loose_value *data = loose_member(h->j, root, "data");
    if (columns && data && columns->kind == LOOSE_LIST && data->kind == LOOSE_LIST)
        return read_rows(h, columns, data);
    if (is_keyed(h, root))
        return read_keyed(h, root);
    if (are_listed(h, root))
        return read_listed(h, root);
    rows = list_of_objects(h->j, root, 1);
    return rows ? read_rows(h, NULL, rows) : read_lists(h, root);
}

static int read_json_history(const struct curve_bytes *in, struct training_log *out,
                             struct errbuf *err)
{
    struct loose_json j = {0};
    struct history h = {.name = in->name, .j = &j, .out = out, .err = err};
    size_t used = 0;
    int rc = loose_json_read(&j, in->bytes, in->len, 1, &used, err);
    if (rc == 0)
        rc = read_root(&h);
    loose_json_finish(&j);
    return rc;
}

const struct curve_format curve_format_json_history = {is_json_history, read_json_history};
