#include "client/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

#define BEST_RUNS 10
#define VALUE_AT 17 /* column of the values beside their titles */
#define VALUE_LEAST 24

static const struct field best_fields[] = {
    {"rank", "rank", CELL_COUNT, FIELD_PLAIN},
    {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"val loss", "val_loss", CELL_LOSS, FIELD_PLAIN},
    {"val acc", "val_acc", CELL_PERCENT, FIELD_PLAIN},
    {"best epoch", "best_epoch", CELL_NUMBER, FIELD_PLAIN, 7},
    {"lr", "learning_rate", CELL_NUMBER, FIELD_PLAIN},
    {"batch", "batch_size", CELL_NUMBER, FIELD_PLAIN},
    {"optimizer", "optimizer", CELL_TEXT, FIELD_PLAIN},
    {"depth", "depth", CELL_NUMBER, FIELD_PLAIN},
    {"treated with", "treated_with", CELL_TEXT, FIELD_PLAIN, 5},
    {"label", "label", CELL_TEXT, FIELD_WORD, 2},
    {"remedy", "remedy", CELL_TEXT, FIELD_PLAIN, 9},
    {"seeds", "repetitions", CELL_COUNT, FIELD_PLAIN, 10},
    {"time", "seconds", CELL_DURATION, FIELD_PLAIN, 8},
    /* where there is a test set */
    {"test loss", "test_loss", CELL_LOSS, FIELD_PLAIN, 6},
    {"test acc", "test_acc", CELL_PERCENT, FIELD_PLAIN, 3},
};
#define TEST_FIELDS 2
/* Of a sweep of more than what has a column above: all that is swept, whatever the width. */
static const struct field swept_fields[] = {
    {"rank", "rank", CELL_COUNT, FIELD_PLAIN},
    {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"val loss", "val_loss", CELL_LOSS, FIELD_PLAIN},
    {"val acc", "val_acc", CELL_PERCENT, FIELD_PLAIN, 1},
    {"best epoch", "best_epoch", CELL_NUMBER, FIELD_PLAIN, 7},
    {"treated with", "treated_with", CELL_TEXT, FIELD_PLAIN, 5},
    {"label", "label", CELL_TEXT, FIELD_WORD, 2},
    {"remedy", "remedy", CELL_TEXT, FIELD_PLAIN, 9},
    {"seeds", "repetitions", CELL_COUNT, FIELD_PLAIN, 10},
    {"time", "seconds", CELL_DURATION, FIELD_PLAIN, 8},
    {"test loss", "test_loss", CELL_LOSS, FIELD_PLAIN, 6},
    {"test acc", "test_acc", CELL_PERCENT, FIELD_PLAIN, 3},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
};
/* Of a program: its metric has any name, and so have its parameters. */
static const struct field program_fields[] = {
    {"rank", "rank", CELL_COUNT, FIELD_PLAIN},
    {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"metric", "metric_value", CELL_LOSS, FIELD_PLAIN},
    {"best epoch", "best_epoch", CELL_NUMBER, FIELD_PLAIN, 7},
    {"val loss", "val_loss", CELL_LOSS, FIELD_PLAIN, 9},
    {"val acc", "val_acc", CELL_PERCENT, FIELD_PLAIN, 10},
    {"label", "label", CELL_TEXT, FIELD_WORD},
    {"seeds", "repetitions", CELL_COUNT, FIELD_PLAIN, 11},
    {"time", "seconds", CELL_DURATION, FIELD_PLAIN, 8},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
};
/* Configurations trained from several seeds. */
static const struct field configuration_fields[] = {
    {"rank", "rank", CELL_COUNT, FIELD_PLAIN},
    {"mean", "mean", CELL_LOSS, FIELD_PLAIN},
    {"± sd", "sd", CELL_LOSS, FIELD_PLAIN},
    {"seeds", "repetitions", CELL_COUNT, FIELD_PLAIN},
    {"failed", "failed", CELL_COUNT, FIELD_PLAIN, 2},
    {"best run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
};
static const struct field label_fields[] = {
    {"runs", "runs", CELL_COUNT, FIELD_PLAIN},
    {"label", "pattern", CELL_TEXT, FIELD_WORD},
    {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {"says", "says", CELL_TEXT, FIELD_PLAIN},
};

void report_init(struct report *r, const struct field *fields, size_t count)
{
    r->fields = fields;
    r->count = count;
    r->columns = xcalloc(count, sizeof *r->columns);
    for (size_t i = 0; i < count; i++) {
        bool words = fields[i].format == CELL_TEXT || fields[i].format == CELL_PARAMS;
        r->columns[i] = (struct table_column){fields[i].title, !words, fields[i].drop};
    }
    render_table_init(&r->table, r->columns, count);
}

static enum tone field_tone(const struct field *f, const char *text)
{
    return f->tone == FIELD_PLAIN ? TONE_PLAIN : render_word_tone(text);
}

void report_row(void *arg, const struct json *item)
{
    struct report *r = arg;
    for (size_t i = 0; i < r->count; i++) {
        char *text = render_member(item, r->fields[i].key, r->fields[i].format);
        render_table_add(&r->table, text, field_tone(&r->fields[i], text));
        free(text);
    }
}

size_t report_print(struct report *r, struct client *c)
{
    struct buf text = {0};
    size_t rows = r->table.count / r->count;
    if (rows > 0)
        render_table_print(&r->table, c->width, c->colour, &text);
    client_print(c, &text);
    render_table_finish(&r->table);
    free(r->columns);
    return rows;
}

size_t report_list(struct client *c, const struct field *fields, size_t count,
                   const struct json *list)
{
    struct report r;
    report_init(&r, fields, count);
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v))
        report_row(&r, v);
    return report_print(&r, c);
}

