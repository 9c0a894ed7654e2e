/* The runs of a sweep, all or those asked for, by number or by a column. */
#include "client/client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/report.h"
#include "client/sort_words.h"
#include "sweep/pattern.h"
#include "sweep/require.h"
#include "sweep/run.h"

static const struct field fields[] = {
    {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"#", "number", CELL_PLACE, FIELD_PLAIN, 3},
    {"stage", "stage", CELL_TEXT, FIELD_PLAIN, 6},
    {"status", "status", CELL_TEXT, FIELD_WORD},
    {"label", "label", CELL_TEXT, FIELD_WORD},
    {"metric", "metric_value", CELL_LOSS, FIELD_PLAIN},
    {"best epoch", "best_epoch", CELL_NUMBER, FIELD_PLAIN, 8},
    {"epochs", "epochs_done", CELL_NUMBER, FIELD_PLAIN, 7},
    {"time", "seconds", CELL_DURATION, FIELD_PLAIN, 5},
    {"failed", "error_class", CELL_TEXT, FIELD_PLAIN, 2},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
};

/* Columns that --sort knows beside those of the table: their own names. */
static const struct {
    const char *word, *key;
} sorts[] = {
    {"number", "number"},       {"run", "run_id"},         {"metric", "metric_value"},
    {"status", "status"},       {"label", "label"},        {"seconds", "seconds"},
    {"time", "seconds"},        {"epochs", "epochs_done"}, {"best_epoch", "best_epoch"},
    {"val_loss", "val_loss"},   {"val_acc", "val_acc"},    {"stage", "stage"},
    {"error", "error_class"},   {"learning_rate", "learning_rate"},
    {"batch_size", "batch_size"},
};

const char *sort_word(size_t i)
{
    return i < ARRAY_LEN(sorts) ? sorts[i].word : NULL;
}

struct chosen {
    struct json *row;
    size_t place; /* by number: what is equal stays in that order */
};

struct runs {
    struct client *client;
    const char *status, *label, *key; /* NULL: any; key: by number */
    bool descending, by_metric;
    struct chosen *rows;
    size_t count, cap, seen;
};

/* The item goes with its page: a copy stays. */
static void choose(void *arg, const struct json *run)
{
    struct runs *r = arg;
    struct buf text = {0};
    struct json_writer w;
    r->seen++;
    if (r->status != NULL && strcmp(member_string(run, "status", ""), r->status) != 0)
        return;
    if (r->label != NULL && strcmp(member_string(run, "label", "none"), r->label) != 0)
        return;
    jw_init(&w, &text);
    jw_value(&w, run);
    r->rows = array_room(r->rows, &r->cap, r->count, sizeof *r->rows);
    r->rows[r->count] = (struct chosen){json_parse(text.data, text.len, NULL), r->count};
    r->count += r->rows[r->count].row != NULL;
    buf_finish(&text);
}

/* NAN: none; nor a metric of one that failed or was cancelled, which is no result. */
static double sorted_value(const struct runs *r, const struct json *row)
{
    int status = run_status_find(member_string(row, "status", ""));
    bool ranks = status < 0 || run_status_ranks((enum run_status)status);
    return ranks || !r->by_metric ? member_real(row, r->key, NAN) : NAN;
}

static int by_value(const struct runs *r, const struct chosen *a, const struct chosen *b)
{
    double x = sorted_value(r, a->row), y = sorted_value(r, b->row);
    int order = (x > y) - (x < y);
    if (isnan(x) && isnan(y))
        order = strcmp(member_string(a->row, r->key, ""), member_string(b->row, r->key, ""));
    else if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y); /* without a number: last, whichever way */
    return r->descending ? -order : order;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct chosen *x = a, *y = b;
    int order = by_value(arg, x, y);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static int unknown(struct client *c, const char *option, const char *word,
                   const char *const *names, size_t count)
{
    struct buf list = {0};
    const char *near = err_nearest(word, names, count);
    for (size_t i = 0; i < count && near == NULL; i++)
        near = strncmp(names[i], word, strlen(word)) == 0 ? names[i] : NULL;
    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    int status = client_usage(c, "%s: got %s; %s%s%sallowed: %s", option, word,
                              near != NULL ? "did you mean " : "", near != NULL ? near : "",
                              near != NULL ? "? " : "", list.data);
    buf_finish(&list);
    return status;
}

