#include "client/morning.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/influence.h"
#include "client/render.h"
#include "client/report.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/pattern.h"
#include "sweep/run.h"

/* --- the runs -------------------------------------------------------------------------------- */

static void groups_finish(struct morning_groups *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free(g->items[i].what);
        free(g->items[i].cause);
        free(g->items[i].words);
    }
    free(g->items);
}

void morning_finish(struct morning *m)
{
    groups_finish(&m->labels);
    groups_finish(&m->failures);
    memset(m, 0, sizeof *m);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void add(struct morning_groups *g, const char *what, const char *cause,
                const struct json *row)
{
    const char *words = member_string(row, "error_text", NULL);
    size_t i = 0;
    while (i < g->count &&
           !(same_text(g->items[i].what, what) && same_text(g->items[i].cause, cause)))
        i++;
    if (i == g->count) {
        g->items = array_room(g->items, &g->cap, g->count, sizeof *g->items);
        g->items[g->count++] = (struct morning_group){
            .what = xstrdup(what), .cause = cause != NULL ? xstrdup(cause) : NULL};
    }
    struct morning_group *item = &g->items[i];
    item->runs++;
    if (item->example == 0 || (item->words == NULL && words != NULL))
        item->example = member_int(row, "run_id", 0);
    if (item->words == NULL && words != NULL)
        item->words = xstrdup(words);
}

/* Nothing has gone wrong, or it is too early to say. */
static bool is_well(const char *label)
{
    int p = pattern_find(label);
    return p == PATTERN_LEARNING || p == PATTERN_CONVERGED || p == PATTERN_TOO_SHORT;
}

void morning_take_run(void *arg, const struct json *row)
{
    struct morning *m = arg;
    int status = run_status_find(member_string(row, "status", ""));
    const char *label = member_string(row, "label", NULL);
    double seconds = member_real(row, "seconds", 0), joules = member_real(row, "joules", 0);
    bool lost = status == RUN_FAILED || status == RUN_STOPPED || status == RUN_CANCELLED;
    m->runs++;
    m->failed += status == RUN_FAILED;
    m->stopped += status == RUN_STOPPED;
    m->cancelled += status == RUN_CANCELLED;
    m->joules += isfinite(joules) ? joules : 0;
    m->seconds += isfinite(seconds) ? seconds : 0;
    m->lost += lost && isfinite(seconds) ? seconds : 0;
    if (status == RUN_FAILED)
        add(&m->failures, member_string(row, "error_class", "failed"), NULL, row);
    else if (label != NULL && !is_well(label))
        add(&m->labels, label, member_string(row, "cause", NULL), row);
}

static int by_runs(const void *a, const void *b)
{
    const struct morning_group *x = a, *y = b;
    if (x->runs != y->runs)
        return x->runs < y->runs ? 1 : -1;
    return x->example < y->example ? -1 : x->example > y->example;
}

void morning_order(struct morning *m)
{
    if (m->labels.count > 1)
        qsort(m->labels.items, m->labels.count, sizeof *m->labels.items, by_runs);
    if (m->failures.count > 1)
        qsort(m->failures.items, m->failures.count, sizeof *m->failures.items, by_runs);
}

/* --- how sure -------------------------------------------------------------------------------- */

#define HARDLY_LUCK 2.0 /* standard errors of the difference */
#define PERHAPS_LUCK 1.0

static void write_sure(const struct json *best, struct json_writer *w)
{
    const struct json *first = json_first(json_get(best, "configurations"));
    const struct json *next = first != NULL ? json_next(first) : NULL;
    double mean = member_real(first, "mean", NAN), other = member_real(next, "mean", NAN);
    double sd[] = {member_real(first, "sd", NAN), member_real(next, "sd", NAN)};
    double n[] = {member_real(first, "repetitions", 0), member_real(next, "repetitions", 0)};
    double apart = fabs(mean - other);
    double error = sqrt(sd[0] * sd[0] / n[0] + sd[1] * sd[1] / n[1]);
    double ratio = error > 0 ? apart / error : NAN;
    const char *says =
        first == NULL           ? "from one seed alone: the best run of a search is mostly its "
                                  "luckiest seed"
        : next == NULL          ? "no other configuration has several seeds to compare with"
        : !isfinite(ratio)      ? "the seeds do not differ enough to say more"
        : ratio >= HARDLY_LUCK  ? "ahead of the next by more than luck"
        : ratio >= PERHAPS_LUCK ? "probably better than the next; more seeds would tell"
                                : "the next may be as good: seeds differ by as much as the two do";
    jw_key(w, "sure");
    jw_begin_object(w);
    jw_kv_string(w, "says", says);
    if (next != NULL && isfinite(apart)) {
        jw_kv_int(w, "next_run", member_int(next, "run_id", 0));
        jw_kv_real(w, "apart", apart);
        jw_kv_real(w, "standard_errors", ratio);
    }
    jw_end_object(w);
}

/* --- the page -------------------------------------------------------------------------------- */

static void copy(struct json_writer *w, const char *key, const struct json *v)
{
    jw_key(w, key);
    if (v != NULL)
        jw_value(w, v);
    else
        jw_null(w);
}

static void write_sweep(const struct json *show, struct json_writer *w)
{
    static const char *const keys[] = {"id", "name", "status", "reason", "method", "metric", "goal",
                                       "run_cap", "epochs", "runs", "done", "running", "failed",
                                       "created_at", "started_at", "ended_at", "data_task",
                                       "data_target"};
    const struct json *sweep = json_get(show, "sweep");
    jw_key(w, "sweep");
    jw_begin_object(w);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        copy(w, keys[i], json_get(sweep, keys[i]));
    jw_end_object(w);
}

/* Its row, where it is on the page of the best. */
static const struct json *winning_row(const struct json *best)
{
    int64_t winner = report_winner_id(best);
    const struct json *row = json_first(json_get(best, "runs"));
    while (row != NULL && member_int(row, "run_id", 0) != winner)
        row = json_next(row);
    return row;
}

static void write_winner(const struct json *best, struct json_writer *w)
{
    const struct json *first = json_first(json_get(best, "configurations"));
    const struct json *row = winning_row(best);
    int64_t winner = report_winner_id(best);
    bool several = first != NULL && member_int(first, "run_id", 0) == winner;
    jw_key(w, "winner");
    if (winner == 0) {
        jw_null(w);
        return;
    }
    jw_begin_object(w);
    jw_kv_int(w, "run", winner);
    copy(w, "metric_value", json_get(row, "metric_value"));
    copy(w, "label", json_get(row, "label"));
    copy(w, "remedy", json_get(row, "remedy"));
    copy(w, "treated_with", json_get(row, "treated_with"));
    copy(w, "test_loss", json_get(row, "test_loss"));
    copy(w, "test_acc", json_get(row, "test_acc"));
    copy(w, "mean", several ? json_get(first, "mean") : NULL);
    copy(w, "sd", several ? json_get(first, "sd") : NULL);
    copy(w, "seeds", several ? json_get(first, "repetitions") : NULL);
    copy(w, "params", json_get(row != NULL ? row : first, "params"));
    jw_end_object(w);
}

/* The likeliest cause's evidence, and what the curve shows. */
static void write_explained(const struct json *explained, int64_t run, struct json_writer *w)
{
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)run);
    const struct json *label = json_get(json_get(explained, key), "label");
    const struct json *cause = json_first(json_get(label, "causes"));
    const struct json *remedy = json_first(json_get(json_get(explained, key), "remedies"));
    copy(w, "sentence", json_get(json_get(label, "evidence"), "sentence"));
    copy(w, "because", json_get(cause, "evidence"));
    copy(w, "remedy", json_get(remedy, "remedy"));
}