int report_call_best(struct client *c, int64_t sweep, int64_t limit, struct rpc_reply *reply)
{
    char *params = sweep > 0 ? xasprintf("{\"sweep\":%lld,\"limit\":%lld}", (long long)sweep,
                                         (long long)limit)
                             : xasprintf("{\"limit\":%lld}", (long long)limit);
    int status = client_call(c, "best", params, reply);
    free(params);
    return status;
}

static bool any_tested(const struct json *runs)
{
    const struct json *v = json_first(runs);
    double loss;
    while (v != NULL && (!json_get(v, "test_loss") || json_real(json_get(v, "test_loss"), &loss)))
        v = json_next(v);
    return v != NULL;
}

/* Rows of best_runs: the trainer always has an optimizer. */
static bool of_program(const struct json *runs)
{
    const struct json *optimizer = json_get(json_first(runs), "optimizer");
    return optimizer != NULL && json_type(optimizer) == JSON_NULL;
}

bool report_is_program(const struct json *run)
{
    const struct json *settings = json_get(run, "settings");
    return settings != NULL && json_type(settings) == JSON_OBJECT && json_first(settings) == NULL;
}

/* Something is swept that best_fields has no column for. */
static bool sweeps_more(const struct json *runs)
{
    static const char *const shown[] = {"learning_rate", "batch_size", "optimizer", "depth"};
    const struct json *v = json_first(json_get(json_first(runs), "params"));
    for (; v != NULL; v = json_next(v)) {
        size_t i = 0;
        while (i < ARRAY_LEN(shown) && strcmp(json_key(v), shown[i]) != 0)
            i++;
        if (i == ARRAY_LEN(shown))
            return true;
    }
    return false;
}

void report_winner(struct client *c, const struct json *configurations, int64_t best_run)
{
    const struct json *first = json_first(configurations);
    double mean = member_real(first, "mean", NAN), sd = member_real(first, "sd", NAN);
    char text[2][HUMAN_MAX];
    if (first != NULL && member_int(first, "failed", 0) == 0)
        fprintf(c->out, "winner: run %lld, mean %s ± %s over %lld seeds\n",
                (long long)member_int(first, "run_id", 0), human_loss(mean, text[0]),
                human_loss(sd, text[1]), (long long)member_int(first, "repetitions", 0));
    else if (best_run > 0)
        fprintf(c->out, "winner: run %lld, from one seed alone\n", (long long)best_run);
}

/* Configurations that were trained from several seeds, the winner first. */
static void report_configurations(struct client *c, const struct json *reply)
{
    const struct json *list = json_get(reply, "configurations");
    if (json_first(list) != NULL) {
        fputs("\nconfigurations by the mean over their seeds\n", c->out);
        report_list(c, configuration_fields, ARRAY_LEN(configuration_fields), list);
    }
    report_winner(c, list, member_int(json_first(json_get(reply, "runs")), "run_id", 0));
}

/* The first of the configurations that were trained from several seeds, where none of them failed;
 * else NULL, and the best run wins. */
static const struct json *winning_configuration(const struct json *reply)
{
    const struct json *first = json_first(json_get(reply, "configurations"));
    return first != NULL && member_int(first, "failed", 0) == 0 ? first : NULL;
}

int64_t report_winner_id(const struct json *reply)
{
    const struct json *first = winning_configuration(reply);
    return member_int(first != NULL ? first : json_first(json_get(reply, "runs")), "run_id", 0);
}