static int take_status(struct client *c, struct runs *r)
{
    const char *names[RUN_STATUS_COUNT];
    const char *word = c->opts.text[OPTION_STATUS];
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        names[i] = run_status_name((enum run_status)i);
    if (run_status_find(word) < 0)
        return unknown(c, "--status", word, names, ARRAY_LEN(names));
    r->status = word;
    return CLIENT_DONE;
}

static int take_label(struct client *c, struct runs *r)
{
    const char *names[PATTERN_COUNT + 1] = {"none"};
    const char *word = c->opts.text[OPTION_LABEL];
    bool known = strcmp(word, names[0]) == 0;
    for (int i = 0; i < PATTERN_COUNT; i++) {
        names[i + 1] = pattern_name((enum pattern)i);
        known |= strcmp(word, names[i + 1]) == 0;
    }
    if (!known)
        return unknown(c, "--label", word, names, ARRAY_LEN(names));
    r->label = word;
    return CLIENT_DONE;
}

/* "-seconds": the largest first. */
static int take_sort(struct client *c, struct runs *r)
{
    const char *names[ARRAY_LEN(sorts)];
    const char *word = c->opts.text[OPTION_SORT];
    r->descending = word[0] == '-';
    word += r->descending;
    for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
        names[i] = sorts[i].word;
        if (strcmp(word, names[i]) == 0)
            r->key = sorts[i].key;
    }
    return r->key == NULL ? unknown(c, "--sort", word, names, ARRAY_LEN(names)) : CLIENT_DONE;
}

/* Of a metric the best comes first: the sweep says which that is. sweep 0: the newest. */
static int find_sweep(struct client *c, struct runs *r, int64_t *sweep)
{
    struct rpc_reply reply;
    int status = *sweep > 0 ? client_call_id(c, "show", "sweep", *sweep, &reply)
                            : client_call(c, "show", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *row = json_get(reply.result, "sweep");
    bool maximize = strcmp(member_string(row, "goal", ""), "maximize") == 0;
    *sweep = member_int(row, "id", *sweep);
    r->by_metric = r->key != NULL && strcmp(r->key, "metric_value") == 0;
    r->descending ^= r->by_metric && maximize;
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static void print_rows(struct client *c, const struct runs *r, size_t count, int64_t sweep)
{
    struct report table;
    report_init(&table, fields, ARRAY_LEN(fields));
    for (size_t i = 0; i < count; i++)
        report_row(&table, r->rows[i].row);
    report_print(&table, c);
    if (r->seen == 0)
        fprintf(c->out, "sweep %lld has no runs yet\n", (long long)sweep);
    else if (r->count == 0)
        fprintf(c->out, "none of the %zu runs of sweep %lld is like that\n", r->seen,
                (long long)sweep);
    else if (count < r->count)
        fprintf(c->out, "  … and %zu more\n", r->count - count);
}

static void print_document(struct client *c, const struct runs *r, size_t count, int64_t sweep)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", sweep);
    jw_key(&w, "runs");
    jw_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        jw_value(&w, r->rows[i].row);
    jw_end_array(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

static int print_runs(struct client *c, struct runs *r, int64_t sweep)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)sweep);
    int status = client_pages(c, &(struct client_paged){"runs", params, "runs"}, choose, r);
    size_t count = r->count;
    free(params);
    if (status != CLIENT_DONE)
        return status;
    if (r->key != NULL && r->count > 1)
        qsort_r(r->rows, r->count, sizeof *r->rows, compare, r);
    if (opts_has(&c->opts, OPTION_LIMIT) && c->opts.number[OPTION_LIMIT] < (int64_t)count)
        count = (size_t)c->opts.number[OPTION_LIMIT];
    (c->json ? print_document : print_rows)(c, r, count, sweep);
    return CLIENT_DONE;
}

int cmd_runs(struct client *c)
{
    struct runs r = {.client = c};
    int64_t sweep = c->opts.id;
    int status = opts_has(&c->opts, OPTION_STATUS) ? take_status(c, &r) : CLIENT_DONE;
    if (status == CLIENT_DONE && opts_has(&c->opts, OPTION_LABEL))
        status = take_label(c, &r);
    if (status == CLIENT_DONE && opts_has(&c->opts, OPTION_SORT))
        status = take_sort(c, &r);
    if (status == CLIENT_DONE)
        status = find_sweep(c, &r, &sweep);
    if (status == CLIENT_DONE)
        status = print_runs(c, &r, sweep);
    for (size_t i = 0; i < r.count; i++)
        json_destroy(r.rows[i].row);
    free(r.rows);
    return status;
}