static void write_groups(const char *key, const struct morning_groups *g,
                         const struct json *explained, struct json_writer *w)
{
    jw_key(w, key);
    jw_begin_array(w);
    for (size_t i = 0; i < g->count; i++) {
        const struct morning_group *item = &g->items[i];
        jw_begin_object(w);
        jw_kv_string(w, explained != NULL ? "label" : "error", item->what);
        jw_kv_int(w, "runs", item->runs);
        jw_kv_int(w, "example", item->example);
        if (explained != NULL) {
            jw_kv_string(w, "cause", item->cause);
            write_explained(explained, item->example, w);
        } else {
            jw_kv_string(w, "last_words", item->words);
        }
        jw_end_object(w);
    }
    jw_end_array(w);
}

/* What was tried against what, and what came of it, on this sweep's data. */
struct tally {
    const char *pattern, *remedy;
    int64_t tried, cured;
    double best; /* the largest change for the better, below 0; NaN: none is known */
};

static size_t tally_remedies(const struct json *treatments, struct tally *out, size_t max)
{
    size_t count = 0, i;
    for (const struct json *v = json_first(treatments); v != NULL; v = json_next(v)) {
        const char *pattern = member_string(v, "pattern", ""), *remedy =
            member_string(v, "remedy", "");
        const struct json *cured = json_get(v, "cured");
        if (cured == NULL || json_type(cured) == JSON_NULL)
            continue; /* it goes on */
        for (i = 0; i < count && !(strcmp(out[i].pattern, pattern) == 0 &&
                                   strcmp(out[i].remedy, remedy) == 0);)
            i++;
        if (i == max)
            continue;
        if (i == count)
            out[count++] = (struct tally){pattern, remedy, 0, 0, NAN};
        out[i].tried++;
        out[i].cured += member_int(v, "cured", 0) != 0;
        out[i].best = fmin(out[i].best, member_real(v, "change", NAN));
    }
    return count;
}