/* A line of the block under the winner. */
static void again_line(struct client *c, const char *text)
{
    struct buf line = {0};
    buf_puts(&line, "  ");
    render_wrapped(&line, text, 2, c->width > VALUE_LEAST ? c->width - 2 : 0, TONE_PLAIN);
    buf_putc(&line, '\n');
    client_print(c, &line);
}

/* What it takes to run the winner again: however narrow the table above became. */
static void report_again(struct client *c, const struct json *reply)
{
    int64_t winner = report_winner_id(reply);
    const struct json *row = json_first(json_get(reply, "runs"));
    while (row != NULL && member_int(row, "run_id", 0) != winner)
        row = json_next(row);
    if (winner == 0)
        return;
    row = row != NULL ? row : winning_configuration(reply);
    char *params = render_member(row, "params", CELL_PARAMS);
    again_line(c, params);
    free(params);
    if (member_string(row, "treated_with", NULL) != NULL) {
        char *treated = xasprintf("treated with %s", member_string(row, "treated_with", ""));
        again_line(c, treated);
        free(treated);
    }
    char *again = xasprintf("again: sweepctl best %lld --spec | sweepctl submit -",
                            (long long)member_int(reply, "sweep", 0));
    again_line(c, again);
    free(again);
}

void report_best(struct client *c, const struct json *reply)
{
    int64_t sweep = member_int(reply, "sweep", 0);
    const struct json *runs = json_get(reply, "runs");
    bool program = of_program(runs), more = !program && sweeps_more(runs);
    const struct field *fields = program ? program_fields : more ? swept_fields : best_fields;
    size_t count = program            ? ARRAY_LEN(program_fields)
                   : more             ? ARRAY_LEN(swept_fields)
                   : any_tested(runs) ? ARRAY_LEN(best_fields)
                                      : ARRAY_LEN(best_fields) - TEST_FIELDS;
    if (report_list(c, fields, count, runs) == 0)
        fprintf(c->out, "sweep %lld: no run has a result yet\n", (long long)sweep);
    report_configurations(c, reply);
    report_front(c, json_get(reply, "front"));
    report_again(c, reply);
}

void report_labels(struct client *c, const struct json *labels)
{
    report_list(c, label_fields, ARRAY_LEN(label_fields), labels);
}

void report_treatments(struct client *c, const struct json *treatments)
{
    static const struct field fields[] = {
        {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
        {"of run", "parent_id", CELL_NUMBER, FIELD_PLAIN, 5},
        {"was", "pattern", CELL_TEXT, FIELD_WORD},
        {"cause", "cause", CELL_TEXT, FIELD_PLAIN, 6},
        {"remedy", "remedy", CELL_TEXT, FIELD_PLAIN},
        {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN, 8},
        {"is", "label", CELL_TEXT, FIELD_WORD},
        {"metric", "metric_value", CELL_LOSS, FIELD_PLAIN, 7},
        {"change", "change", CELL_PERCENT, FIELD_PLAIN},
        {"cured", "cured", CELL_YES, FIELD_PLAIN},
        {"status", "status", CELL_TEXT, FIELD_WORD, 9},
    };
    report_list(c, fields, ARRAY_LEN(fields), treatments);
}

/* In single quotes where a shell would take a character for its own. */
static void shell_word(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+:@%,";
    if (word[strspn(word, plain)] == '\0' && *word != '\0') {
        buf_puts(out, word);
        return;
    }
    buf_putc(out, '\'');
    for (const char *p = word; *p != '\0'; p++) {
        if (*p == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *p);
    }
    buf_putc(out, '\'');
}

static void print_query(struct client *c, const char *db, int64_t sweep, bool program)
{
    struct buf text = {0}, word = {0};
    shell_word(&word, db);
    buf_puts(&text, "\nthe same from the database:\n  sqlite3 ");
    render_text(&text, word.data, false);
    buf_printf(&text,
               " \"SELECT rank, run_id, %s, label, seconds FROM best_runs WHERE sweep_id=%lld"
               " LIMIT %d\"\n",
               program ? "metric_value, best_epoch, params"
                       : "val_loss, val_acc, best_epoch, learning_rate, batch_size, optimizer, "
                         "depth",
               (long long)sweep, BEST_RUNS);
    client_print(c, &text);
    buf_finish(&word);
}

int report_end(struct client *c, int64_t sweep)
{
    struct rpc_reply best, labels, daemon;
    int status = report_call_best(c, sweep, BEST_RUNS, &best);
    if (status != CLIENT_DONE)
        return status;
    fprintf(c->out, "\nbest runs of sweep %lld\n", (long long)sweep);
    report_best(c, best.result);
    bool program = of_program(json_get(best.result, "runs"));
    rpc_reply_finish(&best);
    status = client_call_id(c, "labels", "sweep", sweep, &labels);
    if (status != CLIENT_DONE)
        return status;
    const struct json *list = json_get(labels.result, "labels");
    if (json_first(list) != NULL) {
        fputs("\nlabels\n", c->out);
        report_labels(c, list);
    }
    rpc_reply_finish(&labels);
    status = client_call(c, "status", "{}", &daemon);
    if (status != CLIENT_DONE)
        return status;
    const char *db = member_string(daemon.result, "db", "");
    if (*db != '\0')
        print_query(c, db, sweep, program);
    rpc_reply_finish(&daemon);
    return CLIENT_DONE;
}

void report_line(struct client *c, const char *title, const char *value, enum tone tone)
{
    struct buf line = {0};
    render_field(&line, title, VALUE_AT - 1, false, render_tone(TONE_DIM, c->colour));
    buf_putc(&line, ' ');
    size_t room = c->width > VALUE_AT + VALUE_LEAST ? c->width - VALUE_AT : 0;
    render_wrapped(&line, value, VALUE_AT, room, render_tone(tone, c->colour));
    buf_putc(&line, '\n');
    client_print(c, &line);
}

static void member_line(struct client *c, const char *title, char *value, enum tone tone)
{
    report_line(c, title, value, tone);
    free(value);
}

static bool named(const struct field *fields, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0)
            return true;
    }
    return false;
}

/* Nothing to show: missing, null or empty. */
static bool empty(const struct json *v)
{
    return v == NULL || json_type(v) == JSON_NULL ||
           (json_type(v) == JSON_STRING && *json_string(v) == '\0');
}

void report_pick(struct client *c, const struct field *fields, size_t count,
                 const struct json *object)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        if (f->title == NULL || empty(json_get(object, f->key)))
            continue;
        char *value = render_member(object, f->key, f->format);
        member_line(c, f->title, value, field_tone(f, value));
    }
}

void report_members(struct client *c, const struct field *fields, size_t count,
                    const struct json *object)
{
    report_pick(c, fields, count, object);
    for (const struct json *v = json_first(object); v != NULL; v = json_next(v)) {
        enum json_type type = json_type(v);
        if (empty(v) || type == JSON_ARRAY || type == JSON_OBJECT || json_key(v) == NULL ||
            named(fields, count, json_key(v)))
            continue;
        member_line(c, json_key(v), render_member(object, json_key(v), CELL_NUMBER), TONE_PLAIN);
    }
}

void report_stages(struct client *c, const struct json *stages)
{
    static const struct field fields[] = {
        {"stage", "stage", CELL_TEXT, FIELD_PLAIN},
        {"runs", "runs", CELL_COUNT, FIELD_PLAIN},
        {"done", "done", CELL_COUNT, FIELD_PLAIN},
        {"best", "best", CELL_LOSS, FIELD_PLAIN},
    };
    report_list(c, fields, ARRAY_LEN(fields), stages);
}

void report_edits(struct client *c, const struct json *edits)
{
    static const struct field fields[] = {
        {"edit", "kind", CELL_TEXT, FIELD_PLAIN},
        {"setting", "setting", CELL_TEXT, FIELD_PLAIN},
        {"from", "from", CELL_NUMBER, FIELD_PLAIN},
        {"to", "to", CELL_NUMBER, FIELD_PLAIN},
        {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
        {"because", "sentence", CELL_TEXT, FIELD_PLAIN},
    };
    report_list(c, fields, ARRAY_LEN(fields), edits);
}

void report_stopping(struct client *c, const struct json *stopping)
{
    static const struct field fields[] = {
        {"stopped by", "rule", CELL_TEXT, FIELD_WORD},
        {"runs", "stopped", CELL_COUNT, FIELD_PLAIN},
        {"epochs saved", "epochs_saved", CELL_COUNT, FIELD_PLAIN},
        {"time saved", "seconds_saved", CELL_DURATION, FIELD_PLAIN},
        {"audited", "audited", CELL_COUNT, FIELD_PLAIN},
        {"ended", "audited_ended", CELL_COUNT, FIELD_PLAIN},
        {"among the best tenth", "wrong", CELL_COUNT, FIELD_PLAIN},
        {"the best", "best", CELL_COUNT, FIELD_PLAIN},
    };
    report_list(c, fields, ARRAY_LEN(fields), stopping);
}