static void write_remedies(const struct json *treatments, struct json_writer *w)
{
    struct tally tallies[64];
    size_t count = tally_remedies(treatments, tallies, sizeof tallies / sizeof *tallies);
    jw_key(w, "remedies");
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "label", tallies[i].pattern);
        jw_kv_string(w, "remedy", tallies[i].remedy);
        jw_kv_int(w, "tried", tallies[i].tried);
        jw_kv_int(w, "cured", tallies[i].cured);
        jw_kv_real(w, "best_change", tallies[i].best);
        jw_end_object(w);
    }
    jw_end_array(w);
}

static void write_cost(const struct morning *m, const struct json *show, struct json_writer *w)
{
    const struct json *stopping = json_first(json_get(show, "stopping"));
    jw_key(w, "cost");
    jw_begin_object(w);
    jw_kv_int(w, "runs", m->runs);
    jw_kv_real(w, "seconds", m->seconds);
    jw_kv_real(w, "lost_seconds", m->lost);
    if (m->joules > 0)
        jw_kv_real(w, "joules", m->joules);
    copy(w, "seconds_saved_by_stopping", json_get(stopping, "seconds_saved"));
    jw_end_object(w);
}

/* --- what to do next ------------------------------------------------------------------------- */

/* In the command # stands for the number. */
static void next(struct json_writer *w, const char *why, const char *command, int64_t id)
{
    const char *place = strchr(command, '#');
    char *text = xasprintf("%.*s%lld%s", (int)(place - command), command, (long long)id, place + 1);
    jw_begin_object(w);
    jw_kv_string(w, "command", text);
    jw_kv_string(w, "why", why);
    jw_end_object(w);
    free(text);
}

static void write_next(const struct morning *m, const struct json *show, const struct json *best,
                       struct json_writer *w)
{
    const struct json *sweep = json_get(show, "sweep");
    int64_t id = member_int(sweep, "id", 0), winner = report_winner_id(best);
    const char *status = member_string(sweep, "status", "");
    const struct json *row = winning_row(best);
    bool program = member_string(json_first(json_get(best, "runs")), "optimizer", NULL) == NULL;
    jw_key(w, "next");
    jw_begin_array(w);
    if (strcmp(status, "held") == 0 || strcmp(status, "paused") == 0)
        next(w, "it waits for a person", "sweepctl resume #", id);
    if (strcmp(status, "running") == 0 || strcmp(status, "queued") == 0)
        next(w, "it goes on", "sweepctl watch #", id);
    if (winner != 0)
        next(w, "the winner again, to the bit", "sweepctl best # --spec | sweepctl submit -", id);
    if (winner != 0 && !program)
        next(w, "its weights", "sweepctl export # -o best.safetensors", winner);
    const char *label = member_string(row, "label", NULL);
    if (winner != 0 && !program && label != NULL && !is_well(label))
        next(w, "the winner is sick itself: one remedy more", "sweepctl treat #", winner);
    if (m->failures.count > 0)
        next(w, "what the first that failed wrote", "sweepctl log #",
             m->failures.items[0].example);
    if (m->labels.count > 0)
        next(w, "the most frequent trouble, in full", "sweepctl explain #",
             m->labels.items[0].example);
    jw_end_array(w);
}

/* null where it cannot be said: too few runs, or all alike. */
static void write_importance(const struct influence *f, struct json_writer *w)
{
    struct errbuf why;
    jw_key(w, "importance");
    if (f == NULL || influence_write(f, w, &why) != 0)
        jw_null(w);
}

void morning_write(const struct morning *m, const struct morning_replies *r, struct buf *out)
{
    const struct json *show = r->show, *best = r->best, *explained = r->explained;
    struct json_writer w;
    jw_init(&w, out);
    jw_begin_object(&w);
    write_sweep(show, &w);
    write_winner(best, &w);
    write_sure(best, &w);
    write_importance(r->influence, &w);
    if (json_first(json_get(best, "front")) != NULL)
        copy(&w, "front", json_get(best, "front"));
    copy(&w, "range_edits", json_get(show, "range_edits"));
    write_remedies(json_get(show, "treatments"), &w);
    write_groups("wrong", &m->labels, explained, &w);
    write_groups("failures", &m->failures, NULL, &w);
    copy(&w, "findings", json_get(show, "findings"));
    write_next(m, show, best, &w);
    write_cost(m, show, &w);
    jw_end_object(&w);
}
